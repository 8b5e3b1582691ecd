import { createCipheriv, createDecipheriv, createHmac } from 'node:crypto';
import { concat, utf8 } from '@testudo/codec';
import type { VersionName } from '@testudo/tls';
import { legacy } from '@testudo/tls/legacy';
import { describe, expect, test } from 'vitest';
import { answerOf, BLOCK, blocksOf, type Oracle, withBlocks, xor } from './cbc.ts';
import { meet, provider } from './support.ts';

// Block ciphers with the MAC inside: Vaudenay (2002), whom every difference between a bad padding and a bad MAC helps; Lucky 13,
// whose records are those that such a difference shows for; POODLE (CVE-2014-3566), where SSL 3.0 says nothing about padding.

/** Shorter ones, longer ones, and ones that are longer than the record. */
const PADDINGS = [1, 2, 3, 4, 7, 8, 15, 16, 31, 32, 64, 127, 128, 200, 240, 255];
const VERSIONS = ['TLSv1.2', 'TLSv1.1', 'TLSv1'] as const;

/** A victim's record on its way to a server that has not seen it; `secret` repeats on every connection. */
function intercept(version: VersionName, secret: Uint8Array, options: { encryptThenMac?: boolean } = {}) {
  const common = {
    legacy,
    minVersion: version,
    maxVersion: version,
    dangerouslyNoRecordSplitting: true,
    encryptThenMac: options.encryptThenMac ?? false,
    cipherSuites: [
      version === 'SSLv3' ? 'TLS_RSA_WITH_AES_128_CBC_SHA' : 'TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA',
    ],
  } as const;
  const { client, server } = meet(common, common);
  client.connection.send(secret);
  return { record: client.take(), server };
}

/** Vaudenay's attack on the last byte of a block: which guess gets an answer of its own? */
function guessLastByte(ask: (guess: number) => string): number | undefined {
  const answers = Array.from({ length: 256 }, (_, guess) => ask(guess));
  const once = answers.filter((answer) => answers.indexOf(answer) === answers.lastIndexOf(answer));
  return once.length === 1 ? answers.indexOf(once[0]!) : undefined;
}

describe('Vaudenay', () => {
  const secret = utf8('a cookie of some');

  test('the attack reads a byte of who tells padding and MAC apart', () => {
    const key = provider.randomBytes(16);
    const iv = provider.randomBytes(16);
    const cipher = createCipheriv('aes-128-cbc', key, iv);
    const body = cipher.update(concat(secret, createHmac('sha1', key).update(secret).digest()));
    const careless: Oracle = (record) => {
      const decipher = createDecipheriv('aes-128-cbc', key, iv).setAutoPadding(false);
      const plain = decipher.update(record);
      const last = plain.at(-1)!;
      const isPadding = plain.subarray(-1 - last).every((byte) => byte === last);
      return last < plain.length && isPadding ? 'bad_record_mac' : 'decryption_failed';
    };
    const ask = (guess: number): string => {
      const before = iv.slice();
      // The guess is right when the last byte comes out as 0: a padding of nothing.
      before[15]! ^= guess;
      return careless(concat(new Uint8Array(16), before, body.subarray(0, 16)));
    };
    expect(guessLastByte(ask)).toBe(secret[15]);
  });

  test.each(VERSIONS)('%s: it reads nothing of the engine', (version) => {
    const ask = (guess: number): string => {
      const { record, server } = intercept(version, secret);
      const blocks = blocksOf(record);
      const at = version === 'TLSv1' ? 0 : 1;
      const before = at === 0 ? new Uint8Array(BLOCK) : blocks[at - 1]!.slice();
      before[15]! ^= guess;
      return answerOf(server, withBlocks(record, [...blocks, before, blocks[at]!]));
    };
    expect(guessLastByte(ask)).toBeUndefined();
    expect(ask(0)).toMatch(/^bad-record-mac bad_record_mac /);
  });
});

