import { Tag } from '@testudo/codec';
import type { Certificate } from './certificate.ts';
import { KeyOid } from './oids.ts';
import { parseDer } from './parse-der.ts';

/**
 * Whether the key writes the parameters of its curve out, which no certificate may do (RFC 5480 §2.1.1): they would have to be
 * compared with care (CVE-2020-0601). Throws {@link CertificateError} `malformed`.
 */
export function hasSpecifiedCurve({ spki }: Certificate): boolean {
  return parseDer('a public key', spki, (reader) =>
    reader.sequence((info) => {
      const isSpecified = info.sequence((algorithm) => {
        const isCurve = algorithm.oid() === KeyOid.ec && algorithm.peek() === Tag.sequence;
        while (algorithm.remaining > 0) algorithm.whole();
        return isCurve;
      });
      info.whole();
      return isSpecified;
    }),
  );
}
