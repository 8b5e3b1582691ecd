import { nodeCrypto } from '@testudo/crypto/node';
import { CertificateError } from '@testudo/x509';
import { describe, expect, test } from 'vitest';
import { rawPublicKeyCredential } from '../certificates/raw-public-key.ts';
import { type CertificateVerifier, dangerouslyAccept } from '../certificates/verdict.ts';
import { clientConfig } from '../config/client.ts';
import { serverConfig } from '../config/server.ts';
import type { ClientOptions } from '../options/client.ts';
import type { ServerOptions } from '../options/server.ts';
import { clientEnd, serverEnd } from '../testing/end.ts';
import { Pair } from '../testing/pair.ts';
import { TestPki } from '../testing/pki.ts';
import { decodeSession, encodeSession, type Session } from './session.ts';
import { MemorySessionStore } from './session-store.ts';
import { TicketKeys } from './ticket-keys.ts';

const pki = new TestPki(nodeCrypto);
const strict = pki.verifier();
const lenient = dangerouslyAccept(strict);
const anyone: CertificateVerifier = () => ({ accepted: true });

interface Ends {
  readonly client?: Partial<ClientOptions>;
  readonly server?: Partial<ServerOptions>;
  readonly session?: Session | undefined;
  readonly host?: string;
  readonly serverName?: string;
}

/** Servers that share their tickets and their sessions. */
function world(server: Partial<ServerOptions>) {
  const tickets = new TicketKeys(nodeCrypto);
  const credentials = [pki.server('p256', { trusted: false })];
  return async ({ client = {}, session, host, serverName, server: more = {} }: Ends): Promise<Pair> => {
    const config = clientConfig({ provider: nodeCrypto, verifyCertificate: strict, ...client });
    const name = {
      ...(host === undefined ? {} : { host }),
      ...(serverName === undefined ? {} : { serverName }),
    };
    const end = clientEnd(config, { session, ...name });
    const other = serverEnd(serverConfig({ provider: nodeCrypto, credentials, tickets, ...server, ...more }));
    return await new Pair(end, other).settle();
  };
}

const VERSIONS = ['TLSv1.3', 'TLSv1.2'] as const;
const BY = ['ticket', 'ID'] as const;
const WAYS = VERSIONS.flatMap((version) => BY.map((by) => [version, by] as const)).filter(
  ([version, by]) => version === 'TLSv1.2' || by === 'ticket',
);

describe.each(WAYS)('%s, by %s: a peer that was not verified', (maxVersion, by) => {
  const meet = world(by === 'ID' ? { tickets: false, sessionStore: new MemorySessionStore({}) } : {});
  const unverified = async () =>
    (await meet({ client: { maxVersion, verifyCertificate: lenient } })).client.sessions[0]!;

  test('is not resumed by a client that would not accept it', async () => {
    const session = await unverified();
    expect(session.peerVerified).toBe(false);
    const { client } = await meet({ client: { maxVersion }, session });
    expect(client.secured).toEqual([]);
    expect(client.errors.map(({ code }) => code)).toEqual(['unknown-ca']);
  });

  test('is resumed by one that accepts it in spite of all', async () => {
    const session = await unverified();
    const { client } = await meet({ client: { maxVersion, verifyCertificate: lenient }, session });
    expect(client.errors).toEqual([]);
    expect(client.info.resumed).toBe(true);
    expect(client.info.authorizationError).toBeInstanceOf(Error);
    expect(client.sessions.every(({ peerVerified }) => !peerVerified)).toBe(true);
  });

  test('is verified in full by one that finds nothing wrong any more', async () => {
    const session = await unverified();
    const { client } = await meet({ client: { maxVersion, verifyCertificate: anyone }, session });
    expect([client.info.resumed, client.info.authorizationError]).toEqual([false, undefined]);
  });

  test('is asked about by the name that is wanted, with what it showed', async () => {
    const session = await unverified();
    const asked: unknown[] = [];
    const error = new CertificateError('unknown-issuer', 'not known');
    const verifyCertificate: CertificateVerifier = ({ peer, name, chain, keyUsage }) => {
      asked.push([peer, name, keyUsage, chain]);
      return { accepted: true, error };
    };
    await meet({ client: { maxVersion, verifyCertificate }, session });
    expect(asked).toEqual([['server', 'server.example', 'digitalSignature', session.peerCertificates]]);
  });

  test('is not resumed when the verifier fails', async () => {
    const session = await unverified();
    let calls = 0;
    const verifyCertificate: CertificateVerifier = () => {
      if (++calls === 1) throw new Error('the store is gone');
      return { accepted: true };
    };
    const { client } = await meet({ client: { maxVersion, verifyCertificate }, session });
    expect(client.info.resumed).toBe(false);
  });

  test('is not resumed by a server that requires a certificate, whoever asks', async () => {
    const client = {
      maxVersion,
      verifyCertificate: lenient,
      credentials: [pki.client('p256', { trusted: false })],
    };
    const asking = { clientCertificate: 'require', verifyCertificate: lenient } as const;
    const first = await meet({ client, server: asking });
    expect(first.server.info.authorizationError).toBeInstanceOf(Error);
    const session = first.client.sessions[0]!;
    const requiring = { clientCertificate: 'require', verifyCertificate: strict } as const;
    const again = await meet({ client, server: requiring, session });
    expect(again.server.secured).toEqual([]);
    expect(again.server.errors.map(({ code }) => code)).toEqual(['unknown-ca']);
  });

  test('is not resumed by a server that requires a certificate where none was shown', async () => {
    const asking = { clientCertificate: 'request', verifyCertificate: strict } as const;
    const client = { maxVersion, verifyCertificate: lenient };
    const session = (await meet({ client, server: asking })).client.sessions[0]!;
    expect((await meet({ client, server: asking, session })).server.info.resumed).toBe(true);
    const requiring = { clientCertificate: 'require', verifyCertificate: strict } as const;
    const { server } = await meet({ client, server: requiring, session });
    const code = maxVersion === 'TLSv1.3' ? 'certificate-required' : 'client-certificate-missing';
    expect(server.errors.map((error) => error.code)).toEqual([code]);
  });
});

