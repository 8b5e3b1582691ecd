import { nodeCrypto } from '@testudo/crypto/node';
import { describe, expect, test } from 'vitest';
import { encryptedClientHello, type OuterEch } from '../extensions/encrypted-client-hello.ts';
import { clientHello } from '../messages/client-hello.ts';
import { decodeMessage } from '../messages/handshake-type.ts';
import type { ClientOptions } from '../options/client.ts';
import type { ServerOptions } from '../options/server.ts';
import { TicketKeys } from '../sessions/ticket-keys.ts';
import { echWorld, listOf, type Meeting, meet } from '../testing/ech.ts';
import { SERVER_NAME } from '../testing/pki.ts';
import { outcomeOf, refused } from '../testing/puppet.ts';
import { PuppetServer13 } from '../testing/puppet-server13.ts';

const { echClient, echKey, echPki, echServer } = echWorld(nodeCrypto);

// An encrypted_client_hello that means nothing (RFC 9849 §6.2).

const key = echKey();
const RETRY = { groups: ['secp384r1'] } as const;

function greased(client: Partial<ClientOptions> = {}, server: Partial<ServerOptions> = {}): Meeting {
  const keys = 'echKeys' in server ? server.echKeys : [key];
  const meeting = meet(
    echClient('grease', { keyShareGroups: ['x25519'], ...client }),
    echServer(keys, server),
  );
  meeting.pair.pump();
  return meeting;
}

const shown = (raw: Uint8Array): OuterEch =>
  decodeMessage(clientHello, { type: clientHello.type, raw }).extensions.get(
    encryptedClientHello,
  ) as OuterEch;

describe('GREASE', () => {
  test.each([
    ['with ECH', {}],
    ['with ECH, after a HelloRetryRequest', RETRY],
    ['without ECH', { echKeys: undefined }],
    ['without ECH, after a HelloRetryRequest', { ...RETRY, echKeys: undefined }],
    ['of TLS 1.2', { maxVersion: 'TLSv1.2', echKeys: undefined }],
  ] as const)('changes nothing at a server %s', (_what, options) => {
    const meeting = greased({}, options);
    expect(meeting.errors).toEqual([]);
    expect(meeting.client.info).toMatchObject({ ech: 'grease', serverName: SERVER_NAME });
    expect(['grease', 'rejected']).toContain(meeting.server.info.ech);
  });

  test('is the same in the second hello', () => {
    const { hellos } = greased({}, RETRY);
    expect(hellos).toHaveLength(2);
    expect(shown(hellos[1]!)).toEqual(shown(hellos[0]!));
  });

  test('is another in each connection, for every suite in turn', () => {
    const all = Array.from({ length: 40 }, () => shown(greased({}, RETRY).hellos[0]!));
    expect(new Set(all.map(({ aead }) => aead))).toEqual(new Set([1, 2, 3]));
    expect(new Set(all.map(({ configId }) => configId)).size).toBeGreaterThan(20);
    expect(new Set(all.map(({ enc }) => String(enc))).size).toBe(40);
    for (const { type, kdf, enc } of all) expect([type, kdf, enc.length]).toEqual(['outer', 1, 32]);
  });

  test.each([
    ['no options', {}],
    ['protocols', { alpnProtocols: ['h2', 'http/1.1'] }],
    ['other groups', { groups: ['x25519', 'secp256r1'] }],
    ['two shares', { keyShareGroups: ['x25519', 'secp256r1'] }],
    ['no OCSP', { requestOcsp: false }],
  ] as const)('is as long as an encrypted hello would be: %s', (_what, options) => {
    const hidden = meet(echClient(key, { keyShareGroups: ['x25519'], ...options }), echServer([key]));
    hidden.pair.pump();
    const length = shown(greased(options).hellos[0]!).payload.length;
    expect(length).toBe(shown(hidden.hellos[0]!).payload.length);
  });

  test('is as long as an encrypted hello would be: a session to resume', () => {
    const options = { tickets: new TicketKeys(nodeCrypto) };
    const before = meet(echClient('grease'), echServer([key], options));
    before.pair.pump();
    const [session] = before.client.sessions;
    const [real, grease] = ([key, 'grease'] as const).map((ech) => {
      const meeting = meet(echClient(ech, {}, { session }), echServer([key], options));
      meeting.pair.pump();
      expect(meeting.client.info.resumed).toBe(true);
      return shown(meeting.hellos[0]!).payload.length;
    });
    expect(grease).toBe(real);
  });

  test('is not sent by a client that speaks TLS 1.2 only', () => {
    const meeting = greased({ maxVersion: 'TLSv1.2', keyShareGroups: undefined });
    expect(meeting.client.info).toMatchObject({ version: 'TLSv1.2', ech: 'none' });
    expect(shown(meeting.hellos[0]!)).toBeUndefined();
  });
});

describe('a server that answers GREASE', () => {
  function puppet(): PuppetServer13 {
    return new PuppetServer13(nodeCrypto, echClient('grease'), echPki.server()).sendServerHello();
  }

  test('with configurations is not listened to', () => {
    const server = puppet();
    server.send(server.encryptedExtensions((block) => block.set(encryptedClientHello, listOf(key))));
    server.send(server.certificate(), server.certificateVerify(), server.finished());
    expect(server.end.errors).toEqual([]);
    expect(server.end.info.ech).toBe('grease');
  });

  test.each([
    ['an empty list', Uint8Array.of(0, 0)],
    ['half a list', listOf(key).subarray(0, 40)],
    ['bytes after the list', Uint8Array.from([...listOf(key), 0])],
  ])('with %s is refused', (_what, list) => {
    const server = puppet();
    server.send(server.encryptedExtensions((block) => block.set(encryptedClientHello, list)));
    expect(outcomeOf(server)).toEqual(refused('malformed-message'));
  });

  test('in HelloRetryRequest is not listened to', () => {
    const server = new PuppetServer13(
      nodeCrypto,
      echClient('grease', { keyShareGroups: ['x25519'] }),
      echPki.server(),
    );
    server.sendRetry(0x0018, ({ extensions }) => {
      extensions.setRaw(encryptedClientHello.id, new Uint8Array(8));
    });
    server.upTo('done');
    expect(server.end.errors).toEqual([]);
    expect(server.end.info).toMatchObject({ ech: 'grease', helloRetryRequest: true });
  });
});
