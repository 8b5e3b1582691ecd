import { concat } from '@testudo/codec';
import { describe, expect, test } from 'vitest';
import { outcomeOf } from '#tls/testing';
import { RsaClient } from './rsa-client.ts';
import { provider, victimServer } from './support.ts';

// Bleichenbacher (1998), and what came back as ROBOT (2017): a server that answers differently when the padding of an RSA
// ciphertext is right decrypts anything for who asks a million times. Here every answer is compared with that to a
// ciphertext whose padding is right, and whose secret the attacker does not know.

const PMS = 48;
const version = Uint8Array.of(3, 3);
const secret = concat(version, new Uint8Array(PMS - 2).fill(0x11));

/** A block of PKCS #1 v1.5: 0, type, padding without zeros, 0, message. */
function pkcs1(
  length: number,
  message: Uint8Array,
  change: { lead?: number; type?: number; end?: number } = {},
) {
  const padding = new Uint8Array(length - 3 - message.length).fill(0xaa);
  return concat(
    Uint8Array.of(change.lead ?? 0, change.type ?? 2),
    padding,
    Uint8Array.of(change.end ?? 0),
    message,
  );
}

/** Every kind of block, as the length of the modulus makes it. */
const BLOCKS: readonly (readonly [string, (length: number) => Uint8Array])[] = [
  ['right, but for a secret that nobody knows', (n) => pkcs1(n, concat(version, provider.randomBytes(46)))],
  ['the version of TLS 1.1', (n) => pkcs1(n, concat(Uint8Array.of(3, 2), secret.subarray(2)))],
  ['the version of SSL 2.0', (n) => pkcs1(n, concat(Uint8Array.of(2, 0), secret.subarray(2)))],
  ['no version', (n) => pkcs1(n, concat(Uint8Array.of(0, 0), secret.subarray(2)))],
  ['a leading byte that is not zero', (n) => pkcs1(n, secret, { lead: 1 })],
  ['type 0', (n) => pkcs1(n, secret, { type: 0 })],
  ['type 1, a signature', (n) => pkcs1(n, secret, { type: 1 })],
  ['type 3', (n) => pkcs1(n, secret, { type: 3 })],
  ['type 255', (n) => pkcs1(n, secret, { type: 255 })],
  ['no zero at the end of the padding', (n) => pkcs1(n, secret, { end: 0xaa })],
  ['no zero at all', (n) => pkcs1(n, new Uint8Array(PMS).fill(0xaa), { end: 0xaa })],
  ['a zero at the start of the padding', (n) => pkcs1(n, secret).fill(0, 2, 3)],
  ['a zero in the eighth byte of the padding', (n) => pkcs1(n, secret).fill(0, 9, 10)],
  ['a zero in the middle of the padding', (n) => pkcs1(n, secret).fill(0, 100, 101)],
  ['a zero right before the secret', (n) => pkcs1(n, secret).fill(0, n - PMS - 2, n - PMS - 1)],
  ['a secret of 47 bytes', (n) => pkcs1(n, secret.subarray(0, 47))],
  ['a secret of 49 bytes', (n) => pkcs1(n, concat(secret, Uint8Array.of(1)))],
  ['a secret of 46 bytes without a version', (n) => pkcs1(n, secret.subarray(2))],
  ['a secret of one byte', (n) => pkcs1(n, Uint8Array.of(3))],
  ['nothing for a secret', (n) => pkcs1(n, new Uint8Array(0))],
  ['a secret as long as can be', (n) => pkcs1(n, new Uint8Array(n - 11).fill(3))],
  ['zeros', (n) => new Uint8Array(n)],
  ['the number 1', (n) => new Uint8Array(n).fill(1, n - 1)],
  ['noise', (n) => provider.randomBytes(n).fill(0, 0, 1)],
];

const CIPHERTEXTS: readonly (readonly [string, (client: RsaClient) => Uint8Array])[] = [
  ...BLOCKS.map(
    ([name, block]) => [name, (client: RsaClient) => client.encrypt(block(client.modulusLength))] as const,
  ),
  ['a ciphertext that is one byte short', (c) => c.encrypt(pkcs1(c.modulusLength, secret)).subarray(1)],
  [
    'a ciphertext that is one byte long',
    (c) => concat(Uint8Array.of(0), c.encrypt(pkcs1(c.modulusLength, secret))),
  ],
  ['a ciphertext of one byte', () => Uint8Array.of(1)],
  ['no ciphertext', () => new Uint8Array(0)],
  ['a ciphertext above the modulus', (c) => new Uint8Array(c.modulusLength).fill(0xff)],
];

