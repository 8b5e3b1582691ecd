import { once } from 'node:events';
import { connect as netConnect } from 'node:net';
import { nodeCrypto } from '@testudo/crypto/node';
import { afterEach, describe, expect, test } from 'vitest';
import { generateEchKey } from '../../ech/keys.ts';
import { TlsError } from '../../errors.ts';
import type { ConnectionOptions, TlsOptions } from '../index.ts';
import type { TLSSocket } from '../socket/socket.ts';
import {
  ca,
  clientIdentity,
  closeAll,
  closeOf,
  connected,
  errorOf,
  failing,
  issue,
  listen,
  nodes,
  ours,
  readAll,
  serverIdentity,
  type Tls,
  track,
} from '../testing/support.ts';
import type { SecureContext } from './secure-context.ts';

afterEach(closeAll);

/** A server that sends back what it gets, and the session of a first connection with it. */
async function echo(
  options: TlsOptions = {},
  clientOptions: ConnectionOptions = {},
): Promise<{ port: number; session: Buffer; accepted: TLSSocket[] }> {
  const server = ours.createServer({ ...serverIdentity, ...options });
  const accepted: TLSSocket[] = [];
  server.on('secureConnection', (socket) => {
    accepted.push(track(socket as TLSSocket));
    socket.on('error', () => {});
    socket.pipe(socket);
  });
  const port = await listen(server);
  const first = track(ours.connect({ port, ca, servername: 'localhost', ...clientOptions }));
  const [session] = (await once(first, 'session')) as [Buffer];
  first.end();
  await closeOf(first.resume());
  return { port, session, accepted };
}

describe('applicationSettings', () => {
  const settings = (text: string) => ({
    ALPNProtocols: ['h2'],
    applicationSettings: { h2: Buffer.from(text) },
  });

  test('are told each other, and stand in connectionInfo', async () => {
    const server = ours.createServer({ ...serverIdentity, ...settings('of the server') });
    const accepted = once(server, 'secureConnection') as Promise<[TLSSocket]>;
    const port = await listen(server);
    const client = track(ours.connect({ port, ca, servername: 'localhost', ...settings('of the client') }));
    await once(client, 'secureConnect');
    const texts = (socket: TLSSocket) =>
      Object.values(socket.connectionInfo!.applicationSettings!).map((bytes) => String(Buffer.from(bytes)));
    expect(texts(client)).toEqual(['of the client', 'of the server']);
    expect(texts(track((await accepted)[0]))).toEqual(['of the server', 'of the client']);
  });
});

