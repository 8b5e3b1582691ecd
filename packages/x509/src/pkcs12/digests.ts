import { type DerReader, type Oid, Tag } from '@testudo/codec';
import type { DigestName } from '@testudo/crypto';

/** A hash that a file names; `name` is undefined for one that is not known. */
export interface NamedDigest {
  readonly oid: Oid;
  readonly name: DigestName | undefined;
}

/** Reads the AlgorithmIdentifier of a hash. Throws DecodeError. */
export function readDigest(reader: DerReader): NamedDigest {
  return readNamed(reader, DIGESTS);
}

/** Reads the AlgorithmIdentifier of an HMAC with a hash. Throws DecodeError. */
export function readHmacDigest(reader: DerReader): NamedDigest {
  return readNamed(reader, HMACS);
}

function readNamed(reader: DerReader, known: Readonly<Record<Oid, DigestName>>): NamedDigest {
  return reader.sequence((algorithm) => {
    const oid = algorithm.oid();
    if (algorithm.peek() === Tag.null) algorithm.null();
    return { oid, name: known[oid] };
  });
}

/** RFC 8017 §B.1, and NIST's list of its own. */
const DIGESTS: Readonly<Record<Oid, DigestName>> = {
  '1.2.840.113549.2.5': 'md5',
  '1.3.14.3.2.26': 'sha1',
  '1.3.36.3.2.1': 'ripemd160',
  '2.16.840.1.101.3.4.2.1': 'sha256',
  '2.16.840.1.101.3.4.2.2': 'sha384',
  '2.16.840.1.101.3.4.2.3': 'sha512',
  '2.16.840.1.101.3.4.2.4': 'sha224',
  '2.16.840.1.101.3.4.2.5': 'sha512-224',
  '2.16.840.1.101.3.4.2.6': 'sha512-256',
  '2.16.840.1.101.3.4.2.7': 'sha3-224',
  '2.16.840.1.101.3.4.2.8': 'sha3-256',
  '2.16.840.1.101.3.4.2.9': 'sha3-384',
  '2.16.840.1.101.3.4.2.10': 'sha3-512',
};

/** RFC 8018 §B.1.2, and NIST's. */
const HMACS: Readonly<Record<Oid, DigestName>> = {
  '1.2.840.113549.2.6': 'md5',
  '1.2.840.113549.2.7': 'sha1',
  '1.2.840.113549.2.8': 'sha224',
  '1.2.840.113549.2.9': 'sha256',
  '1.2.840.113549.2.10': 'sha384',
  '1.2.840.113549.2.11': 'sha512',
  '1.2.840.113549.2.12': 'sha512-224',
  '1.2.840.113549.2.13': 'sha512-256',
  '2.16.840.1.101.3.4.2.13': 'sha3-224',
  '2.16.840.1.101.3.4.2.14': 'sha3-256',
  '2.16.840.1.101.3.4.2.15': 'sha3-384',
  '2.16.840.1.101.3.4.2.16': 'sha3-512',
};
