import { type DerReader, der, type Oid, Tag } from '@testudo/codec';
import type { HashName } from '@testudo/crypto';

/** Hash functions as AlgorithmIdentifiers (RFC 4055 §2.1, RFC 8018 §B.1). MD5 is never one of them. */
const HASH_OIDS: Readonly<Record<Exclude<HashName, 'md5'>, Oid>> = {
  sha1: '1.3.14.3.2.26',
  sha224: '2.16.840.1.101.3.4.2.4',
  sha256: '2.16.840.1.101.3.4.2.1',
  sha384: '2.16.840.1.101.3.4.2.2',
  sha512: '2.16.840.1.101.3.4.2.3',
};

/** A hash that a peer named; `name` is undefined for one that is not known. */
export interface NamedHash {
  readonly oid: Oid;
  readonly name: HashName | undefined;
}

/** Reads an AlgorithmIdentifier of a hash, with NULL or without parameters. Throws DecodeError. */
export function readHashAlgorithm(reader: DerReader): NamedHash {
  return reader.sequence((algorithm) => {
    const oid = algorithm.oid();
    if (algorithm.peek() === Tag.null) algorithm.null();
    return { oid, name: hashNameOf(oid) };
  });
}

/** The AlgorithmIdentifier, DER, with NULL: what every implementation reads. Throws `RangeError` on MD5. */
export function encodeHashAlgorithm(hash: HashName): Uint8Array {
  if (hash === 'md5') throw new RangeError('MD5 is no longer used as a hash algorithm here');
  return der.sequence(der.oid(HASH_OIDS[hash]), der.nullValue());
}

function hashNameOf(oid: Oid): HashName | undefined {
  for (const [name, known] of Object.entries(HASH_OIDS)) if (known === oid) return name as HashName;
  return undefined;
}