describe('earlyData', () => {
  const early = Buffer.from('sent at once, ');

  async function answerTo(port: number, options: ConnectionOptions): Promise<[TLSSocket, string]> {
    const client = track(ours.connect({ port, ca, servername: 'localhost', earlyData: early, ...options }));
    client.end('and the rest');
    return [client, String(await readAll(client))];
  }

  test('leaves with the first flight, and the server reads it first', async () => {
    const { port, session, accepted } = await echo({ earlyData: true });
    const [client, answer] = await answerTo(port, { session });
    expect(answer).toBe('sent at once, and the rest');
    expect(client.connectionInfo?.earlyData).toBe('accepted');
    expect(accepted[1]!.connectionInfo?.earlyData).toBe('accepted');
  });

  test('that the server does not take comes after the handshake, once', async () => {
    const asked: number[] = [];
    const replayGuard = { admit: () => asked.push(1) === 0 };
    const { port, session } = await echo({ earlyData: { replayGuard } });
    const [client, answer] = await answerTo(port, { session });
    expect(asked).toEqual([1]);
    expect(client.connectionInfo?.earlyData).toBe('rejected');
    expect(answer).toBe('sent at once, and the rest');
  });

  test('a copy of the first flight reaches no application', async () => {
    const { port, session, accepted } = await echo({ earlyData: true });
    const transport = track(netConnect(port, '127.0.0.1'));
    const sent: Buffer[] = [];
    const write = transport.write.bind(transport) as (...args: unknown[]) => boolean;
    transport.write = ((chunk: Buffer, ...rest: unknown[]) => {
      sent.push(Buffer.from(chunk));
      return write(chunk, ...rest);
    }) as never;
    await once(transport, 'connect');
    const [, answer] = await answerTo(port, { session, socket: transport });
    expect(answer).toBe('sent at once, and the rest');
    const copy = track(netConnect(port, '127.0.0.1'));
    copy.end(sent[0]!);
    await closeOf(copy.resume());
    expect(accepted).toHaveLength(2);
  });

  const UNTAKEN: readonly (readonly [string, boolean, ConnectionOptions, TlsOptions])[] = [
    ['without a session', false, {}, { earlyData: true }],
    ['where the server takes none', true, {}, {}],
    ['with TLS 1.2', true, { maxVersion: 'TLSv1.2' }, { earlyData: true }],
  ];

  test.each(UNTAKEN)('%s it is sent after the handshake', async (_case, resumes, options, server) => {
    const { port, session } = await echo(server, options);
    const [client, answer] = await answerTo(port, { ...options, ...(resumes ? { session } : {}) });
    expect(answer).toBe('sent at once, and the rest');
    expect(client.connectionInfo?.earlyData).toBe('none');
  });

  test('is for one protocol', async () => {
    const { port, session } = await echo(
      { earlyData: true, ALPNProtocols: ['a', 'b'] },
      { ALPNProtocols: ['a'] },
    );
    const [client] = await answerTo(port, { session, ALPNProtocols: ['a'] });
    expect(client.connectionInfo?.earlyData).toBe('accepted');
    expect(() => ours.connect({ port, earlyData: early, ALPNProtocols: ['a', 'b'] })).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE' }),
    );
  });

  test('no more leaves early than the server takes', async () => {
    const { port, session } = await echo({ earlyData: { maxBytes: 5 } });
    const [client, answer] = await answerTo(port, { session });
    expect(client.connectionInfo?.earlyData).toBe('accepted');
    expect(answer).toBe('sent at once, and the rest');
  });

  test('Node\u2019s server, which takes none, gets it after the handshake', async () => {
    const { accepted, client } = await connected(nodes, ours, {}, { earlyData: early });
    accepted.pipe(accepted);
    client.end();
    expect(String(await readAll(client))).toBe('sent at once, ');
  });
});

describe('psks', () => {
  const psk = { identity: Buffer.from('sensor'), key: Buffer.alloc(32, 7), hash: 'sha384' } as const;
  const none = { key: undefined, cert: undefined, ca: undefined } as unknown as TlsOptions;

  test('a key with a hash of its own takes the place of certificates', async () => {
    const { client, accepted } = await connected(
      ours,
      ours,
      { ...none, psks: [psk] },
      { psks: [psk], ca: [] },
    );
    expect(client.authorized).toBe(true);
    expect(client.getCipher().name).toBe('TLS_AES_256_GCM_SHA384');
    expect(String(accepted.connectionInfo?.pskIdentity)).toBe('sensor');
  });

  test('a callback is asked for what is not among them', async () => {
    const asked: string[] = [];
    const pskCallback = (_socket: unknown, identity: string): null => {
      asked.push(identity);
      return null;
    };
    const other = { ...psk, identity: Buffer.from('other'), hash: 'sha256' } as const;
    await failing(ours, ours, { ...none, psks: [psk], pskCallback }, { psks: [other], ca: [] });
    expect(asked).toEqual(['other']);
  });
});

