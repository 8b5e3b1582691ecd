import { utf8 } from '@testudo/codec';
import type { VersionName } from '@testudo/tls';
import { legacy } from '@testudo/tls/legacy';
import { describe, expect, test } from 'vitest';
import { splitRecords } from '#tls/testing';
import { BLOCK, blocksOf, xor } from './cbc.ts';
import { meet } from './support.ts';

// BEAST (CVE-2011-3389): up to TLS 1.0 the IV of a record is the last block of the one before, so that who can have data sent
// chooses what goes into the cipher, and compares guesses of a block with what a secret was encrypted to.

const secret = utf8('pin=7391; path=/');
const guesses = ['0000', '1234', '7390', '7391', '7392'].map((pin) => utf8(`pin=${pin}; path=/`));

/** The guesses that the attacker finds to be right. */
function attack(version: VersionName, options: { dangerouslyNoRecordSplitting?: boolean }): Uint8Array[] {
  const common = {
    legacy,
    minVersion: version,
    maxVersion: version,
    encryptThenMac: false,
    cipherSuites: ['TLS_RSA_WITH_AES_128_CBC_SHA'],
    ...options,
  } as const;
  const { client } = meet(common, common);
  const send = (data: Uint8Array): Uint8Array[] => {
    client.connection.send(data);
    return splitRecords(client.take()).flatMap(blocksOf);
  };
  const first = send(new Uint8Array(20));
  const before = first.at(-1)!;
  const target = send(secret);
  let last = target.at(-1)!;
  return guesses.filter((guess) => {
    const answer = send(xor(guess, before, last));
    last = answer.at(-1)!;
    return Buffer.from(answer[0]!).equals(target[0]!);
  });
}

describe('BEAST', () => {
  test.each(['TLSv1', 'SSLv3'] as const)('%s: finds the secret where records are not split', (version) => {
    expect(secret.length).toBe(BLOCK);
    expect(attack(version, { dangerouslyNoRecordSplitting: true })).toEqual([secret]);
  });

  test.each(['TLSv1', 'SSLv3'] as const)('%s: finds nothing, since one byte goes first', (version) => {
    expect(attack(version, {})).toEqual([]);
  });

  test.each(['TLSv1.1', 'TLSv1.2'] as const)('%s: finds nothing, since each record has its IV', (version) => {
    expect(attack(version, { dangerouslyNoRecordSplitting: true })).toEqual([]);
  });

  test('the byte that goes first is one, and comes once for all that is sent together', () => {
    const options = { legacy, minVersion: 'TLSv1', maxVersion: 'TLSv1' } as const;
    const suites = { cipherSuites: ['TLS_RSA_WITH_AES_128_CBC_SHA'] };
    const { client, server } = meet({ ...options, ...suites }, { ...options, ...suites });
    client.connection.send(new Uint8Array(40_000));
    server.connection.receive(client.take());
    expect(server.data.map(({ length }) => length)).toEqual([1, 16_384, 16_384, 7231]);
  });
});
