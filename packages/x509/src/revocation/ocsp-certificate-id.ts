import { bytesEqual, type DerReader, decodeDer, der, Tag } from '@testudo/codec';
import type { CryptoProvider, HashName } from '@testudo/crypto';
import type { Certificate } from '../certificate.ts';
import { encodeHashAlgorithm, type NamedHash, readHashAlgorithm } from '../hash-algorithm.ts';
import { parseDer } from '../parse-der.ts';

/** Which certificate is asked about: its serial number, and its issuer by name and key (RFC 6960 §4.1.1, CertID). */
export interface OcspCertificateId {
  readonly hash: NamedHash;
  readonly issuerNameHash: Uint8Array;
  readonly issuerKeyHash: Uint8Array;
  /** Two's complement, big-endian, as in the certificate. */
  readonly serialNumber: Uint8Array;
}

/**
 * The CertID of a certificate. Nothing rests on the hash but to be understood, and not all responders know
 * more than SHA-1 (RFC 9654 and 5019 have it as the common ground): it is the default.
 */
export function ocspCertificateId(
  provider: CryptoProvider,
  serialNumber: Uint8Array,
  issuer: Certificate,
  hash: HashName = 'sha1',
): OcspCertificateId {
  const named = decodeDer(encodeHashAlgorithm(hash), readHashAlgorithm);
  return { hash: named, serialNumber, ...issuerHashes(provider, issuer, hash) };
}

/** Reads a CertID. Throws DecodeError. */
export function readCertificateId(reader: DerReader): OcspCertificateId {
  return reader.sequence((id) => ({
    hash: readHashAlgorithm(id),
    issuerNameHash: id.octetString(),
    issuerKeyHash: id.octetString(),
    serialNumber: id.integerBytes(),
  }));
}

export function encodeCertificateId(id: OcspCertificateId): Uint8Array {
  return der.sequence(
    der.sequence(der.oid(id.hash.oid), der.nullValue()),
    der.octetString(id.issuerNameHash),
    der.octetString(id.issuerKeyHash),
    der.element(Tag.integer, id.serialNumber),
  );
}

/** Whether a CertID means a certificate of this issuer. False for a hash that is not known. */
export function isIssuedBy(id: OcspCertificateId, issuer: Certificate, provider: CryptoProvider): boolean {
  if (id.hash.name === undefined) return false;
  const expected = issuerHashes(provider, issuer, id.hash.name);
  return (
    bytesEqual(id.issuerNameHash, expected.issuerNameHash) &&
    bytesEqual(id.issuerKeyHash, expected.issuerKeyHash)
  );
}

/** The bits of a SubjectPublicKeyInfo's key, without tag, length and count of unused bits. Throws CertificateError. */
export function publicKeyBits(spki: Uint8Array): Uint8Array {
  return parseDer('a public key', spki, (reader) =>
    reader.sequence((inner) => {
      inner.whole(Tag.sequence);
      return inner.wholeBytesBitString();
    }),
  );
}

interface IssuerHashes {
  readonly issuerNameHash: Uint8Array;
  readonly issuerKeyHash: Uint8Array;
}

function issuerHashes(provider: CryptoProvider, issuer: Certificate, hash: HashName): IssuerHashes {
  return {
    issuerNameHash: provider.digest(hash, issuer.subject.der),
    issuerKeyHash: provider.digest(hash, publicKeyBits(issuer.spki)),
  };
}
