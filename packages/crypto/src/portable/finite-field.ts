import { CryptoError } from '../errors.ts';
import { usableGroup } from '../finite-field.ts';
import type { AgreementKey, KeyAgreement } from '../provider.ts';
import { modularPower, toBytes, toInteger } from './integers.ts';
import { randomBytes } from './random.ts';

/**
 * Diffie-Hellman by BigInt. Its arithmetic is not constant in time, so a key should serve one handshake, as TLS's
 * ephemeral keys do: what one run tells about an exponent is no use for the next. (A secret with leading zeros takes less
 * time; that only matters to a server that keeps its key: the Raccoon attack.)
 */
export function finiteField(prime: Uint8Array, generator: Uint8Array): KeyAgreement | undefined {
  const group = usableGroup(prime, generator);
  const modulus = toInteger(group.prime);
  const base = toInteger(group.generator);
  const length = group.prime.length;

  function agreementKey(privateKey: Uint8Array): AgreementKey {
    const exponent = toInteger(privateKey);
    return {
      publicKey: toBytes(modularPower(base, exponent, modulus), length),
      agree(peerPublicKey: Uint8Array): Uint8Array {
        const value = toInteger(group.publicValue(peerPublicKey));
        const secret = modularPower(value, exponent, modulus);
        // With a prime that is none, or an exponent that someone chose.
        if (secret <= 1n) throw new CryptoError('bad-key', "the peer's Diffie-Hellman value gives no secret");
        return toBytes(secret, length);
      },
    };
  }

  return {
    generate: () => agreementKey(group.freshExponent(randomBytes)),
    fromPrivate: (privateKey: Uint8Array) => agreementKey(group.privateValue(privateKey)),
  };
}
