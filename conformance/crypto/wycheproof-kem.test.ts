import { toHex } from '@testudo/codec';
import { CryptoError } from '@testudo/crypto';
import { describe, test } from 'vitest';
import { PROVIDERS } from './providers.ts';
import { runWycheproof } from './wycheproof.ts';

const SIZES = [
  { bits: 768, keys: 100, ciphertexts: 193, encapsulations: 132 },
  { bits: 1024, keys: 25, ciphertexts: 51, encapsulations: 41 },
] as const;
const cases = PROVIDERS.flatMap((provider) =>
  SIZES.map((size) => ({ name: provider.name, provider, ...size })),
);

describe.each(cases)('ML-KEM-$bits of the $name provider agrees with Wycheproof', (size) => {
  const kem = size.provider.kem(`ml-kem-${size.bits}`)!;

  test('key generation from a seed', () =>
    runWycheproof(`mlkem_${size.bits}_keygen_seed`, size.keys, (c) => {
      const made = toHex(kem.fromSeed(c.bytes('seed')).encapsulationKey);
      return made === c.text('ek') ? undefined : `made ${made}`;
    }));

  test('decapsulation', () =>
    runWycheproof(`mlkem_${size.bits}`, size.ciphertexts, (c) => {
      let secret: string;
      try {
        secret = toHex(kem.fromSeed(c.bytes('seed')).decapsulate(c.bytes('c')));
      } catch (error) {
        if (!(error instanceof CryptoError && error.code === 'bad-length')) return `threw ${error}`;
        return c.result === 'invalid' ? undefined : 'refused';
      }
      if (c.result === 'invalid') return 'decapsulated';
      return secret === c.text('K') ? undefined : `gave ${secret}`;
    }));

  test('encapsulation keys that FIPS 203 §7.2 refuses', () =>
    runWycheproof(`mlkem_${size.bits}_encaps`, size.encapsulations, (c) => {
      try {
        kem.encapsulate(c.bytes('ek'));
      } catch (error) {
        return error instanceof CryptoError && error.code === 'bad-key' ? undefined : `threw ${error}`;
      }
      return 'encapsulated';
    }));
});
