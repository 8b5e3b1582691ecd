import { createPrivateKey, createPublicKey, diffieHellman, type KeyObject } from 'node:crypto';
import { decodeDer, der } from '@testudo/codec';
import { CryptoError } from '../errors.ts';
import { leftPadded, usableGroup } from '../finite-field.ts';
import type { AgreementKey, KeyAgreement } from '../provider.ts';
import { plain } from './bytes.ts';
import { randomBytes } from './random.ts';

/**
 * Diffie-Hellman over key objects. `createDiffieHellman` would check that the prime is one, which on newer Nodes takes up
 * to half a minute and which a peer could make us do.
 */
export function finiteField(prime: Uint8Array, generator: Uint8Array): KeyAgreement | undefined {
  const group = usableGroup(prime, generator);
  const length = group.prime.length;
  // PKCS #3 §9: dhKeyAgreement.
  const algorithm = der.sequence(
    der.oid('1.2.840.113549.1.3.1'),
    der.sequence(der.unsigned(group.prime), der.unsigned(group.generator)),
  );

  function agreementKey(exponent: Uint8Array): AgreementKey {
    const privateKey = importExponent(algorithm, exponent);
    return {
      publicKey: leftPadded(publicValue(privateKey), length),
      agree(peerPublicKey: Uint8Array): Uint8Array {
        const value = group.publicValue(peerPublicKey);
        const key = Buffer.from(der.sequence(algorithm, der.bitString(der.unsigned(value))));
        try {
          const publicKey = createPublicKey({ key, format: 'der', type: 'spki' });
          return leftPadded(plain(diffieHellman({ privateKey, publicKey })), length);
        } catch {
          // In groups that it knows, OpenSSL also checks that the value is a square.
          throw new CryptoError('bad-key', "the peer's Diffie-Hellman value is not in the group");
        }
      },
    };
  }

  return {
    generate: () => agreementKey(group.freshExponent(randomBytes)),
    fromPrivate: (privateKey: Uint8Array) => agreementKey(group.privateValue(privateKey)),
  };
}

function importExponent(algorithm: Uint8Array, exponent: Uint8Array): KeyObject {
  const pkcs8 = der.sequence(der.integer(0), algorithm, der.octetString(der.unsigned(exponent)));
  const key = Buffer.from(pkcs8.buffer, pkcs8.byteOffset, pkcs8.length);
  try {
    return createPrivateKey({ key, format: 'der', type: 'pkcs8' });
  } catch {
    throw new CryptoError('bad-key', 'an unusable Diffie-Hellman private key');
  } finally {
    key.fill(0);
    exponent.fill(0);
  }
}

function publicValue(privateKey: KeyObject): Uint8Array {
  const spki = plain(createPublicKey(privateKey).export({ format: 'der', type: 'spki' }));
  const bits = decodeDer(spki, (outer) =>
    outer.sequence((reader) => {
      reader.whole();
      return reader.wholeBytesBitString();
    }),
  );
  return decodeDer(bits, (reader) => reader.unsigned());
}
