import { der, toHex } from '@testudo/codec';
import {
  CryptoError,
  type HashName,
  type KeyKind,
  type MlDsaName,
  type SignatureAlgorithm,
} from '@testudo/crypto';
import { nodeCrypto } from '@testudo/crypto/node';
import { portableCrypto } from '@testudo/crypto/portable';
import { describe, test } from 'vitest';
import { PROVIDERS } from './providers.ts';
import { type Case, runWycheproof } from './wycheproof.ts';

/** Whether we take a case that Wycheproof leaves to the implementation. */
function accepts({ result, flags, id }: Case): boolean {
  if (result !== 'acceptable') return result === 'valid';
  // RFC 8017 §9.2, step 2: the encoding that is compared has a NULL in its AlgorithmIdentifier.
  if (flags.includes('MissingNull')) return false;
  // RFC 3279 §2.2.2: a DER sequence of two integers; one whose first byte says "negative" is.
  if (flags.includes('MissingZero')) return false;
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
    ['ecdsa_brainpoolP256r1_sha256', 485],
    ['ecdsa_brainpoolP384r1_sha384', 516],
    ['ecdsa_brainpoolP512r1_sha512', 559],
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
  test.each([
    ['ml-dsa-44', 57],
    ['ml-dsa-65', 90],
    ['ml-dsa-87', 59],
  ] as const)('%s', { timeout }, (name, count) =>
    runWycheproof(`${name.replace('ml-dsa-', 'mldsa_')}_verify`, count, (c) => {
      const refused = keyRefusal(() => provider.importPublicKey(c.bytes('publicKeyDer')));
      if (refused === undefined) return check(c, name, { name });
      return refused === 'bad-key' && c.result === 'invalid' ? undefined : `refused: ${refused}`;
    }),
  );

  test.each([
    ['ml-dsa-44', 12],
    ['ml-dsa-65', 13],
    ['ml-dsa-87', 13],
  ] as const)('private keys of %s, from seeds', { timeout }, (name, count) =>
    runWycheproof(`${name.replace('ml-dsa-', 'mldsa_')}_sign_seed`, count, (c) =>
      checkPrivate(c, name, c.bytes('privateKeyPkcs8')),
    ),
  );

  test('private keys of ml-dsa-65, expanded', { timeout }, () =>
    runWycheproof('mldsa_65_sign_noseed', 11, (c) => {
      // RFC 9881 §6: the expanded key in an OCTET STRING.
      const pkcs8 = der.sequence(
        der.integer(0),
        der.sequence(der.oid('2.16.840.1.101.3.4.3.18')),
        der.octetString(der.octetString(c.bytes('privateKey'))),
      );
      const refused = keyRefusal(() => provider.importPrivateKey(pkcs8));
      if (refused === undefined) return checkPrivate(c, 'ml-dsa-65', pkcs8);
      return refused === 'bad-key' && c.result === 'invalid' ? undefined : `refused: ${refused}`;
    }),
  );

  function checkPrivate(testCase: Case, name: MlDsaName, pkcs8: Uint8Array): string | undefined {
    if (testCase.result === 'invalid') return 'imported';
    const key = provider.importPrivateKey(pkcs8);
    const publicKey = key.publicKey.spki.subarray(22);
    if (toHex(publicKey) !== testCase.text('publicKey')) return `has the public key ${toHex(publicKey)}`;
    const signature = provider.sign({ name }, key, testCase.bytes('msg'));
    return portableCrypto.verify({ name }, key.publicKey, testCase.bytes('msg'), signature)
      ? undefined
      : 'signs what does not verify';
  }
});

describe('DSA signatures of the node provider agree with Wycheproof', () => {
  test.each([
    ['dsa_2048_256_sha256', 366],
    ['dsa_2048_224_sha224', 51],
  ] as const)('%s', (file, count) =>
    runWycheproof(file, count, (c) => {
      const key = nodeCrypto.importPublicKey(c.bytes('publicKeyDer'));
      if (key.kind.type !== 'dsa' || key.kind.bits !== 2048) return `a key of ${JSON.stringify(key.kind)}`;
      const hash = c.text('sha').replace('SHA-', 'sha') as HashName;
      const verified = nodeCrypto.verify({ name: 'dsa', hash }, key, c.bytes('msg'), c.bytes('sig'));
      return verified === accepts(c) ? undefined : `verified: ${verified}`;
    }),
  );
});

/** The code of the CryptoError, or undefined when there is none. */
function keyRefusal(run: () => void): string | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    if (error instanceof CryptoError) return error.code;
    throw error;
  }
}
