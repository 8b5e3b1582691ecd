import { concat } from '@testudo/codec';
import { nodeCrypto } from '@testudo/crypto/node';
import { describe, expect, test } from 'vitest';
import { serverConfig } from '../config/server.ts';
import { groupById } from '../groups/index.ts';
import { clientHello } from '../messages/client-hello.ts';
import { decodeMessage } from '../messages/handshake-type.ts';
import type { ServerOptions } from '../options/server.ts';
import { serverEnd } from '../testing/end.ts';
import { TestPki } from '../testing/pki.ts';
import { outcomeOf, refused } from '../testing/puppet.ts';
import { PuppetClient12 } from '../testing/puppet12.ts';
import { legacy, ssl2Hello } from './index.ts';

const pki = new TestPki(nodeCrypto);
const SUITES = [0x01, 0x00, 0x80, 0x00, 0xc0, 0x2b, 0x00, 0x00, 0xff];
const challengeOf = (length: number) => Uint8Array.from({ length }, (_, i) => i + 1);

interface Parts {
  version?: number[];
  suites?: number[];
  sessionId?: number[];
  challenge?: Uint8Array;
}

/** CLIENT-HELLO of SSL 2.0 (RFC 5246 §E.2), without the two bytes before it. */
function message({
  version = [3, 3],
  suites = SUITES,
  sessionId = [],
  challenge = challengeOf(32),
}: Parts = {}) {
  const lengths = [0, suites.length, 0, sessionId.length, 0, challenge.length];
  return Uint8Array.of(1, ...version, ...lengths, ...suites, ...sessionId, ...challenge);
}

const record = (bytes: Uint8Array) =>
  concat(Uint8Array.of(0x80 | (bytes.length >> 8), bytes.length & 0xff), bytes);

describe('what is read', () => {
  const read = (parts: Parts) => decodeMessage(clientHello, { type: 1, raw: ssl2Hello(message(parts)) });

  test('the version, and the suites that are none of SSL 2.0', () => {
    const hello = read({ version: [3, 1], sessionId: [7, 7] });
    expect(hello).toMatchObject({ legacyVersion: 0x0301, cipherSuites: [0xc02b, 0x00ff] });
    expect(hello.legacySessionId).toHaveLength(0);
    expect(hello.legacyCompressionMethods).toEqual([0]);
  });

  test.each([
    [16, [...new Uint8Array(16), ...challengeOf(16)]],
    [32, [...challengeOf(32)]],
    [40, [...challengeOf(40).subarray(8)]],
  ])('a challenge of %i bytes, right-justified', (length, random) => {
    expect([...read({ challenge: challengeOf(length) }).random]).toEqual(random);
  });

  test.each<[string, Uint8Array]>([
    ['a short challenge', message({ challenge: challengeOf(15) })],
    ['suites that are cut off', message({ suites: [0, 0xc0, 0x2b, 0] })],
    ['suites of SSL 2.0 only', message({ suites: [1, 0, 0x80] })],
    ['no suites', message({ suites: [] })],
    ['less than it says', message().subarray(0, -1)],
    ['more than it says', concat(message(), Uint8Array.of(0))],
    ['nothing', new Uint8Array(0)],
  ])('%s is malformed', (_what, bytes) => {
    expect(() => ssl2Hello(bytes)).toThrow(expect.objectContaining({ code: 'malformed-message' }));
  });
});

/** A client without extensions: it takes secp256r1 and signatures with SHA-1 (RFC 8422 §4, RFC 5246 §7.4.1.4.1). */
class Ssl2Client extends PuppetClient12 {
  override readonly share = groupById(0x0017)!.start(nodeCrypto);

  sendSsl2Hello(bytes: Uint8Array, chunk = 1000): this {
    this.clientRandom = challengeOf(32);
    this.transcript.add(bytes);
    const whole = record(bytes);
    for (let at = 0; at < whole.length; at += chunk) this.bytes(whole.subarray(at, at + chunk));
    return this;
  }
}

function puppet(options: Partial<ServerOptions> = { ssl2Hello }): Ssl2Client {
  const config = serverConfig({
    ...{ provider: nodeCrypto, legacy, credentials: [pki.server()], signatureSchemes: ['ecdsa_sha1'] },
    ...options,
  });
  return new Ssl2Client(nodeCrypto, serverEnd(config), pki.client());
}

describe('a server', () => {
  test.each([1, 2, 3, 1000])('speaks TLS 1.2 with such a client, fed %i bytes at a time', (chunk) => {
    const p = puppet().sendSsl2Hello(message(), chunk);
    p.send(p.keyExchange());
    p.changeKeys().send(p.finished());
    expect(outcomeOf(p).state).toBe('open');
    expect(p.end.info).toMatchObject({
      version: 'TLSv1.2',
      secureRenegotiation: true,
      serverName: undefined,
    });
  });

  test('hashes the hello as it came', () => {
    const p = puppet().sendSsl2Hello(message());
    p.send(p.keyExchange());
    p.changeKeys().send(p.finished((data) => data.map((byte, i) => (i === 0 ? byte ^ 1 : byte))));
    expect(outcomeOf(p)).toEqual(refused('bad-finished'));
  });

  test('that is not told to refuses it', () => {
    expect(outcomeOf(puppet({}).sendSsl2Hello(message()))).toEqual(refused('not-tls'));
  });

  test('does not speak SSL 2.0', () => {
    expect(outcomeOf(puppet().sendSsl2Hello(message({ version: [0, 2] })))).toEqual(refused('not-tls'));
  });

  test('takes it first, and not later', () => {
    const p = puppet().sendSsl2Hello(message());
    expect(outcomeOf(p.bytes(record(message())))).toEqual(refused('bad-record'));
  });

  test('refuses one that is malformed', () => {
    expect(outcomeOf(puppet().sendSsl2Hello(message({ suites: [] })))).toEqual(refused('malformed-message'));
  });

  test('goes on with everybody else as ever', () => {
    const p = puppet();
    p.sendHello();
    expect(p.messages.length).toBeGreaterThan(0);
    expect(p.end.errors).toEqual([]);
  });
});
