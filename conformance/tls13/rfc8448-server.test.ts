import { concat, toHex } from '@testudo/codec';
import { nodeCrypto } from '@testudo/crypto/node';
import { serverConfig } from '@testudo/tls';
import { describe, expect, test } from 'vitest';
import {
  certificate13,
  certificateRequest13,
  certificateVerify,
  cipherSuite13,
  clientHello,
  decodeMessage,
  type ExtensionBlock,
  encodeMessage,
  encryptedExtensions,
  finishedData,
  KeySchedule,
  keyShare,
  serverEnd,
  serverHello,
  splitRecords,
  TestPki,
} from '#tls/testing';
import { openRecord, schedules, sealRecord, serverMessages } from './trace-keys.ts';
import { bytes, content, type TraceName, trace, withKeys } from './traces.ts';

// The server's side of RFC 8448. Its EncryptedExtensions hold what we do not send, so whole flights cannot be
// ours; hellos, codecs, key schedule and record protection can.

const NAMES: TraceName[] = ['simple', 'resumed', 'retry', 'clientAuthentication', 'compatibility'];
/** RFC 8448 §3 and §4: the key that the ticket stands for. */
const PSK = Uint8Array.from(
  Buffer.from('4ecd0eb6ec3b4d87f5d6028f922ca4c5851a277fd41311c9e62d2c9492e1c4f3', 'hex'),
);
const pskOf = (name: TraceName) => (name === 'resumed' ? PSK : undefined);
const HANDSHAKE = 22;
const APPLICATION_DATA = 23;
const ALERT = 21;
const pki = new TestPki(nodeCrypto);

describe.each(NAMES)('the trace "%s"', (name) => {
  const from = trace(name);
  const records = splitRecords(bytes(from, 'serverFlight'));

  test("protects the server's flight as ours does", () => {
    const keys = schedules(nodeCrypto, from, pskOf(name));
    expect(toHex(sealRecord(keys.serverHandshake(), HANDSHAKE, serverMessages(from)))).toBe(
      toHex(records.at(-1)!),
    );
  });

  test('protects what the server sends afterwards as ours does', () => {
    const sealer = schedules(nodeCrypto, from, pskOf(name)).serverApplication();
    // A ticket is the first record in §3; its plaintext is what our client read.
    if ('newSessionTicket' in from) sealer.sequence = 1;
    if ('serverData' in from) {
      const data = Uint8Array.from({ length: 50 }, (_, i) => i);
      expect(toHex(sealRecord(sealer, APPLICATION_DATA, data))).toBe(from.serverData);
    }
    expect(toHex(sealRecord(sealer, ALERT, Uint8Array.of(1, 0)))).toBe(from.serverCloseNotify);
  });

  test('has the Finished of the server', () => {
    const keys = schedules(nodeCrypto, from, pskOf(name));
    const whole = serverMessages(from);
    const hash = nodeCrypto.hash('sha256');
    for (const part of hellos()) hash.update(part);
    hash.update(whole.subarray(0, whole.length - 36));
    const expected = finishedData(nodeCrypto, 'sha256', keys.secrets.serverHandshake, hash.digest());
    expect(toHex(expected)).toBe(toHex(whole.subarray(whole.length - 32)));
  });

  function hellos(): Uint8Array[] {
    const first = content(from, 'clientHello');
    if (name !== 'retry') return [first, content(from, 'serverHello')];
    const digest = nodeCrypto.digest('sha256', first);
    const replaced = concat(Uint8Array.of(254, 0, 0, 32), digest);
    return [
      replaced,
      ...['helloRetryRequest', 'secondClientHello', 'serverHello'].map((part) => content(from, part)),
    ];
  }

  test('is made of messages that our codecs write as they read them', () => {
    for (const part of ['clientHello', 'secondClientHello'].filter((part) => part in from)) {
      const raw = content(from, part);
      expect(toHex(encodeMessage(clientHello, decodeMessage(clientHello, { type: 1, raw })))).toBe(
        toHex(raw),
      );
    }
    for (const part of ['serverHello', 'helloRetryRequest'].filter((part) => part in from)) {
      const raw = content(from, part);
      expect(toHex(encodeMessage(serverHello, decodeMessage(serverHello, { type: 2, raw })))).toBe(
        toHex(raw),
      );
    }
    for (const [part, message] of [
      ['encryptedExtensions', encryptedExtensions],
      ['certificateRequest', certificateRequest13],
      ['certificate', certificate13],
      ['certificateVerify', certificateVerify],
    ] as const) {
      if (!(part in from)) continue;
      const raw = bytes(from, part);
      const value = decodeMessage(message as typeof certificate13, { type: raw[0]!, raw });
      expect(toHex(encodeMessage(message as typeof certificate13, value))).toBe(toHex(raw));
    }
  });

  test('begins with a ClientHello that our server answers with the same choices and the same share', () => {
    const provider = withKeys(nodeCrypto, [from.serverPrivateKey]);
    const groups = name === 'retry' ? ['secp256r1'] : ['x25519'];
    const server = serverEnd(serverConfig({ provider, groups, credentials: [pki.server()] }));
    server.connection.start();
    server.connection.receive(bytes(from, 'clientHello'));
    let answer = splitRecords(server.take());
    if (name === 'retry') {
      const retry = decodeMessage(serverHello, { type: 2, raw: answer[0]!.subarray(5) });
      expect(retry.extensions.place).toBe('hello_retry_request');
      expect((retry.extensions as ExtensionBlock<'hello_retry_request'>).get(keyShare)).toBe(0x0017);
      return;
    }
    const ours = decodeMessage(serverHello, { type: 2, raw: answer[0]!.subarray(5) });
    const theirs = decodeMessage(serverHello, { type: 2, raw: content(from, 'serverHello') });
    expect(ours.cipherSuite).toBe(theirs.cipherSuite);
    expect(ours.legacySessionIdEcho).toEqual(theirs.legacySessionIdEcho);
    const share = (hello: typeof ours) => (hello.extensions as ExtensionBlock<'server_hello'>).get(keyShare);
    expect(share(ours)).toEqual(share(theirs));
    answer = answer.slice(1);
    // ChangeCipherSpec stands where the trace has it: only in compatibility mode.
    expect(answer[0]![0] === 20).toBe(name === 'compatibility');
    expect(server.errors).toEqual([]);
  });
});

test('§4: early data and the end of the handshake', () => {
  const from = trace('resumed');
  const schedule = new KeySchedule(nodeCrypto, cipherSuite13(0x1301)!, PSK);
  const hash = nodeCrypto.digest('sha256', content(from, 'clientHello'));
  const opener = schedule.opener(schedule.derive('c e traffic', hash));
  expect(toHex(openRecord(opener, bytes(from, 'earlyData')))).toBe('414243444546');
  const [endOfEarlyData, finished] = splitRecords(bytes(from, 'clientFlight'));
  expect(toHex(openRecord(opener, endOfEarlyData!))).toBe('05000000');

  const keys = schedules(nodeCrypto, from, PSK);
  keys.transcript.add(Uint8Array.of(5, 0, 0, 0));
  const expected = finishedData(nodeCrypto, 'sha256', keys.secrets.clientHandshake, keys.transcript.digest());
  expect(toHex(openRecord(keys.clientHandshake(), finished!))).toBe(`14000020${toHex(expected)}`);
  const application = keys.clientApplication();
  expect(openRecord(application, bytes(from, 'clientData'))).toHaveLength(50);
  expect(openRecord(application, bytes(from, 'clientCloseNotify'))).toEqual(Uint8Array.of(1, 0));
});
