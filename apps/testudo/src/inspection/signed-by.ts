import { nodeCrypto } from '@testudo/crypto/node';
import { type AlgorithmIdentifier, type Certificate, signatureAlgorithmOf } from '@testudo/x509';

/** A certificate, or a list of revoked ones. */
interface Signed {
  readonly signatureAlgorithm: AlgorithmIdentifier;
  readonly tbs: Uint8Array;
  readonly signature: Uint8Array;
}

/** Whether a CA's key has signed it; with an algorithm that is weak or not known, it has not. */
export function isSignedBy({ signatureAlgorithm, tbs, signature }: Signed, authority: Certificate): boolean {
  const known = signatureAlgorithmOf(signatureAlgorithm);
  if (known.kind !== 'supported') return false;
  try {
    return nodeCrypto.verify(known.algorithm, authority.publicKey(nodeCrypto), tbs, signature);
  } catch {
    return false;
  }
}
