import { der } from '@testudo/codec';
import type { Certificate } from '../certificate.ts';
import type { Extension, Extensions } from '../extensions.ts';
import { parseExtension } from '../parse-der.ts';
import { RevocationOid } from './oids.ts';

/** TLS extensions that say "a stapled OCSP response is there": status_request and status_request_v2. */
const STATUS_REQUESTS: ReadonlySet<number> = new Set([5, 17]);

/** TLS extensions that the server must use with this certificate (RFC 7633 §4). Throws CertificateError `malformed`. */
export function tlsFeaturesOf(extensions: Extensions): readonly number[] {
  return (
    parseExtension(extensions.get(RevocationOid.tlsFeature), 'tlsFeature', (reader) => {
      const features = reader.sequenceOf((item) => item.smallInteger(0xffff), undefined, 64);
      if (features.length === 0) throw reader.error('bad-length', 'an empty list of features');
      return features;
    }) ?? []
  );
}

/** Whether the certificate counts only with a stapled response ("must-staple", RFC 7633 §4). Throws as {@link tlsFeaturesOf}. */
export function demandsStapling(certificate: Certificate): boolean {
  return demandsStaplingOf(certificate.extensions);
}

/** The same of extensions that stand elsewhere, as in a certification request. */
export function demandsStaplingOf(extensions: Extensions): boolean {
  return tlsFeaturesOf(extensions).some((feature) => STATUS_REQUESTS.has(feature));
}

/** The extension of a certificate that demands stapling. */
export const MUST_STAPLE: Extension = {
  oid: RevocationOid.tlsFeature,
  critical: false,
  value: der.sequence(der.integer(5)),
};
