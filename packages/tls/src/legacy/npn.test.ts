import { concat, decode, encode, utf8 } from '@testudo/codec';
import { nodeCrypto } from '@testudo/crypto/node';
import { describe, expect, test } from 'vitest';
import { clientConfig } from '../config/client.ts';
import { serverConfig } from '../config/server.ts';
import { extensions } from '../extensions/block.ts';
import { nextProtocolNegotiation } from '../extensions/next-protocol.ts';
import { clientHello } from '../messages/client-hello.ts';
import { decodeMessage, encodeMessage, type RawMessage } from '../messages/handshake-type.ts';
import { nextProtocol } from '../messages/next-protocol.ts';
import type { ClientOptions } from '../options/client.ts';
import type { ServerOptions } from '../options/server.ts';
import { MemorySessionStore } from '../sessions/session-store.ts';
import { TicketKeys } from '../sessions/ticket-keys.ts';
import { echWorld, meet as meetEch, PUBLIC_NAME } from '../testing/ech.ts';
import { clientEnd, serverEnd } from '../testing/end.ts';
import { Pair } from '../testing/pair.ts';
import { TestPki } from '../testing/pki.ts';
import type { VersionName } from '../versions.ts';
import { legacy, npnClient, npnServer } from './index.ts';

const pki = new TestPki(nodeCrypto);
const provider = nodeCrypto;
const OURS = npnClient(['spdy/3', 'http/1.1']);
const THEIRS = npnServer(['spdy/2', 'http/1.1', 'spdy/3']);

function newPair(
  client: Partial<ClientOptions> = {},
  server: Partial<ServerOptions> = {},
  session?: Pair['client']['sessions'][number],
): Pair {
  const verifyCertificate = pki.verifier();
  const credentials = [pki.server()];
  return new Pair(
    clientEnd(clientConfig({ provider, verifyCertificate, maxVersion: 'TLSv1.2', npn: OURS, ...client }), {
      session,
    }),
    serverEnd(serverConfig({ provider, credentials, verifyCertificate, npn: THEIRS, ...server })),
  );
}

function meet(...parts: Parameters<typeof newPair>): Pair {
  const pair = newPair(...parts).pump();
  expect([pair.client.errors, pair.server.errors]).toEqual([[], []]);
  return pair;
}

/** What both sides say that was agreed on: one thing. */
function agreed({ client, server }: Pair): string | undefined {
  expect(server.info.npnProtocol).toBe(client.info.npnProtocol);
  return client.info.npnProtocol;
}

describe('what is on the wire', () => {
  const hello = extensions('server_hello_12');
  const body = (...bytes: number[]) =>
    Uint8Array.of(0, bytes.length + 4, 0x33, 0x74, 0, bytes.length, ...bytes);

  test('the server’s list: names, each with its length', () => {
    const bytes = body(8, ...utf8('http/1.1'), 6, ...utf8('spdy/3'));
    const block = decode(hello, bytes);
    expect(block.get(nextProtocolNegotiation)).toEqual(['http/1.1', 'spdy/3']);
    expect(encode(hello, block)).toEqual(bytes);
    expect(decode(hello, body()).get(nextProtocolNegotiation)).toEqual([]);
  });

  test.each([
    ['an empty name', [0]],
    ['a name that is cut off', [3, 97, 98]],
    ['a list with a length before it', [0, 2, 1, 97]],
  ])('%s is refused', (_what, bytes) => {
    expect(() => decode(hello, body(...bytes)).get(nextProtocolNegotiation)).toThrow();
  });

  test('an offer is empty', () => {
    const block = extensions('client_hello');
    expect(decode(block, body()).get(nextProtocolNegotiation)).toBeNull();
    expect(() => decode(block, body(1, 97)).get(nextProtocolNegotiation)).toThrow();
  });

  test.each([
    ['', 30],
    ['http/1.1', 22],
    ['x'.repeat(29), 1],
    ['x'.repeat(30), 32],
    ['x'.repeat(255), 31],
  ])('NextProtocol with %o has %i bytes of padding', (protocol, padding) => {
    const raw = encodeMessage(nextProtocol, protocol);
    const { length } = protocol;
    const bytes = concat(
      Uint8Array.of(length),
      utf8(protocol),
      Uint8Array.of(padding),
      new Uint8Array(padding),
    );
    expect(raw).toEqual(concat(Uint8Array.of(67, 0, bytes.length >> 8, bytes.length & 0xff), bytes));
    expect(bytes.length % 32).toBe(0);
    expect(decodeMessage(nextProtocol, { type: 67, raw })).toBe(protocol);
  });
});

