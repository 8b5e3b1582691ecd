import { contextConstructedTag, type DerReader, der, Tag } from '@testudo/codec';
import { parseDer } from '../parse-der.ts';
import { POISON_OID, SCT_LIST_OID } from './oids.ts';

/**
 * The TBSCertificate that a log signed before the certificate was made (RFC 6962 §3.2): that of the certificate without
 * its list of timestamps, or that of the precertificate without its poison; everything else to the byte.
 * Throws CertificateError `malformed`.
 */
export function precertificateTbs(tbs: Uint8Array): Uint8Array {
  return parseDer('a TBSCertificate', tbs, (reader) =>
    reader.sequence((inner) => {
      const parts: Uint8Array[] = [];
      while (inner.remaining > 0)
        parts.push(inner.peek() === EXTENSIONS ? withoutTimestamps(inner) : inner.whole());
      return der.sequence(...parts);
    }),
  );
}

const EXTENSIONS = contextConstructedTag(3);

function withoutTimestamps(reader: DerReader): Uint8Array {
  return reader.read(EXTENSIONS, (explicit) => {
    const kept = explicit.sequenceOf((item) => {
      const whole = item.whole(Tag.sequence);
      const oid = parseDer('an extension', whole, (extension) => {
        const inner = extension.enter(Tag.sequence);
        return inner.oid();
      });
      return oid === SCT_LIST_OID || oid === POISON_OID ? undefined : whole;
    });
    return der.explicit(3, der.sequence(...kept));
  });
}