/** ROBOT's flows: what follows the ciphertext, and under which keys. */
type Flow = 'nothing' | 'ChangeCipherSpec' | 'Finished' | 'Finished in the clear' | 'an alert' | 'data';

/** Everything that the attacker sees: what is answered, when, and what becomes of the connection. */
function ask(ciphertext: (client: RsaClient) => Uint8Array, flow: Flow, known = secret): unknown {
  const client = new RsaClient(
    victimServer({ maxVersion: 'TLSv1.2', cipherSuites: ['TLS_RSA_WITH_AES_128_GCM_SHA256'] }),
  );
  client.sendHello();
  const seen: unknown[] = [];
  const look = () => seen.push([client.end.connection.state, [...client.alerts], client.changeCipherSpecs]);
  client.send(client.exchange(ciphertext(client), known));
  look();
  if (flow !== 'nothing') {
    if (flow === 'Finished in the clear') client.changeCipherSpec();
    else client.changeKeys();
    look();
    if (flow.startsWith('Finished')) client.send(client.finished());
    else if (flow === 'an alert') client.alert(1, 0);
    else if (flow === 'data') client.applicationData(Uint8Array.of(1));
    look();
  }
  client.end.connection.receiveEnd();
  return { seen, outcome: outcomeOf(client) };
}

const FLOWS: readonly Flow[] = [
  'nothing',
  'ChangeCipherSpec',
  'Finished',
  'Finished in the clear',
  'an alert',
  'data',
];

test('who knows the secret is let in: the blocks are made as they should be', () => {
  const answer = ask((client) => client.encrypt(pkcs1(client.modulusLength, secret)), 'Finished');
  expect(answer).toMatchObject({ outcome: { codes: ['truncated'] }, seen: { 2: ['open', [], 1] } });
});

describe.each(FLOWS)('followed by %s', (flow) => {
  const right = (client: RsaClient) => client.encrypt(pkcs1(client.modulusLength, secret));
  // The padding is right, and so is the version: but whoever asks does not know what is in it.
  const unknown = ask(right, flow, new Uint8Array(PMS).fill(0x77));

  test('a secret that is not known fails with one alert, and not before Finished', () => {
    const { alerts } = (unknown as { outcome: { alerts: string[] } }).outcome;
    // ROBOT (§3): what the server has not got, it does not judge.
    const isJudged = flow !== 'nothing' && flow !== 'ChangeCipherSpec';
    expect(alerts).toEqual(isJudged ? ['fatal bad_record_mac'] : []);
  });

  test.each(CIPHERTEXTS)('the answer is the same for: %s', (_what, ciphertext) => {
    expect(ask(ciphertext, flow)).toEqual(unknown);
  });
});

// Klíma, Pokorný and Rosa (2003): a check of the version that shows is an oracle, and no check lets versions be rolled back.
test.each([
  ['TLS 1.1', [3, 2]],
  ['SSL 3.0', [3, 0]],
  ['SSL 2.0', [2, 0]],
  ['TLS 1.3', [3, 4]],
] as const)(
  'who knows a secret with the version of %s is not let in, and not told why',
  (_version, bytes) => {
    const other = concat(Uint8Array.from(bytes), secret.subarray(2));
    const answer = ask((client) => client.encrypt(pkcs1(client.modulusLength, other)), 'Finished', other);
    const right = (client: RsaClient) => client.encrypt(pkcs1(client.modulusLength, secret));
    expect(answer).toEqual(ask(right, 'Finished', new Uint8Array(PMS).fill(0x77)));
  },
);

test('the same comparison finds a server that tells', () => {
  // What servers did before 1998, and some in 2017: another alert for bad padding, or for a bad version.
  const careless = (block: Uint8Array): string => {
    if (block[0] !== 0 || block[1] !== 2) return 'fatal decrypt_error';
    const end = block.indexOf(0, 2);
    if (end !== block.length - PMS - 1) return 'fatal illegal_parameter';
    return 'fatal bad_record_mac';
  };
  const answers = new Set(BLOCKS.map(([, block]) => careless(block(256))));
  expect(answers.size).toBe(3);
});
