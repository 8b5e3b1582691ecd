import { toHex } from '@testudo/codec';
import { type AgreementKey, CryptoError, type CurveName } from '@testudo/crypto';
import { describe, test } from 'vitest';
import { PROVIDERS } from './providers.ts';
import { type Case, runWycheproof } from './wycheproof.ts';

/** Whether we take a case that Wycheproof leaves to the implementation. */
function accepts({ result, flags, id }: Case): boolean {
  if (result !== 'acceptable') return result === 'valid';
  // RFC 7748 §6 and RFC 9846 §7.4.2: an all-zero secret aborts the handshake.
  if (flags.includes('ZeroSharedSecret')) return false;
  // RFC 9846 §4.3.8.2 and RFC 8422 §5.4.1: TLS has uncompressed points only.
  if (flags.includes('CompressedPoint')) return false;
  // A byte of the point is another: it is off the curve.
  if (flags.includes('InvalidAsn')) return false;
  // RFC 7748 §5: any string is a u-coordinate; points of the twist are as good, and values over p are reduced.
  if (flags.some((flag) => ['Twist', 'NonCanonicalPublic', 'LowOrderPublic'].includes(flag))) return true;
  throw new Error(`no decision on case ${id}`);
}

describe.each(PROVIDERS)('key agreement of the $name provider agrees with Wycheproof', (provider) => {
  function check(testCase: Case, curve: CurveName, privateKey: Uint8Array): string | undefined {
    const key: AgreementKey = provider.keyAgreement(curve)!.fromPrivate(privateKey);
    let shared: string;
    try {
      shared = toHex(key.agree(testCase.bytes('public')));
    } catch (error) {
      if (!(error instanceof CryptoError && error.code === 'bad-key')) return `threw ${error}`;
      return accepts(testCase) ? 'refused' : undefined;
    }
    if (!accepts(testCase)) return `agreed on ${shared}`;
    return shared === testCase.text('shared') ? undefined : `agreed on ${shared}`;
  }

  /** Private keys of these files are integers: with a sign byte, or without leading zeros. */
  function fixedLength(integer: Uint8Array, length: number): Uint8Array {
    const fixed = new Uint8Array(length);
    const digits = integer.subarray(integer.findIndex((byte) => byte !== 0));
    fixed.set(digits, length - digits.length);
    return fixed;
  }

  /** The files of the Brainpool curves hold a SubjectPublicKeyInfo, which ends with the point. */
  function checkSpki(testCase: Case, curve: CurveName, length: number): string | undefined {
    const point = testCase.bytes('public').subarray(-(2 * length + 1));
    const raw: Case = { ...testCase, bytes: (field) => (field === 'public' ? point : testCase.bytes(field)) };
    return check(raw, curve, fixedLength(testCase.bytes('private'), length));
  }

  const timeout = 120_000;
  test('X25519', { timeout }, () =>
    runWycheproof('x25519', 518, (c) => check(c, 'x25519', c.bytes('private'))),
  );
  test('X448', { timeout }, () => runWycheproof('x448', 510, (c) => check(c, 'x448', c.bytes('private'))));
  test.each([
    ['secp256r1', 32, 355],
    ['secp384r1', 48, 790],
    ['secp521r1', 66, 661],
  ] as const)('ECDH on %s', { timeout }, (curve, length, count) =>
    runWycheproof(`ecdh_${curve}_ecpoint`, count, (c) =>
      check(c, curve, fixedLength(c.bytes('private'), length)),
    ),
  );
  test.each([
    ['brainpoolP256r1', 32, 536],
    ['brainpoolP384r1', 48, 660],
    ['brainpoolP512r1', 64, 530],
  ] as const)('ECDH on %s', { timeout }, (curve, length, count) =>
    runWycheproof(`ecdh_${curve}`, count, (c) => checkSpki(c, curve, length)),
  );
});
