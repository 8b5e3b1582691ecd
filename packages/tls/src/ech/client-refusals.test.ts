import { nodeCrypto } from '@testudo/crypto/node';
import { describe, expect, test } from 'vitest';
import { encryptedClientHello } from '../extensions/encrypted-client-hello.ts';
import { earlyData, preSharedKey } from '../extensions/pre-shared-key.ts';
import { TicketKeys } from '../sessions/ticket-keys.ts';
import { type ClientEnds, echWorld, listOf, meet, PUBLIC_NAME } from '../testing/ech.ts';
import { acceptEch, sendConfirmation } from '../testing/ech-puppet-server.ts';
import { outcomeOf, refused } from '../testing/puppet.ts';
import { PuppetServer13 } from '../testing/puppet-server13.ts';

const { echClient, echKey, echPki, echServer } = echWorld(nodeCrypto);

// What a client that hides its hello must not take from a server (RFC 9849 §5, §6.1).

const key = echKey();
const P384 = 0x0018;

function puppet(ends: ClientEnds = {}): PuppetServer13 {
  const client = echClient(key, { keyShareGroups: ['x25519'] }, ends);
  return new PuppetServer13(nodeCrypto, client, echPki.server('p256', { name: PUBLIC_NAME }));
}

describe('a server that has read the hello', () => {
  /** Its certificate is for the hidden name. */
  function accepting(): PuppetServer13 {
    const client = echClient(key);
    const server = new PuppetServer13(nodeCrypto, client, echPki.server());
    acceptEch(server, key);
    return sendConfirmation(server);
  }

  test('may go on', () => {
    const server = accepting();
    server.send(server.encryptedExtensions(), server.certificate());
    server.send(server.certificateVerify(), server.finished());
    expect(server.end.errors).toEqual([]);
    expect(server.end.info.ech).toBe('accepted');
  });

  test('must not send configurations to try again with', () => {
    const server = accepting();
    server.send(server.encryptedExtensions((block) => block.set(encryptedClientHello, listOf(key))));
    expect(outcomeOf(server)).toEqual(refused('unsolicited-extension'));
  });

  test('must show a certificate for the hidden name', () => {
    const client = echClient(key);
    const server = new PuppetServer13(nodeCrypto, client, echPki.server('p256', { name: PUBLIC_NAME }));
    acceptEch(server, key);
    sendConfirmation(server);
    server.send(server.encryptedExtensions(), server.certificate(), server.certificateVerify());
    expect(outcomeOf(server)).toEqual(refused('bad-certificate'));
  });
});

describe('a server that has read the first hello must read the second one', () => {
  test.each([
    [
      'one bit of its confirmation is wrong',
      (serverHello: Uint8Array) => (serverHello[5 + 4 + 2 + 31]! ^= 1),
    ],
    ['it confirms nothing', (serverHello: Uint8Array) => serverHello.fill(9, 5 + 4 + 2 + 24, 5 + 4 + 2 + 32)],
  ])('%s', (_what, spoil) => {
    let flight = 0;
    const client = echClient(key, { keyShareGroups: ['x25519'] });
    const meeting = meet(client, echServer([key], { groups: ['secp384r1'] }), (bytes, from) => {
      if (from === 'client' || ++flight !== 2) return bytes;
      const copy = new Uint8Array(bytes);
      spoil(copy);
      return copy;
    });
    meeting.pair.pump();
    expect(client.errors).toMatchObject([{ code: 'illegal-parameter' }]);
    expect(meeting.server.errors).toMatchObject([{ receivedAlert: 'illegal_parameter' }]);
  });

  test('a confirmation in HelloRetryRequest with one wrong bit is a rejection', () => {
    const client = echClient(key, { keyShareGroups: ['x25519'] });
    const server = new PuppetServer13(nodeCrypto, client, echPki.server('p256', { name: PUBLIC_NAME }));
    server.sendRetry(P384, ({ extensions }) => {
      extensions.setRaw(encryptedClientHello.id, new Uint8Array(8).fill(1));
    });
    expect(server.hello.extensions.get(encryptedClientHello)).toMatchObject({ type: 'outer' });
    server.upTo('done');
    expect(outcomeOf(server)).toEqual(refused('ech-rejected'));
  });
});

