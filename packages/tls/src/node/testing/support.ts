import { once } from 'node:events';
import type { AddressInfo, Server as NetServer } from 'node:net';
import * as nodeTls from 'node:tls';
import { nodeCrypto } from '@testudo/crypto/node';
import {
  type CertificateAuthority,
  type CertificateRequest,
  certificateToPem,
  createCertificateAuthority,
  privateKeyToPem,
} from '@testudo/x509';
import * as testudo from '../index.ts';
import type { TLSSocket } from '../socket/socket.ts';

/** Key and certificate as the options take them. */
export interface Identity {
  readonly key: string;
  readonly cert: string;
}

export const authority: CertificateAuthority = createCertificateAuthority({
  provider: nodeCrypto,
  commonName: 'Test CA',
  // Old enough for certificates that have expired.
  at: new Date(Date.now() - 100 * 86_400_000),
});
/** The CA that both sides trust, PEM. */
export const ca: string = certificateToPem(authority.certificate);

/** A CA that nobody trusts. */
export const stranger: CertificateAuthority = createCertificateAuthority({
  provider: nodeCrypto,
  commonName: 'Stranger CA',
});

export function issue(
  request: Partial<CertificateRequest> = {},
  issuer: CertificateAuthority = authority,
): Identity {
  const issued = issuer.issue({ purpose: 'server', names: ['localhost', '127.0.0.1'], ...request });
  return { cert: certificateToPem(...issued.certificateChain), key: privateKeyToPem(issued.privateKey!) };
}

/** For `localhost` and `127.0.0.1`. */
export const serverIdentity: Identity = issue();
export const clientIdentity: Identity = issue({ purpose: 'client', names: ['client.example'] });

/** Both implementations under one type: ours has everything of Node's that the tests use. */
export type Tls = typeof testudo;
export const ours: Tls = testudo;
export const nodes: Tls = nodeTls as unknown as Tls;

/** One after the other: what ours does is what Node's does. */
export const BOTH: readonly (readonly [string, Tls])[] = [
  ['ours', ours],
  ['Node\u2019s', nodes],
];

/** Server and client by who made them; ours is on one side at least. */
export const PARTIES: readonly (readonly [string, Tls, Tls])[] = [
  ['our server, our client', ours, ours],
  ['our server, Node\u2019s client', ours, nodes],
  ['Node\u2019s server, our client', nodes, ours],
];

export const VERSIONS = ['TLSv1.2', 'TLSv1.3'] as const;

/** Each of {@link PARTIES} with each version. */
export const MATRIX: readonly (readonly [string, (typeof VERSIONS)[number], Tls, Tls])[] = PARTIES.flatMap(
  ([name, server, client]) => VERSIONS.map((version) => [name, version, server, client] as const),
);

const open: { close?(): unknown; destroy?(): unknown }[] = [];

/** Closes or destroys it when the test is over. */
export function track<T extends { close?(): unknown; destroy?(): unknown }>(thing: T): T {
  open.push(thing);
  return thing;
}

/** For `afterEach`. */
export function closeAll(): void {
  for (const thing of open.splice(0)) {
    if (thing.destroy !== undefined) thing.destroy();
    else thing.close?.();
  }
}

/** Listens on a free port of the loopback and gives it. */
export async function listen(server: NetServer): Promise<number> {
  track(server).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

export interface Connected {
  readonly port: number;
  readonly server: testudo.Server;
  readonly client: TLSSocket;
  /** The server's end. */
  readonly accepted: TLSSocket;
}

/** A server and a client of it, both with their handshake complete. */
export async function connected(
  serverTls: Tls,
  clientTls: Tls,
  serverOptions: testudo.TlsOptions = {},
  clientOptions: testudo.ConnectionOptions = {},
): Promise<Connected> {
  const server = serverTls.createServer({ ...serverIdentity, ...serverOptions });
  const port = await listen(server);
  const client = track(
    clientTls.connect({ port, host: '127.0.0.1', servername: 'localhost', ca, ...clientOptions }),
  );
  // Tests that expect an error listen themselves; the others must not end by one that comes while closing.
  client.on('error', () => {});
  const [[accepted]] = (await Promise.all([
    once(server, 'secureConnection'),
    once(client, 'secureConnect'),
  ])) as [[TLSSocket], unknown];
  track(accepted).on('error', () => {});
  return { port, server, client, accepted };
}

export interface Outcome {
  /** The client's error; undefined when it became secure. */
  readonly client: (Error & { code?: string }) | undefined;
  /** What 'tlsClientError' said; undefined when it became secure. */
  readonly server: (Error & { code?: string }) | undefined;
}

/** Lets a handshake fail, and gives what each side said. */
export async function failing(
  serverTls: Tls,
  clientTls: Tls,
  serverOptions: testudo.TlsOptions,
  clientOptions: testudo.ConnectionOptions,
): Promise<Outcome> {
  const server = serverTls.createServer({ ...serverIdentity, ...serverOptions });
  const port = await listen(server);
  // A Node server may take the handshake for complete before the client refuses it.
  const serverError = new Promise<Error | undefined>((resolve) => {
    server.once('tlsClientError', resolve);
    server.once('secureConnection', () => resolve(undefined));
  });
  const client = track(
    clientTls.connect({ port, host: '127.0.0.1', servername: 'localhost', ca, ...clientOptions }),
  );
  client.resume();
  let clientError: Error | undefined;
  client.on('error', (error) => {
    clientError ??= error;
  });
  await closeOf(client);
  return { client: clientError, server: await serverError };
}

/** Everything a stream has until its 'end'. */
export async function readAll(socket: NodeJS.ReadableStream): Promise<Buffer> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk) => chunks.push(chunk as Buffer));
  await once(socket, 'end');
  return Buffer.concat(chunks);
}

/** What 'close' says: whether there was an error. */
export async function closeOf(socket: NodeJS.EventEmitter): Promise<boolean> {
  return new Promise((resolve) => socket.once('close', resolve));
}

/** The next error of an emitter. */
export async function errorOf(emitter: NodeJS.EventEmitter): Promise<Error & { code?: string }> {
  return new Promise((resolve) => emitter.once('error', resolve));
}