describe('a client and a server', () => {
  test('agree on the first of the server’s list that the client has', () => {
    const pair = meet();
    expect(agreed(pair)).toBe('http/1.1');
    expect([pair.client.info.alpnProtocol, pair.server.info.alpnProtocol]).toEqual([undefined, undefined]);
    const { log } = pair.client;
    const at = log.indexOf('sent next_protocol');
    expect(log.slice(at - 2, at + 2)).toEqual([
      'sent ccs',
      'keys sent application',
      'sent next_protocol',
      'sent finished',
    ]);
  });

  test.each([
    ['nothing in common: the client’s first', OURS, npnServer(['h2']), 'spdy/3'],
    ['a server that names none', OURS, npnServer([]), 'spdy/3'],
    ['a client that chooses by itself', npnClient((offered) => offered.at(-1)!), THEIRS, 'spdy/3'],
    ['a client that wants none', npnClient(() => ''), THEIRS, ''],
    ['a name of any bytes', npnClient(['\xff\x00']), THEIRS, '\xff\x00'],
  ])('%s', (_what, client, server, protocol) => {
    expect(agreed(meet({ npn: client }, { npn: server }))).toBe(protocol);
  });

  test.each(['SSLv3', 'TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'] satisfies VersionName[])(
    'in %s',
    (version) => {
      const old = { legacy, minVersion: version, maxVersion: version } as const;
      const suites =
        version === 'TLSv1.3' ? {} : { cipherSuites: ['ECDHE-ECDSA-AES128-SHA', 'DHE-RSA-AES128-SHA'] };
      const credentials = [pki.server(), pki.server('rsa')];
      const schemes = {
        signatureSchemes: ['rsa_pkcs1_sha256', 'ecdsa_secp256r1_sha256', 'rsa_pss_rsae_sha256'],
      };
      const pair = meet({ ...old, ...suites, ...schemes }, { ...old, ...suites, ...schemes, credentials });
      expect(pair.client.info.version).toBe(version);
      const has = version !== 'SSLv3' && version !== 'TLSv1.3';
      expect(agreed(pair)).toBe(has ? 'http/1.1' : undefined);
    },
  );

  test.each([
    ['the client does not know it', { npn: undefined }, {}],
    ['the server does not know it', {}, { npn: undefined }],
    ['ALPN decides', { alpnProtocols: ['h2'] }, { alpnProtocols: ['h2'] }],
    ['TLS 1.3 is spoken, whatever was offered', { maxVersion: 'TLSv1.3' }, {}],
  ] as const)('do without it where %s', (_what, client, server) => {
    const pair = meet(client, server);
    expect(agreed(pair)).toBeUndefined();
    expect(pair.client.log).not.toContain('sent next_protocol');
  });

  test('use it where ALPN decides nothing', () => {
    expect(agreed(meet({ alpnProtocols: ['h2'] }))).toBe('http/1.1');
    expect(agreed(meet({ alpnProtocols: ['h2'] }, { alpnProtocols: () => null }))).toBe('http/1.1');
  });

  test.each([
    ['a ticket', { tickets: new TicketKeys(provider) }],
    ['an ID', { sessionStore: new MemorySessionStore() }],
  ])('negotiate anew when they resume by %s', (_how, options) => {
    const first = meet({}, options);
    const again = meet({ npn: npnClient(['other']) }, options, first.client.sessions[0]);
    expect([again.client.info.resumed, agreed(again)]).toEqual([true, 'other']);
    const without = meet({ npn: undefined }, options, first.client.sessions[0]);
    expect([without.client.info.resumed, agreed(without)]).toEqual([true, undefined]);
  });

  test('keep what they have when they renegotiate, and do not negotiate it again', () => {
    const pair = meet({ renegotiation: true }, { renegotiation: true });
    for (const side of [pair.client, pair.server]) side.log.length = 0;
    pair.client.connection.renegotiate();
    pair.pump();
    expect([pair.client.errors, pair.server.errors]).toEqual([[], []]);
    expect(pair.client.changes[0]).toMatchObject({ renegotiated: true, npnProtocol: 'http/1.1' });
    expect(pair.server.changes[0]).toMatchObject({ renegotiated: true, npnProtocol: 'http/1.1' });
    expect(pair.client.log).toContain('sent finished');
    expect(pair.client.log).not.toContain('sent next_protocol');
  });

  test('start falsely with it', () => {
    const pair = newPair({ falseStart: true });
    pair.carry('client');
    pair.carry('server');
    expect(pair.client.falseStarts[0]).toMatchObject({ npnProtocol: 'http/1.1' });
    pair.client.connection.send(utf8('early'));
    expect(pair.pump().server.text).toBe('early');
  });
});

describe('an offer', () => {
  const offers = (options: Partial<ClientOptions>) => {
    const messages: RawMessage[] = [];
    const { client } = newPair({ ...options });
    const raw = client.take().subarray(5);
    messages.push({ type: 1, raw });
    return decodeMessage(clientHello, messages[0]!).extensions.hasId(13172);
  };
  const OLD = {
    legacy,
    minVersion: 'SSLv3',
    maxVersion: 'SSLv3',
    cipherSuites: ['DHE-RSA-AES128-SHA'],
  } as const;

  test.each([
    ['TLS 1.2', {}, true],
    ['TLS 1.2 and 1.3', { maxVersion: 'TLSv1.3' }, true],
    ['TLS 1.3', { minVersion: 'TLSv1.3', maxVersion: 'TLSv1.3' }, false],
    ['SSL 3.0', OLD, false],
    ['nobody who was not given it', { npn: undefined }, false],
  ] as const)('for %s: %s', (_what, options, expected) => {
    expect(offers(options)).toBe(expected);
  });

  test('with ECH is in neither hello', () => {
    const { echClient, echKey, echPki, echServer } = echWorld(provider);
    const credentials = () => [echPki.server('p256', { name: PUBLIC_NAME })];
    const server = echServer(undefined, { credentials, maxVersion: 'TLSv1.2', npn: THEIRS });
    const { client, pair } = meetEch(echClient(echKey(), { npn: OURS }), server);
    pair.pump();
    expect(client.errors[0]?.code).toBe('ech-rejected');
    expect(client.log).not.toContain('sent next_protocol');
  });

  test('names must fit', () => {
    for (const names of [[''], ['x'.repeat(256)], ['a', '']]) {
      expect(() => npnClient(names)).toThrow('1 to 255');
      expect(() => npnServer(names)).toThrow('1 to 255');
    }
    expect(() => npnClient([])).toThrow('at least one');
    expect(() =>
      clientConfig({
        provider,
        verifyCertificate: pki.verifier(),
        customExtensions: [{ id: 13172 } as never],
      }),
    ).toThrow('next_protocol_negotiation');
  });
});
