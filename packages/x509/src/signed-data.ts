import type { CryptoProvider, PublicKey } from '@testudo/crypto';
import type { AlgorithmIdentifier } from './algorithm.ts';
import { type AlgorithmDemands, acceptedSignature, breachOfKey, isBreach } from './algorithm-demands.ts';
import type { Certificate } from './certificate.ts';
import { compatibleProfile } from './profile.ts';

/** What a certificate, a CRL, an OCSP response and a certification request have in common. */
export interface SignedData {
  /** The bytes that are signed, DER. */
  readonly tbs: Uint8Array;
  readonly signatureAlgorithm: AlgorithmIdentifier;
  readonly signature: Uint8Array;
}

/**
 * Why `key` did not sign `data`, for people; undefined when it did. Key and algorithm must be such as the profile accepts
 * in a certificate. Throws nothing.
 */
export function signatureProblem(
  provider: CryptoProvider,
  data: SignedData,
  key: PublicKey,
  demands: AlgorithmDemands = compatibleProfile,
): string | undefined {
  const algorithm = acceptedSignature(data.signatureAlgorithm, demands);
  if (isBreach(algorithm)) return algorithm.what;
  const breach = breachOfKey(key.kind, demands);
  if (breach !== undefined) return `its signer is not accepted: ${breach.what}`;
  return provider.verify(algorithm, key, data.tbs, data.signature)
    ? undefined
    : 'the signature was not made with that key';
}

/** As {@link signatureProblem}, by the key of a certificate. Throws CertificateError when the key cannot be used. */
export function signatureProblemBy(
  provider: CryptoProvider,
  data: SignedData,
  signer: Certificate,
  demands?: AlgorithmDemands,
): string | undefined {
  return signatureProblem(provider, data, signer.publicKey(provider), demands);
}

/** Whether a moment lies in a certificate's validity; `notAfter`'s last second counts whole. */
export function isValidAt(certificate: Certificate, at: Date): boolean {
  return at >= certificate.notBefore && Math.floor(+at / 1000) * 1000 <= +certificate.notAfter;
}
