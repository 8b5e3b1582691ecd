import { getDiffieHellman } from 'node:crypto';
import { concat, fromHex, toHex } from '@testudo/codec';
import { describe, expect, test } from 'vitest';
import { finiteFieldFault, usableGroup } from './finite-field.ts';
import { FFDHE_GROUPS, finiteFieldGroup, MODP_GROUPS } from './finite-field-groups.ts';

const two = Uint8Array.of(2);
const [ffdhe2048] = FFDHE_GROUPS;
const prime = ffdhe2048!.prime;

/** floor(e · 2^bits), by its series. */
function eulersNumber(bits: number): bigint {
  let term = 1n << BigInt(bits + 64);
  let sum = term;
  for (let n = 1n; term > 0n; n++) {
    term /= n;
    sum += term;
  }
  return sum >> 64n;
}

describe('the known groups', () => {
  // RFC 7919 appendix A: p = 2^b - 2^(b-64) + (floor(2^(b-130) · e) + X) · 2^64 - 1.
  test.each([
    ['ffdhe2048', 2048, 560316n],
    ['ffdhe3072', 3072, 2625351n],
    ['ffdhe4096', 4096, 5736041n],
    ['ffdhe6144', 6144, 15705020n],
    ['ffdhe8192', 8192, 10965728n],
  ])('%s is what the formula of RFC 7919 gives', (name, bits, x) => {
    const b = BigInt(bits);
    const p = (1n << b) - (1n << (b - 64n)) + ((eulersNumber(bits - 130) + x) << 64n) - 1n;
    const group = FFDHE_GROUPS.find((known) => known.name === name)!;
    expect(toHex(group.prime)).toBe(p.toString(16));
    expect(group.generator).toEqual(two);
  });

  test.each([
    ['modp2048', 'modp14'],
    ['modp3072', 'modp15'],
    ['modp4096', 'modp16'],
    ['modp6144', 'modp17'],
    ['modp8192', 'modp18'],
  ])('%s is what OpenSSL has as %s', (name, opensslName) => {
    const group = MODP_GROUPS.find((known) => known.name === name)!;
    const theirs = getDiffieHellman(opensslName);
    expect(toHex(group.prime)).toBe(theirs.getPrime('hex'));
    expect(toHex(group.generator)).toBe(theirs.getGenerator('hex'));
  });

  test('are found with leading zeros, and not with another generator or prime', () => {
    expect(finiteFieldGroup(prime, two)?.name).toBe('ffdhe2048');
    expect(finiteFieldGroup(concat(new Uint8Array(3), prime), Uint8Array.of(0, 2))?.name).toBe('ffdhe2048');
    expect(finiteFieldGroup(MODP_GROUPS[4]!.prime, two)?.name).toBe('modp8192');
    expect(finiteFieldGroup(prime, Uint8Array.of(5))).toBeUndefined();
    expect(finiteFieldGroup(prime.subarray(1), two)).toBeUndefined();
    expect(finiteFieldGroup(new Uint8Array(0), two)).toBeUndefined();
  });

  // RFC 7919 §5.2.
  test.each([...[225, 275, 325, 375, 400].entries()])(
    'have exponents long enough: group %i, %i bits',
    (i, bits) => {
      expect(FFDHE_GROUPS[i]!.exponentBits).toBeGreaterThanOrEqual(bits);
      expect(MODP_GROUPS[i]!.exponentBits).toBeGreaterThanOrEqual(bits);
    },
  );
});

describe("a server's own group", () => {
  const minusOne = prime.slice();
  minusOne[255] = 0xfe;
  const minusTwo = prime.slice();
  minusTwo[255] = 0xfd;

  test.each([
    ['one of 2048 bits', prime, two, undefined],
    ['a generator of p - 2', prime, minusTwo, undefined],
    ['leading zeros', concat(new Uint8Array(9), prime), two, undefined],
    ['1024 bits', prime.subarray(128), two, 'too-short'],
    ['2047 bits', concat(Uint8Array.of(0x7f), prime.subarray(1)), two, 'too-short'],
    [
      'leading zeros in the place of bits',
      concat(new Uint8Array(200), prime.subarray(128)),
      two,
      'too-short',
    ],
    ['nothing', new Uint8Array(0), two, 'too-short'],
    ['8200 bits', concat(Uint8Array.of(255), FFDHE_GROUPS[4]!.prime), two, 'too-long'],
    ['an even prime', minusOne, two, 'even-prime'],
    ['a generator of 0', prime, Uint8Array.of(0), 'generator-out-of-range'],
    ['no generator', prime, new Uint8Array(0), 'generator-out-of-range'],
    ['a generator of 1', prime, Uint8Array.of(0, 1), 'generator-out-of-range'],
    ['a generator of p - 1', prime, minusOne, 'generator-out-of-range'],
    ['a generator of p', prime, prime, 'generator-out-of-range'],
    ['a generator longer than p', prime, concat(Uint8Array.of(1), prime), 'generator-out-of-range'],
  ] as const)('with %s', (_, p, g, fault) => {
    expect(finiteFieldFault(p, g)).toBe(fault);
  });

  test('is measured by the limits given', () => {
    expect(finiteFieldFault(prime.subarray(128), two, { minimum: 1024 })).toBeUndefined();
    expect(finiteFieldFault(prime, two, { minimum: 3072 })).toBe('too-short');
    expect(finiteFieldFault(prime, two, { maximum: 2047 })).toBe('too-long');
  });
});

test('a group that comes in a Buffer, whose slices are no copies, is left as it came', () => {
  const received = Buffer.from(prime);
  expect(finiteFieldFault(received, Buffer.from(two))).toBeUndefined();
  expect(received.equals(prime)).toBe(true);
  const group = usableGroup(received, Buffer.from(two));
  received.fill(0);
  expect(toHex(group.prime)).toBe(toHex(prime));
});

describe('a fresh exponent', () => {
  const ones = (length: number): Uint8Array => new Uint8Array(length).fill(255);
  const zeros = (length: number): Uint8Array => new Uint8Array(length);

  test('is short in a known group, with its top bit set', () => {
    const group = usableGroup(prime, two);
    expect(toHex(group.freshExponent(zeros))).toBe(`80${'00'.repeat(31)}`);
    expect(toHex(group.freshExponent(ones))).toBe('ff'.repeat(32));
  });

  test('is a bit shorter than the prime in another', () => {
    const group = usableGroup(prime, Uint8Array.of(5));
    expect(toHex(group.freshExponent(zeros))).toBe(`40${'00'.repeat(255)}`);
    expect(toHex(group.freshExponent(ones))).toBe(`7f${'ff'.repeat(255)}`);
    const odd = usableGroup(concat(Uint8Array.of(1), prime.subarray(128)), two); // 1025 bits
    expect(odd.freshExponent(ones).length).toBe(128);
  });

  test('comes for primes of 512 to 8192 bits only', () => {
    const short = fromHex(`7f${'ff'.repeat(63)}`);
    expect(() => usableGroup(short, two)).toThrowError(expect.objectContaining({ code: 'bad-key' }) as Error);
    const long = concat(Uint8Array.of(1), FFDHE_GROUPS[4]!.prime);
    expect(() => usableGroup(long, two)).toThrowError(expect.objectContaining({ code: 'bad-key' }) as Error);
  });
});
