import { createDiffieHellman, getDiffieHellman } from 'node:crypto';
import { concat, fromHex, toHex } from '@testudo/codec';
import { FFDHE_GROUPS, MODP_GROUPS } from '@testudo/crypto';
import { nodeCrypto } from '@testudo/crypto/node';
import { portableCrypto } from '@testudo/crypto/portable';
import { describe, expect, test } from 'vitest';
import { cpuTime } from '../support/cpu-time.ts';
import { PROVIDERS } from './providers.ts';

const two = Uint8Array.of(2);
const prime = FFDHE_GROUPS[0]!.prime;
const badKey = expect.objectContaining({ name: 'CryptoError', code: 'bad-key' }) as unknown as Error;

describe.each(PROVIDERS)('finite-field Diffie-Hellman of the $name provider', (provider) => {
  test('agrees with what OpenSSL makes for IKE', () => {
    const theirs = getDiffieHellman('modp14');
    const theirPublic = theirs.generateKeys();
    const ours = provider.finiteField(MODP_GROUPS[0]!.prime, two)!.generate();
    expect(toHex(ours.agree(theirPublic))).toBe(theirs.computeSecret(ours.publicKey).toString('hex'));
  });

  test('calculates as said in a group small enough to check by hand', () => {
    // p = 2^521 - 1 and g = 3: 3^5 = 243, and 2^(5 · 105) = 2^525 = 2^4 mod p.
    const p = fromHex(`01${'ff'.repeat(65)}`);
    const key = provider.finiteField(p, Uint8Array.of(3))!.fromPrivate(Uint8Array.of(5));
    expect(toHex(key.publicKey)).toBe('f3'.padStart(132, '0'));
    const value = new Uint8Array(66);
    value[65 - 13] = 2; // 2^105
    expect(toHex(key.agree(value))).toBe('10'.padStart(132, '0'));
    expect(toHex(key.agree(value.subarray(10)))).toBe('10'.padStart(132, '0'));
  });

  test('refuses values that make the secret known, or are none of the group', () => {
    const group = provider.finiteField(prime, two)!;
    const key = group.generate();
    const minusOne = prime.slice();
    minusOne[255]! -= 1;
    const minusTwo = prime.slice();
    minusTwo[255]! -= 2;
    const wrong: Uint8Array[] = [[], [0], [1], minusOne, prime, new Uint8Array(256).fill(255)].map((v) =>
      Uint8Array.from(v),
    );
    wrong.push(new Uint8Array(256), concat(Uint8Array.of(0), key.publicKey), concat(Uint8Array.of(1), prime));
    for (const value of wrong) expect(() => key.agree(value)).toThrowError(badKey);
    for (const value of [
      new Uint8Array(0),
      Uint8Array.of(0),
      minusOne,
      prime,
      concat(Uint8Array.of(1), prime),
    ])
      expect(() => group.fromPrivate(value)).toThrowError(badKey);
    expect(group.fromPrivate(Uint8Array.of(0, 1)).publicKey).toEqual(concat(new Uint8Array(255), two));
    expect(group.fromPrivate(minusTwo).publicKey.length).toBe(256);
  });

  test.each([
    ['an even prime', concat(prime.subarray(0, 255), Uint8Array.of(0)), two],
    ['a prime of 504 bits', prime.subarray(193), two],
    ['a prime of 8200 bits', concat(Uint8Array.of(1), FFDHE_GROUPS[4]!.prime), two],
    ['a generator of 1', prime, Uint8Array.of(1)],
    ['a generator of p', prime, prime],
  ])('refuses %s', (_, p, g) => {
    expect(() => provider.finiteField(p, g)).toThrowError(badKey);
  });

  test('does not fall over a composite in the place of a prime', () => {
    // 3^k: what is a multiple of 3 ends at zero.
    const power = (3n ** 1300n).toString(16);
    const p = fromHex(power.padStart(power.length + (power.length % 2), '0'));
    const key = provider.finiteField(p, two)!.fromPrivate(fromHex('ffff'));
    expect(() => key.agree(Uint8Array.of(3))).toThrowError(badKey);
  });

  test('takes no longer for a group of its own than the calculation does', { timeout: 20_000 }, () => {
    // A primality test of this number takes seconds to half a minute.
    const own = FFDHE_GROUPS[4]!.prime.slice();
    own[100]! ^= 4;
    const took = cpuTime(() => provider.finiteField(own, two)!.fromPrivate(Uint8Array.of(1, 0, 1)));
    expect(took).toBeLessThan(1000);
  });
});

describe('both providers agree', () => {
  test.each([...FFDHE_GROUPS, ...MODP_GROUPS.slice(0, 1)])('in $name', { timeout: 30_000 }, (group) => {
    const a = nodeCrypto.finiteField(group.prime, group.generator)!.generate();
    const b = portableCrypto.finiteField(group.prime, group.generator)!.generate();
    expect(a.publicKey.length).toBe(group.prime.length);
    expect(b.publicKey.length).toBe(group.prime.length);
    const secret = a.agree(b.publicKey);
    expect(secret.length).toBe(group.prime.length);
    expect(toHex(secret)).toBe(toHex(b.agree(a.publicKey)));
  });

  test('in a group with a long generator, as DSA has it', () => {
    // A generator is any number here; what matters is that it does not fit into 32 bits.
    const generator = prime.slice();
    generator.fill(0x5a, 0, 200);
    const a = nodeCrypto.finiteField(prime, generator)!.generate();
    const b = portableCrypto.finiteField(prime, generator)!.generate();
    expect(toHex(a.agree(b.publicKey))).toBe(toHex(b.agree(a.publicKey)));
    const theirs = createDiffieHellman(prime, generator);
    theirs.generateKeys();
    expect(toHex(b.agree(theirs.getPublicKey()))).toBe(theirs.computeSecret(b.publicKey).toString('hex'));
  });

  test('on secrets with leading zeros', { timeout: 30_000 }, () => {
    // Exponents 1 and up make small public values, and the two sides of the same make them again.
    for (const provider of PROVIDERS) {
      const group = provider.finiteField(prime, two)!;
      const a = group.fromPrivate(Uint8Array.of(3));
      const b = group.fromPrivate(Uint8Array.of(5));
      expect(toHex(a.agree(b.publicKey))).toBe('8000'.padStart(512, '0'));
      expect(toHex(b.agree(a.publicKey))).toBe('8000'.padStart(512, '0'));
    }
  });
});
