import { type DerReader, der, Tag } from '@testudo/codec';
import { Extensions, readExtension } from '../extensions.ts';
import { parseDer, parseExtension } from '../parse-der.ts';
import { encodeCertificateId, type OcspCertificateId, readCertificateId } from './ocsp-certificate-id.ts';
import { OcspOid } from './oids.ts';

/** A question about one or several certificates (RFC 6960 §4.1). */
export interface OcspRequest {
  readonly certificateIds: readonly OcspCertificateId[];
  /** What the response must repeat to be fresh; 1 to 128 bytes (RFC 9654 §2.1). */
  readonly nonce?: Uint8Array | undefined;
}

/** What was read of a request. */
export interface ReceivedOcspRequest extends OcspRequest {
  readonly extensions: Extensions;
  /** Somebody signed it; the signature is not looked at, since answers are for everybody. */
  readonly isSigned: boolean;
}

/** Longest request that is read, in bytes, and most certificates in one. */
export const OCSP_REQUEST_LIMITS = { length: 16_384, certificates: 64 } as const;

/** Bytes of a nonce that we make (RFC 9654 §2.1). */
export const OCSP_NONCE_LENGTH = 32;

/** DER of a request. Throws `RangeError` without a certificate. */
export function encodeOcspRequest(request: OcspRequest): Uint8Array {
  if (request.certificateIds.length === 0)
    throw new RangeError('an OCSP request needs at least one certificate');
  const requests = request.certificateIds.map((id) => der.sequence(encodeCertificateId(id)));
  const extensions = request.nonce && der.explicit(2, der.sequence(encodeNonce(request.nonce)));
  return der.sequence(der.sequence(der.sequence(...requests), extensions));
}

/** Parses a request. Throws CertificateError `malformed`. */
export function parseOcspRequest(bytes: Uint8Array): ReceivedOcspRequest {
  return parseDer('an OCSP request', bytes, (reader) => {
    if (bytes.length > OCSP_REQUEST_LIMITS.length)
      throw reader.error('bad-length', `a request of ${bytes.length} bytes`);
    return reader.sequence((outer) => {
      const request = outer.sequence(readTbs);
      const isSigned = outer.explicit(0, (signature) => signature.whole(Tag.sequence)) !== undefined;
      return { ...request, isSigned };
    });
  });
}

/** The nonce among extensions; the OCTET STRING stands inside another one. Throws CertificateError `malformed`. */
export function nonceOf(extensions: Extensions): Uint8Array | undefined {
  return parseExtension(extensions.get(OcspOid.nonce), 'nonce', (reader) => {
    const nonce = reader.octetString();
    if (nonce.length < 1 || nonce.length > 128)
      throw reader.error('bad-length', `a nonce of ${nonce.length} bytes`);
    return nonce;
  });
}

/** A nonce as an extension, DER. */
export function encodeNonce(nonce: Uint8Array): Uint8Array {
  return der.sequence(der.oid(OcspOid.nonce), der.octetString(der.octetString(nonce)));
}

/** Reads `Extensions`, whose list must not be empty. Throws DecodeError. */
export function readOcspExtensions(reader: DerReader): Extensions {
  const list = reader.sequenceOf(readExtension, Tag.sequence, 32);
  if (list.length === 0) throw reader.error('bad-length', 'an empty list of extensions');
  return new Extensions(list);
}

function readTbs(tbs: DerReader): Omit<ReceivedOcspRequest, 'isSigned'> {
  // Version 1 is the DEFAULT, which DER leaves out; some write it.
  tbs.explicit(0, (version) => version.smallInteger(0));
  tbs.explicit(1, (requestor) => requestor.whole());
  const certificateIds = tbs.sequenceOf(readOne, Tag.sequence, OCSP_REQUEST_LIMITS.certificates);
  if (certificateIds.length === 0) throw tbs.error('bad-length', 'a request about no certificate');
  const extensions = tbs.explicit(2, readOcspExtensions) ?? new Extensions([]);
  return { certificateIds, extensions, nonce: nonceOf(extensions) };
}

function readOne(reader: DerReader): OcspCertificateId {
  return reader.sequence((request) => {
    const id = readCertificateId(request);
    request.explicit(0, readOcspExtensions);
    return id;
  });
}