describe.each(VERSIONS)(
  '%s: every record that is not as it was sent gets one answer (Lucky 13)',
  (version) => {
    const data = new Uint8Array(300).map((_, i) => i);
    const flip = (at: number, by: number) => (record: Uint8Array) => {
      const changed = record.slice();
      changed[at < 0 ? changed.length + at : at]! ^= by;
      return changed;
    };
    const changes: [string, (record: Uint8Array) => Uint8Array][] = [
      // The last byte of the block before the last tells how long the padding is.
      ...PADDINGS.map((mask): [string, (record: Uint8Array) => Uint8Array] => [
        `padding length ^ ${mask}`,
        flip(-17, mask),
      ]),
      ['the first byte of the padding', flip(-20, 1)],
      ['the MAC', flip(-40, 1)],
      ['the data', flip(40, 1)],
      ['the first block', flip(5, 1)],
      ['the type', flip(0, 1 ^ 2)],
      ['no last block', (record) => withBlocks(record, blocksOf(record).slice(0, -1))],
      ['the last block twice', (r) => withBlocks(r, [...blocksOf(r), blocksOf(r).at(-1)!])],
      [
        'two blocks in the wrong order',
        (r) => withBlocks(r, [...blocksOf(r).slice(0, -2), ...blocksOf(r).slice(-2).reverse()]),
      ],
      ...[1, 2, 3, 4].map((count): [string, (record: Uint8Array) => Uint8Array] => [
        `${count} blocks`,
        (record) => withBlocks(record, blocksOf(record).slice(0, count)),
      ]),
      ['no block', (record) => withBlocks(record, [])],
      [
        'half a block more',
        (r) =>
          Uint8Array.from([
            ...r.subarray(0, 3),
            (r.length + 3) >> 8,
            (r.length + 3) & 255,
            ...r.subarray(5),
            ...new Uint8Array(8),
          ]),
      ],
      [
        'noise',
        (record) =>
          withBlocks(
            record,
            blocksOf(record).map(() => provider.randomBytes(BLOCK)),
          ),
      ],
      [
        '256 blocks of zeros',
        (record) =>
          withBlocks(
            record,
            Array.from({ length: 256 }, () => new Uint8Array(BLOCK)),
          ),
      ],
    ];

    test.each([false, true])('encrypt-then-MAC: %s', (encryptThenMac) => {
      const answers = new Map<string, string>();
      for (const [name, change] of changes) {
        const { record, server } = intercept(version, data, { encryptThenMac });
        answers.set(name, answerOf(server, change(record)));
      }
      expect([...new Set(answers.values())]).toEqual([
        expect.stringMatching(/^bad-record-mac bad_record_mac /),
      ]);
      const { record, server } = intercept(version, data, { encryptThenMac });
      expect(answerOf(server, record)).toBe('taken');
    });
  },
);

describe('POODLE', () => {
  /** With a MAC of 20 bytes, the padding is a block of its own: nobody knows what is in it but its last byte. */
  const secret = utf8('GET / cookie=T0pS3cret; and what comes after');

  /** Puts the second block of the secret where the padding was. The last byte of the secret's block, if that is taken. */
  function tryOnce(version: VersionName): number | undefined {
    const { record, server } = intercept(version, secret);
    const blocks = blocksOf(record);
    const target = version === 'TLSv1.2' ? 2 : 1;
    const changed = withBlocks(record, [...blocks.slice(0, -1), blocks[target]!]);
    if (answerOf(server, changed) !== 'taken') return undefined;
    return xor(Uint8Array.of(15), blocks[target - 1]!.subarray(15), blocks.at(-2)!.subarray(15))[0];
  }

  test('SSL 3.0 gives a byte away for every 256 connections', () => {
    let byte: number | undefined;
    for (let tries = 0; tries < 4000 && byte === undefined; tries++) byte = tryOnce('SSLv3');
    expect((secret.length + 20) % BLOCK).toBe(0);
    expect(byte).toBe(secret[2 * BLOCK - 1]);
  }, 120_000);

  test.each(['TLSv1', 'TLSv1.2'] as const)(
    '%s looks at every byte of the padding',
    (version) => {
      for (let tries = 0; tries < 256; tries++) expect(tryOnce(version)).toBeUndefined();
    },
    60_000,
  );

  test('SSL 3.0 is spoken by nobody who was not asked to', () => {
    expect(() => meet({ minVersion: 'SSLv3' }, {})).toThrow(expect.objectContaining({ code: 'bad-option' }));
  });
});
