import { type DerReader, Tag } from '@testudo/codec';
import { parseDer } from './parse-der.ts';

/**
 * The SubjectPublicKeyInfo (DER) of a certificate of which nothing else is looked at: times, extensions and names may be
 * whatever they are. For who has to check a signature by that key before anybody decides whether the certificate is good, or who
 * does not want to know. Throws {@link CertificateError} `malformed`.
 */
export function subjectPublicKeyInfoOf(der: Uint8Array): Uint8Array {
  return parseDer('a certificate', der, (reader) =>
    reader.sequence((certificate) => {
      const spki = certificate.sequence(readKey);
      skipRest(certificate);
      return spki;
    }),
  );
}

/** TBSCertificate (RFC 5280 §4.1): the key is the sixth field, or the seventh behind the version. */
function readKey(tbs: DerReader): Uint8Array {
  const before = tbs.peek() === VERSION ? 6 : 5;
  for (let i = 0; i < before; i++) tbs.whole();
  const spki = tbs.whole(Tag.sequence);
  skipRest(tbs);
  return spki;
}

function skipRest(reader: DerReader): void {
  while (reader.remaining > 0) reader.whole();
}

const VERSION = 0xa0;