describe.each(VERSIONS)('%s: a raw public key that was not verified', (maxVersion) => {
  const key = nodeCrypto.generateKey({ type: 'ec', curve: 'secp256r1' });
  const meet = world({ credentials: [rawPublicKeyCredential(nodeCrypto, key)] });
  const refusal = new Error('not pinned');
  const taken = () => ({ accepted: true, error: refusal });

  test('is not resumed by a client that would not accept it', async () => {
    const session = (await meet({ client: { maxVersion, verifyRawPublicKey: taken } })).client.sessions[0]!;
    const again = await meet({ client: { maxVersion, verifyRawPublicKey: taken }, session });
    expect(again.client.info.resumed).toBe(true);
    const verifyRawPublicKey = () => ({ accepted: false, error: refusal });
    const { client } = await meet({ client: { maxVersion, verifyRawPublicKey }, session });
    expect(client.errors.map(({ code }) => code)).toEqual(['certificate-unknown']);
  });
});

test('a shared key does not stand in for a certificate in a session that is resumed without it', async () => {
  const psk = { identity: Uint8Array.of(1), key: new Uint8Array(32).fill(7) };
  const meet = world({ findPsk: () => psk, credentials: [pki.server()] });
  const { client: first } = await meet({ client: { psks: [psk] } });
  expect([first.errors, first.info.peerCertificates]).toEqual([[], []]);
  const session = first.sessions[0]!;
  expect((await meet({ client: { psks: [psk] }, session })).client.info.resumed).toBe(true);
  const { client } = await meet({ session });
  expect([client.errors, client.info.resumed]).toEqual([[], false]);
  expect(client.info.peerCertificates).toHaveLength(1);
});

describe.each(WAYS)('%s, by %s: a session of one host', (maxVersion, by) => {
  const meet = world(by === 'ID' ? { tickets: false, sessionStore: new MemorySessionStore({}) } : {});
  const client = { maxVersion, verifyCertificate: anyone };
  const resumes = async (from: Partial<Ends>, to: Partial<Ends>) => {
    const session = (await meet({ client, ...from })).client.sessions[0]!;
    const pair = await meet({ client, ...to, session });
    expect(pair.client.errors.concat(pair.server.errors)).toEqual([]);
    return pair.client.info.resumed;
  };

  test('is for the same one, however it is spelled', async () => {
    expect(await resumes({ host: '192.0.2.1' }, { host: '192.0.2.1' })).toBe(true);
    expect(await resumes({ host: 'Server.Example.' }, { host: 'server.example' })).toBe(true);
    expect(await resumes({ host: 'bücher.example' }, { host: 'xn--bcher-kva.example' })).toBe(true);
  });

  test('is not offered to another address', async () => {
    expect(await resumes({ host: '192.0.2.1' }, { host: '192.0.2.2' })).toBe(false);
    expect(await resumes({ host: '2001:db8::1' }, { host: '2001:db8::2' })).toBe(false);
  });

  test('is not offered where another name is wanted behind the same one in SNI', async () => {
    const serverName = 'front.example';
    expect(await resumes({ host: 'a.example', serverName }, { host: 'b.example', serverName })).toBe(false);
    expect(await resumes({ host: 'a.example', serverName: '' }, { host: 'b.example', serverName: '' })).toBe(
      false,
    );
  });

  test('keeps its host in bytes', async () => {
    const session = (await meet({ client, host: '192.0.2.1' })).client.sessions[0]!;
    expect(decodeSession(encodeSession(session))!.host).toBe('192.0.2.1');
  });
});
