import type { HashName, KeyKind, SignatureAlgorithm } from '@testudo/crypto';
import { describe, test } from 'vitest';
import { PROVIDERS } from './providers.ts';
import { type Case, runWycheproof } from './wycheproof.ts';

/** Whether we take a case that Wycheproof leaves to the implementation. */
function accepts({ result, flags, id }: Case): boolean {
  if (result !== 'acceptable') return result === 'valid';
  // RFC 8017 §9.2, step 2: the encoding that is compared has a NULL in its AlgorithmIdentifier.
  if (flags.includes('MissingNull')) return false;
  throw new Error(`no decision on case ${id}`);
}

describe.each(PROVIDERS)('signatures of the $name provider agree with Wycheproof', (provider) => {
  function check(testCase: Case, type: KeyKind['type'], algorithm: SignatureAlgorithm): string | undefined {
    const key = provider.importPublicKey(testCase.bytes('publicKeyDer'));
    if (key.kind.type !== type) return `a key of type ${key.kind.type}`;
    const verified = provider.verify(algorithm, key, testCase.bytes('msg'), testCase.bytes('sig'));
    return verified === accepts(testCase) ? undefined : `verified: ${verified}`;
  }

  const hashOf = (testCase: Case): HashName => testCase.text('sha').replace('SHA-', 'sha') as HashName;
  const timeout = 120_000;

  test.each([
    ['ecdsa_secp256r1_sha256', 484],
    ['ecdsa_secp384r1_sha384', 504],
    ['ecdsa_secp521r1_sha512', 542],
  ] as const)('%s', { timeout }, (file, count) =>
    runWycheproof(file, count, (c) => check(c, 'ec', { name: 'ecdsa', hash: hashOf(c) })),
  );

  test('Ed25519', { timeout }, () =>
    runWycheproof('ed25519', 151, (c) => check(c, 'ed25519', { name: 'ed25519' })),
  );
  test('Ed448', { timeout }, () => runWycheproof('ed448', 87, (c) => check(c, 'ed448', { name: 'ed448' })));

  test('RSA PKCS#1 v1.5', { timeout }, () =>
    runWycheproof('rsa_signature_2048_sha256', 259, (c) =>
      check(c, 'rsa', { name: 'rsa-pkcs1', hash: hashOf(c) }),
    ),
  );

  test.each([
    ['rsa_pss_2048_sha256_mgf1_32', 'rsa', 108],
    ['rsa_pss_2048_sha384_mgf1_48', 'rsa', 141],
    ['rsa_pss_2048_sha256_mgf1_32_params', 'rsa-pss', 108],
  ] as const)('%s', { timeout }, (file, type, count) =>
    runWycheproof(file, count, (c) => check(c, type, { name: 'rsa-pss', hash: hashOf(c) })),
  );
});
