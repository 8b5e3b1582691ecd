import { contextConstructedTag, contextTag, type DerReader, decodeDer, Tag } from '@testudo/codec';
import { type AlgorithmIdentifier, readAlgorithm, readSignature } from '../algorithm.ts';
import { DistinguishedName } from '../distinguished-name.ts';
import { Extensions } from '../extensions.ts';
import { parseDer } from '../parse-der.ts';
import type { SignedData } from '../signed-data.ts';
import { type OcspCertificateId, readCertificateId } from './ocsp-certificate-id.ts';
import { nonceOf, readOcspExtensions } from './ocsp-request.ts';
import { OcspOid } from './oids.ts';
import { type RevocationReason, readReason } from './reasons.ts';

/** OCSPResponseStatus (RFC 6960 §4.2.1) by its number. 4 is not used. */
export const OCSP_RESPONSE_STATUSES = {
  successful: 0,
  malformedRequest: 1,
  internalError: 2,
  tryLater: 3,
  sigRequired: 5,
  unauthorized: 6,
} as const;

export type OcspResponseStatus = keyof typeof OCSP_RESPONSE_STATUSES;

/** What is said about one certificate (RFC 6960 §4.2.1). */
export type OcspCertificateStatus =
  | { readonly status: 'good' }
  | {
      readonly status: 'revoked';
      readonly since: Date;
      readonly reason: RevocationReason | undefined;
    }
  /** The responder does not know the certificate. */
  | { readonly status: 'unknown' };

/** The answer about one certificate. */
export interface OcspSingleResponse {
  readonly certificateId: OcspCertificateId;
  readonly certificateStatus: OcspCertificateStatus;
  readonly thisUpdate: Date;
  readonly nextUpdate: Date | undefined;
  readonly extensions: Extensions;
}

/** Who signed: by name, or by the SHA-1 of the key. */
export type OcspResponderId =
  | { readonly kind: 'name'; readonly name: DistinguishedName }
  | { readonly kind: 'key'; readonly keyHash: Uint8Array };

/** A signed answer (RFC 6960 §4.2.1, BasicOCSPResponse). Nothing is verified yet. */
export interface BasicOcspResponse extends SignedData {
  readonly responderId: OcspResponderId;
  readonly producedAt: Date;
  readonly responses: readonly OcspSingleResponse[];
  readonly extensions: Extensions;
  readonly nonce: Uint8Array | undefined;
  /** Certificates of the responder, DER. */
  readonly certificates: readonly Uint8Array[];
}

export type OcspResponse =
  | { readonly status: 'successful'; readonly basic: BasicOcspResponse }
  | { readonly status: Exclude<OcspResponseStatus, 'successful'>; readonly basic?: undefined };

/** Longest response that is read, in bytes; most answers and most certificates in one. */
export const OCSP_RESPONSE_LIMITS = { length: 262_144, answers: 256, certificates: 8 } as const;

/** Parses a response (RFC 6960 §4.2). Throws CertificateError `malformed`. */
export function parseOcspResponse(bytes: Uint8Array): OcspResponse {
  return parseDer('an OCSP response', bytes, (reader) => {
    if (bytes.length > OCSP_RESPONSE_LIMITS.length)
      throw reader.error('bad-length', `a response of ${bytes.length} bytes`);
    return reader.sequence((response): OcspResponse => {
      const status = readStatus(response);
      const basic = response.explicit(0, (inner) => inner.sequence(readResponseBytes));
      if (status !== 'successful') return { status };
      if (basic === undefined) throw response.error('truncated', 'a successful response without an answer');
      return { status, basic };
    });
  });
}

function readStatus(reader: DerReader): OcspResponseStatus {
  const offset = reader.offset;
  const number = reader.smallInteger(255, Tag.enumerated);
  for (const [name, known] of Object.entries(OCSP_RESPONSE_STATUSES))
    if (known === number) return name as OcspResponseStatus;
  throw reader.error('bad-value', `a response status of ${number}`, offset);
}

function readResponseBytes(reader: DerReader): BasicOcspResponse {
  const offset = reader.offset;
  const type = reader.oid();
  if (type !== OcspOid.basicResponse) throw reader.error('bad-value', `a response of type ${type}`, offset);
  return decodeDer(reader.octetString(), readBasic);
}

function readBasic(reader: DerReader): BasicOcspResponse {
  return reader.sequence((basic) => {
    const tbs = basic.whole(Tag.sequence);
    const signatureAlgorithm: AlgorithmIdentifier = readAlgorithm(basic);
    const signature = readSignature(basic);
    const certificates = basic.explicit(0, (list) =>
      list.sequenceOf((one) => one.whole(Tag.sequence), Tag.sequence, OCSP_RESPONSE_LIMITS.certificates),
    );
    const data = decodeDer(tbs, (outer) => outer.sequence(readData));
    return { tbs, signatureAlgorithm, signature, certificates: certificates ?? [], ...data };
  });
}

type ResponseData = Omit<BasicOcspResponse, keyof SignedData | 'certificates'>;

function readData(data: DerReader): ResponseData {
  data.explicit(0, (version) => version.smallInteger(0));
  const responderId = readResponderId(data);
  const producedAt = readGeneralizedTime(data);
  const responses = data.sequenceOf(readSingle, Tag.sequence, OCSP_RESPONSE_LIMITS.answers);
  if (responses.length === 0) throw data.error('bad-length', 'a response about no certificate');
  const extensions = data.explicit(1, readOcspExtensions) ?? new Extensions([]);
  return { responderId, producedAt, responses, extensions, nonce: nonceOf(extensions) };
}

function readResponderId(data: DerReader): OcspResponderId {
  const name = data.explicit(1, (inner) => new DistinguishedName(inner.whole(Tag.sequence)));
  if (name !== undefined) return { kind: 'name', name };
  const keyHash = data.explicit(2, (inner) => inner.octetString());
  if (keyHash === undefined) throw data.error('bad-value', 'a responder without a name or key hash');
  return { kind: 'key', keyHash };
}

function readSingle(reader: DerReader): OcspSingleResponse {
  return reader.sequence((single) => ({
    certificateId: readCertificateId(single),
    certificateStatus: readCertificateStatus(single),
    thisUpdate: readGeneralizedTime(single),
    nextUpdate: single.explicit(0, readGeneralizedTime),
    extensions: single.explicit(1, readOcspExtensions) ?? new Extensions([]),
  }));
}

/** good [0] and unknown [2] are NULL, revoked [1] is RevokedInfo, all IMPLICIT. */
function readCertificateStatus(reader: DerReader): OcspCertificateStatus {
  const offset = reader.offset;
  const tag = reader.peek();
  if (tag === contextConstructedTag(1))
    return reader.read(tag, (info) => ({
      status: 'revoked',
      since: readGeneralizedTime(info),
      reason: info.explicit(0, (inner) => readReason(inner)),
    }));
  if (tag !== contextTag(0) && tag !== contextTag(2))
    throw reader.error('bad-value', 'neither good, revoked nor unknown');
  if (reader.content(tag).length > 0) throw reader.error('bad-length', 'a NULL with content', offset);
  return { status: tag === contextTag(0) ? 'good' : 'unknown' };
}

function readGeneralizedTime(reader: DerReader): Date {
  if (reader.peek() !== Tag.generalizedTime)
    throw reader.error('bad-value', 'not a GeneralizedTime where one was expected');
  return reader.time();
}
