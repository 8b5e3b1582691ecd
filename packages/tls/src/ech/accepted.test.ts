import { toLatin1, utf8 } from '@testudo/codec';
import { HpkeAead, HpkeKdf } from '@testudo/crypto';
import { nodeCrypto } from '@testudo/crypto/node';
import { portableCrypto } from '@testudo/crypto/portable';
import { describe, expect, test } from 'vitest';
import { encryptedClientHello } from '../extensions/encrypted-client-hello.ts';
import { hostNameOf, serverName } from '../extensions/server-names.ts';
import { clientHello } from '../messages/client-hello.ts';
import { decodeMessage } from '../messages/handshake-type.ts';
import type { ServerOptions } from '../options/server.ts';
import { TicketKeys } from '../sessions/ticket-keys.ts';
import { echWorld, listOf, type Meeting, meet, PUBLIC_NAME } from '../testing/ech.ts';
import { SERVER_NAME } from '../testing/pki.ts';

const { echClient, echKey, echPki, echServer } = echWorld(nodeCrypto);

// Encrypted Client Hello that the server reads (RFC 9849 §6.1.5, §7).

const key = echKey();
const RETRY = { groups: ['secp384r1'] } as const;

/** Both sides agree that the hidden hello was the one, and can talk. */
function expectAccepted(meeting: Meeting): void {
  meeting.pair.pump();
  const { client, server, pair, errors, sent } = meeting;
  expect(errors).toEqual([]);
  expect([client.info.ech, server.info.ech]).toEqual(['accepted', 'accepted']);
  expect(server.info.serverName).toBe(SERVER_NAME);
  expect(sent).toContain(PUBLIC_NAME);
  expect(sent).not.toContain(SERVER_NAME);
  client.connection.send(utf8('ping'));
  server.connection.send(utf8('pong'));
  pair.pump();
  expect([server.text, client.text]).toEqual(['ping', 'pong']);
}

const outerHello = (raw: Uint8Array) => decodeMessage(clientHello, { type: clientHello.type, raw });

describe('a hello that the server reads', () => {
  const SUITES = Object.entries(HpkeKdf).flatMap(([kdfName, kdf]) =>
    [HpkeAead.aes128Gcm, HpkeAead.aes256Gcm, HpkeAead.chacha20Poly1305].map(
      (aead) => [kdfName, aead, { kdf, aead }] as const,
    ),
  );

  describe.each(['x25519', 'secp256r1'] as const)('with %s', (kem) => {
    test.each(SUITES)('%s and AEAD %s', (_kdf, _aead, suite) => {
      const own = echKey({ kem, cipherSuites: [suite] });
      const meeting = meet(echClient(own), echServer([own]));
      expectAccepted(meeting);
      const ech = outerHello(meeting.hellos[0]!).extensions.get(encryptedClientHello);
      expect(ech).toMatchObject({ type: 'outer', ...suite });
    });

    test('after a HelloRetryRequest', () => {
      const own = echKey({ kem });
      const meeting = meet(echClient(own, { keyShareGroups: ['x25519'] }), echServer([own], RETRY));
      expectAccepted(meeting);
      expect(meeting.client.info.helloRetryRequest).toBe(true);
      expect(meeting.hellos).toHaveLength(2);
    });
  });

  test.each([
    ['portable', 'node'],
    ['node', 'portable'],
  ])('%s client, %s server', (client, server) => {
    const providers = { node: nodeCrypto, portable: portableCrypto } as Record<string, typeof nodeCrypto>;
    expectAccepted(
      meet(
        echClient(key, {
          provider: providers[client]!,
          verifyCertificate: echPki.verifier(providers[client]),
        }),
        echServer([key], server === 'portable' ? portableServer() : {}),
      ),
    );
  });

  test.each([
    ['TLS_AES_128_GCM_SHA256', {}],
    ['TLS_AES_256_GCM_SHA384', {}],
    ['TLS_CHACHA20_POLY1305_SHA256', RETRY],
    ['TLS_AES_256_GCM_SHA384', RETRY],
  ] as const)('the confirmation is made with the hash of %s %j', (suite, more) => {
    const client = echClient(key, { cipherSuites: [suite], keyShareGroups: ['x25519'] });
    expectAccepted(meet(client, echServer([key], more)));
  });

  test('of a client that shows a certificate', () => {
    const meeting = meet(
      echClient(key, { credentials: [echPki.client()] }),
      echServer([key], { clientCertificate: 'require', verifyCertificate: echPki.verifier() }),
    );
    expectAccepted(meeting);
    expect(meeting.server.info.peerCertificates).toHaveLength(1);
  });

  test('hides the protocols, too, and shows others instead if it is told to', () => {
    const options = { alpnProtocols: ['secret/1'] };
    const first = meet(echClient(key, options), echServer([key], options));
    expectAccepted(first);
    expect(first.server.info.alpnProtocol).toBe('secret/1');
    expect(first.sent).not.toContain('secret/1');
    const configs = listOf(key);
    const second = meet(
      echClient({ configs, outerAlpnProtocols: ['h2'] }, options),
      echServer([key], options),
    );
    expectAccepted(second);
    expect(second.sent).toContain('h2');
    expect(second.sent).not.toContain('secret/1');
  });

  test('of a client for an IP address, which has no name to hide', () => {
    const meeting = meet(
      echClient(key, {}, { host: '192.0.2.1' }),
      echServer([key], { credentials: [echPki.server('p256', { name: '192.0.2.1' })] }),
    );
    meeting.pair.pump();
    expect(meeting.errors).toEqual([]);
    expect(meeting.server.info).toMatchObject({ ech: 'accepted', serverName: undefined });
    expect(meeting.sent).toContain(PUBLIC_NAME);
  });

  test('of a client that shapes its hello: GREASE, any order, padding', () => {
    for (let turn = 0; turn < 8; turn++) {
      const options = { grease: true, extensionOrder: 'shuffle', helloPadding: 512 } as const;
      expectAccepted(
        meet(echClient(key, { ...options, keyShareGroups: ['x25519'] }), echServer([key], RETRY)),
      );
      expectAccepted(meet(echClient(key, options), echServer([key])));
    }
  });

  test('with cookies', () => {
    const retryCookies = new (class {
      seal = () => new Uint8Array(20_000).fill(7);
      open = () => undefined;
    })();
    const meeting = meet(echClient(key), echServer([key], { retryCookies }));
    expectAccepted(meeting);
    const second = meeting.hellos[1]!;
    // The cookie is in the outer hello once; the inner one refers to it.
    expect(second.length).toBeGreaterThan(20_000);
    expect(second.length).toBeLessThan(25_000);
  });

  test('the server sees one hello, and its chooser what is in it', () => {
    const seen: unknown[] = [];
    const credentials: ServerOptions['credentials'] = (hello) => {
      seen.push(hello.ech, hello.serverName);
      return [echPki.server()];
    };
    const meeting = meet(echClient(key), echServer([key], { credentials }));
    expectAccepted(meeting);
    expect(seen).toEqual(['accepted', SERVER_NAME]);
  });
});