describe('ech and echKeys', () => {
  const key = generateEchKey(nodeCrypto, { publicName: 'public.example' });
  const { config } = key;
  const list = Buffer.concat([Buffer.of(config.length >> 8, config.length & 255), config]);
  const both = issue({ names: ['localhost', 'public.example'] });

  test('the name is hidden', async () => {
    const { client, accepted } = await connected(
      ours,
      ours,
      { ...both, echKeys: [key] },
      { ech: { configs: list } },
    );
    expect(client.connectionInfo?.ech).toBe('accepted');
    expect(accepted.servername).toBe('localhost');
  });

  test('a server without keys is refused: the name would show', async () => {
    for (const tls of [ours, nodes]) {
      const { client } = await failing(tls, ours, both, { ech: { configs: list } });
      expect(client?.cause).toMatchObject({ code: 'ech-rejected' });
    }
  });

  test('what is no configuration is the socket\u2019s error, and a server\u2019s when it is made', async () => {
    const client = track(
      ours.connect({ port: await listen(ours.createServer(both)), ech: { configs: list.subarray(3) } }),
    );
    expect(await errorOf(client)).toMatchObject({ cause: { code: 'bad-option' } });
    expect(() => ours.createServer({ ...both, echKeys: [{ ...key, config: list }] })).toThrow(TlsError);
  });

  test('grease harms nobody', async () => {
    for (const tls of [ours, nodes]) {
      const { client } = await connected(tls, ours, {}, { ech: 'grease' });
      expect(client.authorized).toBe(true);
    }
  });
});

describe('postHandshakeAuth', () => {
  test('a server asks for the certificate when it wants one', async () => {
    const { client, accepted } = await connected(
      ours,
      ours,
      { ca, postHandshakeAuth: true },
      { postHandshakeAuth: true, ...clientIdentity },
    );
    client.resume();
    accepted.resume();
    expect(accepted.getPeerCertificate()).toEqual({});
    expect(await new Promise((resolve) => accepted.renegotiate({ requestCert: true }, resolve))).toBeNull();
    expect(accepted.authorized).toBe(true);
    expect(accepted.getPeerX509Certificate()?.subjectAltName).toContain('client.example');
  });

  test('a client that did not offer it is not asked', async () => {
    const { accepted } = await connected(ours, nodes, { ca, postHandshakeAuth: true }, clientIdentity);
    const error = await new Promise((resolve) => accepted.renegotiate({ requestCert: true }, resolve));
    expect(error).toMatchObject({ code: 'ERR_SSL_WRONG_SSL_VERSION' });
  });
});

describe('certificateCompression', () => {
  const names = ours.getCertificateCompressionAlgorithms();

  test.each(names)('%s shortens the certificate', async (name) => {
    const compression = { certificateCompression: [name] };
    const long = issue({ names: ['localhost', ...Array.from({ length: 60 }, (_, i) => `n${i}.example`)] });
    const { client } = await connected(ours, ours, { ...long, ...compression }, compression);
    expect(client.connectionInfo?.certificateCompression?.received).toBe(name);
    expect(client.authorized).toBe(true);
  });

  test('is as in Node where Node has it', async () => {
    const theirs = (nodes as Partial<Tls>).getCertificateCompressionAlgorithms?.();
    if (theirs === undefined) return;
    expect(names).toEqual(theirs);
    for (const name of names) {
      const compression = { certificateCompression: [name] };
      for (const [server, client] of [
        [ours, nodes],
        [nodes, ours],
      ] as const) {
        const both = await connected(server, client, compression, compression);
        expect(both.client.authorized).toBe(true);
      }
    }
  });

  test.each([
    ['no array', 'zlib', 'ERR_INVALID_ARG_TYPE'],
    ['no such algorithm', ['gzip'], 'ERR_INVALID_ARG_VALUE'],
    ['too many', ['zlib', 'zlib', 'zlib', 'zlib'], 'ERR_INVALID_ARG_VALUE'],
  ])('%s is refused', (_case, certificateCompression, code) => {
    const make = (tls: Tls) => () =>
      tls.createSecureContext({ certificateCompression: certificateCompression as never });
    expect(make(ours)).toThrow(expect.objectContaining({ code }));
    if ('getCertificateCompressionAlgorithms' in nodes) {
      expect(make(nodes)).toThrow(expect.objectContaining({ code }));
    }
  });
});

test('dangerouslyExportWithoutExtendedMasterSecret is for the context that names it, and no other one', () => {
  const named = { dangerouslyExportWithoutExtendedMasterSecret: true };
  const has = (context: unknown) => (context as SecureContext).engine;
  expect(has(ours.createSecureContext(named))).toMatchObject(named);
  expect(has(ours.createSecureContext())).not.toMatchObject(named);
});
