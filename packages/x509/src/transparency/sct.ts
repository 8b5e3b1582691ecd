import { concat, DecodeError, Reader } from '@testudo/codec';
import { CertificateError } from '../errors.ts';
import type { Extensions } from '../extensions.ts';
import { parseExtension } from '../parse-der.ts';
import { OCSP_SCT_LIST_OID, SCT_LIST_OID } from './oids.ts';

/** How a timestamp came: policies tell them apart. */
export type SctOrigin = 'certificate' | 'tls' | 'ocsp';

/** A log's promise to publish a certificate (RFC 6962 §3.2, version 1). Nothing is verified yet. */
export interface SignedCertificateTimestamp {
  readonly origin: SctOrigin;
  /** SHA-256 of the log's key. */
  readonly logId: Uint8Array;
  /** Milliseconds since 1970. */
  readonly timestamp: bigint;
  readonly extensions: Uint8Array;
  /** HashAlgorithm and SignatureAlgorithm of TLS 1.2 (RFC 5246 §7.4.1.4.1), one byte each. */
  readonly hashAlgorithm: number;
  readonly signatureAlgorithm: number;
  readonly signature: Uint8Array;
}

/** Timestamps in one list that are looked at: real lists have two to five. */
const MOST_TIMESTAMPS = 32;

/**
 * Reads a SignedCertificateTimestampList (RFC 6962 §3.3). Timestamps of versions that are not known are skipped, as the
 * RFC asks. Throws {@link CertificateError} `malformed`.
 */
export function parseSctList(bytes: Uint8Array, origin: SctOrigin): readonly SignedCertificateTimestamp[] {
  try {
    const serialized = readItems(new Reader(bytes));
    return serialized.flatMap((item) => readSct(item, origin));
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw new CertificateError('malformed', `not a list of SCTs: ${error.message}`, undefined, error);
  }
}

/** Timestamps in a certificate, none when it has no such extension. Throws {@link CertificateError} `malformed`. */
export function embeddedScts(extensions: Extensions): readonly SignedCertificateTimestamp[] {
  return extensionScts(extensions, SCT_LIST_OID, 'certificate');
}

/** Timestamps among the extensions of an OCSP answer. Throws {@link CertificateError} `malformed`. */
export function ocspScts(extensions: Extensions): readonly SignedCertificateTimestamp[] {
  return extensionScts(extensions, OCSP_SCT_LIST_OID, 'ocsp');
}

/** A list, encoded: what stands in a TLS extension, and inside an OCTET STRING in a certificate. */
export function encodeSctList(scts: readonly SignedCertificateTimestamp[]): Uint8Array {
  const items = scts.map((sct) => prefixed(encodeSct(sct)));
  return prefixed(concat(...items));
}

function encodeSct(sct: SignedCertificateTimestamp): Uint8Array {
  return concat(
    Uint8Array.of(0),
    sct.logId,
    uint64Bytes(sct.timestamp),
    prefixed(sct.extensions),
    Uint8Array.of(sct.hashAlgorithm, sct.signatureAlgorithm),
    prefixed(sct.signature),
  );
}

/** A 64-bit number, big-endian. */
export function uint64Bytes(value: bigint): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, value);
  return bytes;
}

/** Bytes behind their length in 2 bytes. Throws `RangeError` over 65,535. */
export function prefixed(bytes: Uint8Array): Uint8Array {
  if (bytes.length > 0xffff) throw new RangeError(`${bytes.length} bytes do not fit in a 16-bit length`);
  return concat(Uint8Array.of(bytes.length >> 8, bytes.length & 0xff), bytes);
}

function extensionScts(
  extensions: Extensions,
  oid: string,
  origin: SctOrigin,
): readonly SignedCertificateTimestamp[] {
  const bytes = parseExtension(extensions.get(oid), 'SignedCertificateTimestampList', (reader) =>
    reader.octetString(),
  );
  return bytes === undefined ? [] : parseSctList(bytes, origin);
}

function readItems(reader: Reader): Uint8Array[] {
  const items: Uint8Array[] = [];
  reader.scope(reader.uint16(), (inner) => {
    while (inner.remaining > 0) {
      if (items.length >= MOST_TIMESTAMPS)
        throw inner.error('bad-length', `more than ${MOST_TIMESTAMPS} timestamps`);
      const length = inner.uint16();
      if (length === 0) throw inner.error('bad-length', 'an empty timestamp');
      items.push(inner.take(length));
    }
  });
  reader.expectEnd();
  if (items.length === 0) throw reader.error('bad-length', 'an empty list of timestamps');
  return items;
}

function readSct(bytes: Uint8Array, origin: SctOrigin): SignedCertificateTimestamp[] {
  const reader = new Reader(bytes);
  if (reader.uint8() !== 0) return [];
  const sct: SignedCertificateTimestamp = {
    origin,
    logId: reader.take(32),
    timestamp: reader.uint64(),
    extensions: reader.take(reader.uint16()),
    hashAlgorithm: reader.uint8(),
    signatureAlgorithm: reader.uint8(),
    signature: reader.take(reader.uint16()),
  };
  reader.expectEnd();
  return [sct];
}