describe('the outer hello', () => {
  test('has a random of its own, the same session ID, and the public name', () => {
    const meeting = meet(echClient(key, { keyShareGroups: ['x25519'] }), echServer([key], RETRY));
    const [client] = [meeting.client];
    expectAccepted(meeting);
    const [first, second] = meeting.hellos.map(outerHello);
    expect(hostNameOf(first!.extensions.get(serverName)!)).toBe(PUBLIC_NAME);
    expect(second!.random).toEqual(first!.random);
    expect(second!.legacySessionId).toEqual(first!.legacySessionId);
    expect(client.info.helloRetryRequest).toBe(true);
    const [one, two] = [first!, second!].map((hello) => hello.extensions.get(encryptedClientHello));
    expect(one).toMatchObject({ type: 'outer', configId: key.config[4] });
    expect(two).toMatchObject({ type: 'outer', configId: key.config[4], enc: new Uint8Array(0) });
  });

  test.each([
    [
      'a name of 1 to 64 letters',
      64,
      (length: number) => `${'a'.repeat(length - 8)}.example`,
      [9, 20, 40, 64],
    ],
    ['an address instead of a name', 64, (length: number) => `192.0.2.${length}`, [1, 20]],
  ])('is as long for each: %s', (_what, maximumNameLength, name, lengths) => {
    const own = echKey({ maximumNameLength });
    const sizes = lengths.map((length) => helloSize(own, name(length)));
    expect(new Set(sizes).size).toBe(1);
  });

  test('a name that is longer than the longest makes it longer', () => {
    const own = echKey({ maximumNameLength: 20 });
    expect(helloSize(own, `${'a'.repeat(60)}.example`)).toBeGreaterThan(helloSize(own, 'a.example'));
  });

  test('payload is a multiple of 32 bytes, and the tag', () => {
    for (const name of ['a.example', 'ab.example', 'abc.example', `${'a'.repeat(50)}.example`]) {
      const meeting = meet(echClient(key, {}, { host: name }), echServer([key]));
      meeting.pair.pump();
      const ech = outerHello(meeting.hellos[0]!).extensions.get(encryptedClientHello) as {
        payload: Uint8Array;
      };
      expect((ech.payload.length - 16) % 32).toBe(0);
    }
  });

  function helloSize(own: typeof key, host: string): number {
    const meeting = meet(echClient(own, {}, { host }), echServer([own]));
    meeting.pair.pump();
    return meeting.hellos[0]!.length;
  }
});

