import { contextConstructedTag, DerReader, decodeDer, type Oid, Tag } from '@testudo/codec';
import { Certificate, KeyPurposeOid } from '@testudo/x509';

/** The certificate in a PEM block; OpenSSL does not look at what is behind it. Throws CertificateError, DecodeError. */
export function certificateIn(block: Uint8Array): Certificate {
  return Certificate.parse(new DerReader(block).whole(Tag.sequence));
}

/**
 * The same for OpenSSL's `TRUSTED CERTIFICATE`: behind the certificate may be what it is trusted for. `isRejected` says
 * that this is no TLS.
 */
export function trustedCertificateIn(block: Uint8Array): { certificate: Certificate; isRejected: boolean } {
  const reader = new DerReader(block);
  const certificate = Certificate.parse(reader.whole(Tag.sequence));
  const rest = block.subarray(block.length - reader.remaining);
  return { certificate, isRejected: rest.length > 0 && decodeDer(rest, rejectsTls) };
}

/** X509_CERT_AUX of OpenSSL: trust, reject [0], alias, key identifier, other [1]; all of them may be missing. */
function rejectsTls(reader: DerReader): boolean {
  return reader.sequence((settings) => {
    const trusted = settings.peek() === Tag.sequence ? settings.sequenceOf((item) => item.oid()) : undefined;
    const rejected =
      settings.peek() === contextConstructedTag(0)
        ? settings.sequenceOf((item) => item.oid(), contextConstructedTag(0))
        : [];
    while (settings.remaining > 0) settings.whole();
    return rejected.some(isTls) || (trusted !== undefined && !trusted.some(isTls));
  });
}

function isTls(purpose: Oid): boolean {
  return TLS_PURPOSES.includes(purpose);
}

const TLS_PURPOSES: readonly Oid[] = [KeyPurposeOid.serverAuth, KeyPurposeOid.clientAuth, KeyPurposeOid.any];
