import { rules12, type VersionRules } from '../tls12/version-rules.ts';
import { TLS10, TLS11 } from '../versions.ts';
import { prf10 } from './prf10.ts';
import { UNNAMED_SCHEMES } from './unnamed-schemes.ts';

/** TLS 1.1 (RFC 4346): MD5 and SHA-1 in everything, and an IV in each CBC record. */
export const rules11: VersionRules = {
  ...rules12,
  version: TLS11,
  transcriptHash: () => 'md5-sha1',
  prf: (provider, _suite, secret, label, seed, length) => prf10(provider, secret, label, seed, length),
  signatureSchemes: () => UNNAMED_SCHEMES,
  clientSignatureSchemes: () => UNNAMED_SCHEMES,
  namesSignatureSchemes: false,
};

/** TLS 1.0 (RFC 2246): as TLS 1.1, but that a record's IV is the end of the record before. */
export const rules10: VersionRules = { ...rules11, version: TLS10, explicitIv: false };