describe('sessions', () => {
  const world = () => ({ tickets: new TicketKeys(nodeCrypto), earlyData: { maxBytes: 100 } });

  test.each([{}, RETRY])('are resumed with a hidden hello: %j', (more) => {
    const options = { ...world(), ...more };
    const first = meet(echClient(key, { keyShareGroups: ['x25519'] }), echServer([key], options));
    expectAccepted(first);
    const [session] = first.client.sessions;
    const again = meet(
      echClient(key, { keyShareGroups: ['x25519'] }, { session }),
      echServer([key], options),
    );
    expectAccepted(again);
    expect(again.server.info.resumed).toBe(true);
    // What an observer sees is a PSK, but not the one.
    const shown = outerHello(again.hellos[0]!);
    expect(shown.extensions.ids.at(-1)).toBe(41);
    expect(again.sent).not.toContain(toLatin1(session!.ticket));
  });

  test('with early data', () => {
    const options = world();
    const first = meet(echClient(key), echServer([key], options));
    expectAccepted(first);
    const [session] = first.client.sessions;
    const again = meet(echClient(key, {}, { session, earlyData: true }), echServer([key], options));
    again.client.connection.sendEarlyData(utf8('early'));
    expectAccepted(again);
    expect(again.client.info.earlyData).toBe('accepted');
    expect(String.fromCharCode(...again.server.earlyData[0]!)).toBe('early');
  });

  test('with early data that a retry refuses', () => {
    const options = world();
    const first = meet(echClient(key), echServer([key], options));
    expectAccepted(first);
    const [session] = first.client.sessions;
    const again = meet(
      echClient(key, { keyShareGroups: ['x25519'] }, { session, earlyData: true }),
      echServer([key], { ...options, ...RETRY }),
    );
    again.client.connection.sendEarlyData(utf8('early'));
    expectAccepted(again);
    expect(again.client.info).toMatchObject({ earlyData: 'rejected', resumed: true });
    expect(again.server.earlyData).toEqual([]);
  });

  test('of a handshake without ECH are resumed with it, and the other way round', () => {
    const options = world();
    const first = meet(echClient(undefined), echServer([key], options));
    first.pair.pump();
    const hidden = meet(echClient(key, {}, { session: first.client.sessions[0] }), echServer([key], options));
    expectAccepted(hidden);
    expect(hidden.client.info.resumed).toBe(true);
    const open = meet(
      echClient(undefined, {}, { session: hidden.client.sessions[0] }),
      echServer([key], options),
    );
    open.pair.pump();
    expect(open.client.info).toMatchObject({ resumed: true, ech: 'none' });
  });

  test('external keys are hidden, too', () => {
    const psk = { identity: utf8('somebody'), key: new Uint8Array(32).fill(9) };
    const meeting = meet(echClient(key, { psks: [psk] }), echServer([key], { findPsk: () => psk }));
    expectAccepted(meeting);
    expect(meeting.server.info.pskIdentity).toEqual(psk.identity);
    expect(meeting.sent).not.toContain('somebody');
  });
});

describe('of several keys', () => {
  const keys = [echKey({ configId: 1 }), echKey({ configId: 2, kem: 'secp256r1' }), echKey({ configId: 3 })];

  test.each([0, 1, 2])('each is found: %i', (index) => {
    expectAccepted(meet(echClient(keys[index]!), echServer(keys)));
  });

  test('two with one number are both tried', () => {
    const [one, two] = [echKey({ configId: 7 }), echKey({ configId: 7 })];
    expectAccepted(meet(echClient(one), echServer([one, two])));
    expectAccepted(meet(echClient(two), echServer([one, two])));
  });

  test('one that is no longer told to clients still works', () => {
    const old = { ...keys[0]!, isRetry: false };
    expectAccepted(meet(echClient(old), echServer([old, keys[1]!])));
  });

  test('the client takes the first that it can do', () => {
    const unknownKem = echKey();
    unknownKem.config[6] = 0x7f;
    const configs = listOf(unknownKem, keys[1]!, keys[0]!);
    const meeting = meet(echClient({ configs }), echServer(keys));
    expectAccepted(meeting);
    const ech = outerHello(meeting.hellos[0]!).extensions.get(encryptedClientHello);
    expect(ech).toMatchObject({ configId: 2 });
  });
});

function portableServer(): Partial<ServerOptions> {
  return { provider: portableCrypto, credentials: [echPki.server('p256', { provider: portableCrypto })] };
}
