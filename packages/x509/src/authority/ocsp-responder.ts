import { der } from '@testudo/codec';
import type { CryptoProvider, PrivateKey } from '@testudo/crypto';
import type { Certificate } from '../certificate.ts';
import { CertificateError } from '../errors.ts';
import {
  encodeCertificateId,
  isIssuedBy,
  type OcspCertificateId,
  publicKeyBits,
} from '../revocation/ocsp-certificate-id.ts';
import { encodeNonce, parseOcspRequest, type ReceivedOcspRequest } from '../revocation/ocsp-request.ts';
import {
  OCSP_RESPONSE_STATUSES,
  type OcspCertificateStatus,
  type OcspResponseStatus,
} from '../revocation/ocsp-response.ts';
import { OcspOid } from '../revocation/oids.ts';
import { REVOCATION_REASONS } from '../revocation/reasons.ts';
import { signedSequence } from './sign.ts';

export interface OcspResponderOptions {
  readonly provider: CryptoProvider;
  /** The CA whose certificates are asked about. */
  readonly issuer: Certificate;
  /** Who signs: the CA itself, or a responder that has a certificate of the CA for OCSP signing. */
  readonly signer: { readonly certificate: Certificate; readonly privateKey: PrivateKey };
  /** What is known about a certificate of the CA, by serial number: `unknown` for one that it never issued. */
  readonly statusOf: (serialNumber: Uint8Array) => OcspCertificateStatus | Promise<OcspCertificateStatus>;
  /** The moment of the answer. */
  readonly at: Date;
  /** Seconds for which an answer counts. Default 86,400: a day. */
  readonly validity?: number | undefined;
}

/** Longest nonce that is repeated, in bytes (RFC 9654 §2.1 asks for 128). */
const LONGEST_NONCE = 128;

/**
 * Answers an OCSP request (RFC 6960): request bytes in, response bytes out. What cannot be read is answered with
 * `malformedRequest`; a request about other CAs' certificates only, with `unauthorized` (RFC 5019 §2.2.3); when
 * `statusOf` fails, with `internalError`. Never throws for what the request says.
 */
export async function answerOcspRequest(
  request: Uint8Array,
  options: OcspResponderOptions,
): Promise<Uint8Array> {
  let parsed: ReceivedOcspRequest;
  try {
    parsed = parseOcspRequest(request);
  } catch (error) {
    if (error instanceof CertificateError) return ocspErrorResponse('malformedRequest');
    throw error;
  }
  const { issuer, provider } = options;
  if (!parsed.certificateIds.some((id) => isIssuedBy(id, issuer, provider)))
    return ocspErrorResponse('unauthorized');
  try {
    const statuses: OcspCertificateStatus[] = [];
    for (const id of parsed.certificateIds)
      statuses.push(
        isIssuedBy(id, issuer, provider) ? await options.statusOf(id.serialNumber) : { status: 'unknown' },
      );
    return signedResponse(parsed, statuses, options);
  } catch {
    return ocspErrorResponse('internalError');
  }
}

/** A response that only says why there is no answer. It is not signed (RFC 6960 §2.3). */
export function ocspErrorResponse(status: Exclude<OcspResponseStatus, 'successful'>): Uint8Array {
  return der.sequence(der.enumerated(OCSP_RESPONSE_STATUSES[status]));
}

/** BasicOCSPResponse (RFC 6960 §4.2.1), with the nonce of the request (RFC 9654 §2.1). */
function signedResponse(
  request: ReceivedOcspRequest,
  statuses: readonly OcspCertificateStatus[],
  options: OcspResponderOptions,
): Uint8Array {
  const { provider, issuer, signer, at } = options;
  const nextUpdate = new Date(+at + 1000 * (options.validity ?? 86_400));
  const answers = request.certificateIds.map((id, i) => encodeAnswer(id, statuses[i]!, at, nextUpdate));
  const nonce =
    request.nonce !== undefined && request.nonce.length <= LONGEST_NONCE ? request.nonce : undefined;
  const certificates = signer.certificate.equals(issuer)
    ? undefined
    : der.explicit(0, der.sequence(signer.certificate.der));
  const basic = signedSequence(
    provider,
    signer.privateKey,
    () =>
      der.sequence(
        encodeResponderId(options),
        der.generalizedTime(at),
        der.sequence(...answers),
        nonce && der.explicit(1, der.sequence(encodeNonce(nonce))),
      ),
    certificates,
  );
  return der.sequence(
    der.enumerated(OCSP_RESPONSE_STATUSES.successful),
    der.explicit(0, der.sequence(der.oid(OcspOid.basicResponse), der.octetString(basic))),
  );
}

/**
 * By key, which is short (RFC 5019 §2.2.1); the CA itself by name, since some (GnuTLS) take the key's hash for the
 * subjectKeyIdentifier, which may be made otherwise.
 */
function encodeResponderId({ provider, issuer, signer }: OcspResponderOptions): Uint8Array {
  if (signer.certificate.equals(issuer)) return der.explicit(1, issuer.subject.der);
  return der.explicit(2, der.octetString(provider.digest('sha1', publicKeyBits(signer.certificate.spki))));
}

/** SingleResponse (RFC 6960 §4.2.1); its times are those of §4.2.2.1. */
function encodeAnswer(
  id: OcspCertificateId,
  status: OcspCertificateStatus,
  thisUpdate: Date,
  nextUpdate: Date,
): Uint8Array {
  return der.sequence(
    encodeCertificateId(id),
    encodeStatus(status),
    der.generalizedTime(thisUpdate),
    der.explicit(0, der.generalizedTime(nextUpdate)),
  );
}

function encodeStatus(status: OcspCertificateStatus): Uint8Array {
  switch (status.status) {
    case 'good':
      return der.implicit(0, der.nullValue());
    case 'unknown':
      return der.implicit(2, der.nullValue());
    case 'revoked': {
      const { reason } = status;
      const code =
        reason === undefined || reason === 'unspecified'
          ? undefined
          : der.explicit(0, der.enumerated(REVOCATION_REASONS[reason]));
      return der.implicit(1, der.sequence(der.generalizedTime(status.since), code));
    }
  }
}
