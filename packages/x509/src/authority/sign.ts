import { der } from '@testudo/codec';
import type { CryptoProvider, PrivateKey } from '@testudo/crypto';
import { encodeSignatureAlgorithm, signatureAlgorithmFor } from '../algorithm.ts';

/** SEQUENCE { what is signed, algorithm, signature, rest }: the form of CRLs, requests and OCSP answers. */
export function signedSequence(
  provider: CryptoProvider,
  key: PrivateKey,
  tbs: (algorithm: Uint8Array) => Uint8Array,
  rest?: Uint8Array,
): Uint8Array {
  const algorithm = signatureAlgorithmFor(key.kind);
  const encoded = encodeSignatureAlgorithm(algorithm);
  const signed = tbs(encoded);
  return der.sequence(signed, encoded, der.bitString(provider.sign(algorithm, key, signed)), rest);
}
