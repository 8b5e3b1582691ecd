import { toHex } from '@testudo/codec';
import { CryptoError } from '@testudo/crypto';
import { describe, test } from 'vitest';
import { PROVIDERS } from './providers.ts';
import { runWycheproof } from './wycheproof.ts';

describe.each(PROVIDERS)('ML-KEM-768 of the $name provider agrees with Wycheproof', (provider) => {
  const kem = provider.kem('ml-kem-768')!;

  test('key generation from a seed', () =>
    runWycheproof('mlkem_768_keygen_seed', 100, (c) => {
      const made = toHex(kem.fromSeed(c.bytes('seed')).encapsulationKey);
      return made === c.text('ek') ? undefined : `made ${made}`;
    }));

  test('decapsulation', () =>
    runWycheproof('mlkem_768', 193, (c) => {
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
    runWycheproof('mlkem_768_encaps', 132, (c) => {
      try {
        kem.encapsulate(c.bytes('ek'));
      } catch (error) {
        return error instanceof CryptoError && error.code === 'bad-key' ? undefined : `threw ${error}`;
      }
      return 'encapsulated';
    }));
});
