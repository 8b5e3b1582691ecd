import type { CryptoProvider, PublicKey } from '@testudo/crypto';
import { type AlgorithmIdentifier, signatureAlgorithmOf } from './algorithm.ts';
import type { Certificate } from './certificate.ts';

/** What a certificate, a CRL, an OCSP response and a certification request have in common. */
export interface SignedData {
  /** The bytes that are signed, DER. */
  readonly tbs: Uint8Array;
  readonly signatureAlgorithm: AlgorithmIdentifier;
  readonly signature: Uint8Array;
}

/** RSA moduli that count, in bits: shorter ones can be broken, longer ones only cost time. */
const RSA_BITS = { least: 2048, most: 8192 } as const;

/** Why `key` did not sign `data`, for people; undefined when it did. MD5 and SHA-1 never do. Throws nothing. */
export function signatureProblem(
  provider: CryptoProvider,
  data: SignedData,
  key: PublicKey,
): string | undefined {
  const verdict = signatureAlgorithmOf(data.signatureAlgorithm);
  if (verdict.kind !== 'supported') return `it is signed with ${verdict.name}, which is ${verdict.kind}`;
  const { kind } = key;
  if (kind.type === 'rsa' || kind.type === 'rsa-pss') {
    if (kind.bits < RSA_BITS.least) return `the signer's RSA key has only ${kind.bits} bits`;
    if (kind.bits > RSA_BITS.most) return `the signer's RSA key has ${kind.bits} bits, more than allowed`;
  }
  return provider.verify(verdict.algorithm, key, data.tbs, data.signature)
    ? undefined
    : 'the signature is not by that key';
}

/** As {@link signatureProblem}, by the key of a certificate. Throws CertificateError when the key cannot be used. */
export function signatureProblemBy(
  provider: CryptoProvider,
  data: SignedData,
  signer: Certificate,
): string | undefined {
  return signatureProblem(provider, data, signer.publicKey(provider));
}

/** Whether a moment lies in a certificate's validity; `notAfter`'s last second counts whole. */
export function isValidAt(certificate: Certificate, at: Date): boolean {
  return at >= certificate.notBefore && Math.floor(+at / 1000) * 1000 <= +certificate.notAfter;
}