describe('a server that has not read the hello', () => {
  test('may send configurations of other versions: then it has none for this client', () => {
    const other = Uint8Array.of(0, 6, 0xfe, 0x0e, 0, 2, 1, 2);
    const server = puppet().sendServerHello();
    server.send(server.encryptedExtensions((block) => block.set(encryptedClientHello, other)));
    server.send(server.certificate(), server.certificateVerify(), server.finished());
    expect(server.end.errors).toMatchObject([{ code: 'ech-rejected', retryConfigs: undefined }]);
  });

  test('gets no Finished for nothing: a wrong one is an error, and its configurations are forgotten', () => {
    const server = puppet().sendServerHello();
    server.send(server.encryptedExtensions((block) => block.set(encryptedClientHello, listOf(key))));
    server.send(server.certificate(), server.certificateVerify());
    server.send(server.finished((data) => data.map((byte) => byte ^ 1)));
    expect(server.end.errors[0]!.retryConfigs).toBeUndefined();
    expect(outcomeOf(server)).toEqual(refused('bad-finished'));
  });

  test('a signature that is wrong is an error', () => {
    const server = puppet().sendServerHello();
    server.send(server.encryptedExtensions((block) => block.set(encryptedClientHello, listOf(key))));
    server.send(server.certificate(), server.certificateVerify({ transcriptHash: new Uint8Array(32) }));
    expect(server.end.errors[0]!.retryConfigs).toBeUndefined();
    expect(outcomeOf(server)).toEqual(refused('bad-signature'));
  });

  test.each([
    ['an empty list', Uint8Array.of(0, 0)],
    ['a list that ends early', listOf(key).subarray(0, 40)],
    ['bytes after the list', Uint8Array.from([...listOf(key), 0])],
    ['a configuration of this version that is none', Uint8Array.of(0, 6, 0xfe, 0x0d, 0, 2, 1, 2)],
    ['nothing', new Uint8Array(0)],
  ])('must not send %s', (_what, list) => {
    const server = puppet().sendServerHello();
    server.send(server.encryptedExtensions((block) => block.set(encryptedClientHello, list)));
    expect(outcomeOf(server)).toEqual(refused('malformed-message'));
  });

  test.each([0, 7, 9])('must not confirm with %i bytes', (length) => {
    const server = puppet();
    const [first] = server.messages;
    const extension = [0xfe, 0x0d, 0, length, ...new Array(length).fill(1)];
    const extensions = [0, 43, 0, 2, 3, 4, 0, 51, 0, 2, 0, P384, ...extension];
    server.send(retry(first!.raw.subarray(39, 71), extensions));
    expect(outcomeOf(server)).toEqual(refused('malformed-message'));
  });

  test('must not take a PSK that only looks like one', () => {
    const tickets = new TicketKeys(nodeCrypto);
    const before = meet(echClient(key), echServer([key], { tickets }));
    before.pair.pump();
    const server = puppet({ session: before.client.sessions[0] });
    expect(server.hello.extensions.has(preSharedKey)).toBe(true);
    server.sendServerHello(({ extensions }) => void extensions.set(preSharedKey as never, 0 as never));
    expect(outcomeOf(server)).toMatchObject({ state: 'failed', codes: ['illegal-parameter'] });
  });

  test('must not take early data', () => {
    const tickets = new TicketKeys(nodeCrypto);
    const before = meet(echClient(key), echServer([key], { tickets, earlyData: { maxBytes: 99 } }));
    before.pair.pump();
    const server = puppet({ session: before.client.sessions[0], earlyData: true });
    expect(server.hello.extensions.has(earlyData)).toBe(true);
    server.sendServerHello();
    server.send(server.encryptedExtensions((block) => block.set(earlyData, null)));
    expect(outcomeOf(server)).toMatchObject({ state: 'failed', codes: ['illegal-parameter'] });
  });

  test('must not confirm with an extension in ServerHello', () => {
    const server = puppet();
    server.sendServerHello(
      ({ extensions }) => void extensions.setRaw(encryptedClientHello.id, new Uint8Array(8)),
    );
    expect(outcomeOf(server)).toMatchObject({ state: 'failed', codes: ['misplaced-extension'] });
  });
});

describe('a client that sent no encrypted_client_hello', () => {
  const plain = () =>
    new PuppetServer13(nodeCrypto, echClient(undefined, { keyShareGroups: ['x25519'] }), echPki.server());

  test('gets no configurations', () => {
    const server = plain().sendServerHello();
    server.send(server.encryptedExtensions((block) => block.set(encryptedClientHello, listOf(key))));
    expect(outcomeOf(server)).toEqual(refused('unsolicited-extension'));
  });

  test('gets no confirmation', () => {
    const server = plain();
    server.sendRetry(P384, ({ extensions }) => {
      extensions.setRaw(encryptedClientHello.id, new Uint8Array(8));
    });
    expect(outcomeOf(server)).toEqual(refused('unsolicited-extension'));
  });
});

/** A HelloRetryRequest of these extensions. */
function retry(sessionId: Uint8Array, extensions: readonly number[]): Uint8Array {
  const random = Buffer.from('cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c', 'hex');
  const body = [3, 3, ...random, 32, ...sessionId, 0x13, 1, 0, 0, extensions.length, ...extensions];
  return Uint8Array.of(2, 0, 0, body.length, ...body);
}
