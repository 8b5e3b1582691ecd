import { concat, toHex } from '@testudo/codec';
import { CryptoError, type CryptoProvider, type SignatureAlgorithm } from '@testudo/crypto';
import type { Certificate } from '../certificate.ts';
import { CertificateError } from '../errors.ts';
import type { CertificateLog, LogList } from './log-list.ts';
import { precertificateTbs } from './precertificate.ts';
import { prefixed, type SignedCertificateTimestamp, uint64Bytes } from './sct.ts';

/** What became of one timestamp. */
export type SctVerdict =
  | { readonly valid: true; readonly sct: SignedCertificateTimestamp; readonly log: CertificateLog }
  | { readonly valid: false; readonly sct: SignedCertificateTimestamp; readonly reason: string };

export interface SctVerification {
  readonly provider: CryptoProvider;
  readonly certificate: Certificate;
  /** Who issued it: a precertificate's signature covers its key. */
  readonly issuer: Certificate;
  readonly logs: LogList;
  readonly at: Date;
}

/** Verifies a timestamp (RFC 6962 §3.2, §5.2). Throws nothing. */
export function verifySct(sct: SignedCertificateTimestamp, context: SctVerification): SctVerdict {
  const fail = (reason: string): SctVerdict => ({ valid: false, sct, reason });
  const log = context.logs.get(sct.logId);
  if (log === undefined) return fail(`it is from an unknown log: ${toHex(sct.logId).slice(0, 16)}…`);
  if (sct.timestamp > BigInt(+context.at)) return fail('its date is in the future');
  const { interval } = log;
  const { notAfter } = context.certificate;
  if (interval !== undefined && (notAfter < interval.start || notAfter >= interval.end))
    return fail('the log does not accept certificates that expire at that time');
  const algorithm = ALGORITHMS[`${sct.hashAlgorithm} ${sct.signatureAlgorithm}`];
  if (algorithm === undefined) return fail('it is signed with an algorithm that logs do not use');
  try {
    const key = context.provider.importPublicKey(log.spki);
    const isGood = context.provider.verify(algorithm, key, signedBytes(sct, context), sct.signature);
    return isGood
      ? { valid: true, sct, log }
      : fail('the signature is not the log\u2019s, or not for this certificate');
  } catch (error) {
    if (error instanceof CryptoError || error instanceof CertificateError) return fail(error.message);
    throw error;
  }
}

/** SHA-256 with ECDSA or RSA (RFC 6962 §2.1.4). */
const ALGORITHMS: Readonly<Record<string, SignatureAlgorithm>> = {
  '4 3': { name: 'ecdsa', hash: 'sha256' },
  '4 1': { name: 'rsa-pkcs1', hash: 'sha256' },
};

/**
 * The struct under digitally-signed (RFC 6962 §3.2): for a timestamp inside the certificate, the precertificate's content
 * and the issuer's key; for one that came beside it, the certificate itself.
 */
export function signedBytes(
  sct: Pick<SignedCertificateTimestamp, 'origin' | 'timestamp' | 'extensions'>,
  { provider, certificate, issuer }: Pick<SctVerification, 'provider' | 'certificate' | 'issuer'>,
): Uint8Array {
  const isPrecertificate = sct.origin === 'certificate';
  const entry = isPrecertificate
    ? concat(provider.digest('sha256', issuer.spki), prefixed24(precertificateTbs(certificate.tbs)))
    : prefixed24(certificate.der);
  return concat(
    // Version 1, certificate_timestamp.
    Uint8Array.of(0, 0),
    uint64Bytes(sct.timestamp),
    Uint8Array.of(0, isPrecertificate ? 1 : 0),
    entry,
    prefixed(sct.extensions),
  );
}

function prefixed24(bytes: Uint8Array): Uint8Array {
  const { length } = bytes;
  return concat(Uint8Array.of(length >> 16, (length >> 8) & 0xff, length & 0xff), bytes);
}
