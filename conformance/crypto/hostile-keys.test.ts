import { utf8 } from '@testudo/codec';
import { CryptoError, type KeySpec, type SignatureAlgorithm } from '@testudo/crypto';
import { nodeCrypto } from '@testudo/crypto/node';
import { portableCrypto } from '@testudo/crypto/portable';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PROVIDERS } from './providers.ts';

const data = utf8('data');
const kinds: readonly (readonly [KeySpec, SignatureAlgorithm])[] = [
  [
    { type: 'rsa', bits: 1024 },
    { name: 'rsa-pkcs1', hash: 'md5-sha1' },
  ],
  [
    { type: 'dsa', bits: 1024 },
    { name: 'dsa', hash: 'sha1' },
  ],
  [
    { type: 'ec', curve: 'secp256r1' },
    { name: 'ecdsa', hash: 'sha1' },
  ],
  [
    { type: 'ec', curve: 'brainpoolP384r1' },
    { name: 'ecdsa', hash: 'sha384' },
  ],
  [{ type: 'ed25519' }, { name: 'ed25519' }],
  [{ type: 'ml-dsa-44' }, { name: 'ml-dsa-44' }],
];
const keys = kinds.map(([spec, algorithm]) => {
  const key = nodeCrypto.generateKey(spec);
  const signature = nodeCrypto.sign(algorithm, key, data);
  return { type: spec.type, algorithm, key, signature };
});

/** A few bytes of another value, a piece taken out, and a piece put in: each may be nothing. */
const changes = fc.record({
  bytes: fc.array(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })), { maxLength: 3 }),
  cut: fc.tuple(fc.nat(), fc.constantFrom(0, 0, 1, 2, 40)),
  put: fc.tuple(fc.nat(), fc.uint8Array({ maxLength: 4 })),
});

function change(
  bytes: Uint8Array,
  how: typeof changes extends fc.Arbitrary<infer T> ? T : never,
): Uint8Array {
  const out = [...bytes];
  // Most of the structure is at the beginning, and most of what is left is one long number.
  for (const [at, mask] of how.bytes) {
    const place = at % (at % 2 === 0 ? out.length : Math.min(out.length, 40));
    out[place] = out[place]! ^ mask;
  }
  out.splice(how.cut[0] % out.length, how.cut[1]);
  out.splice(how.put[0] % (out.length + 1), 0, ...how.put[1]);
  return Uint8Array.from(out);
}

describe.each(PROVIDERS)('whatever keys the $name provider is given', (provider) => {
  test.each(keys)('public, of $type: it throws a CryptoError or verifies', { timeout: 60_000 }, (origin) => {
    fc.assert(
      fc.property(changes, (how) => {
        const spki = change(origin.key.publicKey.spki, how);
        try {
          const key = provider.importPublicKey(spki);
          const verified = provider.verify(origin.algorithm, key, data, origin.signature);
          expect(typeof verified).toBe('boolean');
        } catch (error) {
          expect(error).toBeInstanceOf(CryptoError);
        }
      }),
      { numRuns: 200 },
    );
  });

  test.each(keys)('private, of $type: it throws a CryptoError or signs', { timeout: 60_000 }, (origin) => {
    fc.assert(
      fc.property(changes, (how) => {
        const pkcs8 = change(origin.key.exportPkcs8(), how);
        try {
          const key = provider.importPrivateKey(pkcs8);
          expect(provider.sign(origin.algorithm, key, data).length).toBeGreaterThan(0);
        } catch (error) {
          expect(error).toBeInstanceOf(CryptoError);
        }
      }),
      { numRuns: 60 },
    );
  });

  test.each(keys)(
    'and signatures by $type: it says whether they are right',
    { timeout: 60_000 },
    (origin) => {
      fc.assert(
        fc.property(changes, (how) => {
          const signature = change(origin.signature, how);
          const verified = provider.verify(origin.algorithm, origin.key.publicKey, data, signature);
          expect(typeof verified).toBe('boolean');
          if (provider === portableCrypto && origin.type === 'dsa') expect(verified).toBe(false);
        }),
        { numRuns: 60 },
      );
    },
  );
});
