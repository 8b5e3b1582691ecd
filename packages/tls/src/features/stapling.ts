import { decode, encode, list, opaque, uint8 } from '@testudo/codec';
import type { Credential } from '../certificates/credential.ts';
import type { OcspResponses } from '../certificates/types.ts';
import { MAX_OCSP_RESPONSES } from '../config/defaults.ts';
import { TlsError } from '../errors.ts';
import type { ExtensionBlock } from '../extensions/block.ts';
import { statusRequest, statusRequestV2 } from '../extensions/certificate-status.ts';
import type { CertificateStatus } from '../messages/certificate-status.ts';

/** CertificateStatusType (RFC 6066 §8, RFC 6961 §2.2). */
const OCSP = 1;
const OCSP_MULTI = 2;

/** ocsp_multi first, then ocsp; no responders and no extensions named in either (RFC 6961 §2.2). */
export const OCSP_REQUESTS_V2: Uint8Array = Uint8Array.of(
  ...[0, 14],
  ...[OCSP_MULTI, 0, 4, 0, 0, 0, 0],
  ...[OCSP, 0, 4, 0, 0, 0, 0],
);

const requests = list(2, {
  read(reader) {
    const type = reader.uint8();
    reader.take(reader.uint16());
    return type;
  },
  write: uint8.write,
});

const responses = list(3, opaque(3), 3);

/** The OCSP response for a certificate of a credential's chain. */
export function stapledResponse(credential: Credential, index: number): Uint8Array | undefined {
  return credential.ocspResponses?.[index] ?? (index === 0 ? credential.ocspResponse : undefined);
}

/** Up to TLS 1.2: what a server staples for this client, and the extension that announces it (RFC 6066 §8, RFC 6961 §2.2). */
export function statusFor(
  asked: ExtensionBlock<'client_hello'>,
  credential: Credential | undefined,
):
  | { readonly extension: typeof statusRequest | typeof statusRequestV2; readonly status: CertificateStatus }
  | undefined {
  if (credential === undefined) return undefined;
  const leaf = stapledResponse(credential, 0);
  const types = asked.get(statusRequestV2);
  if (types !== undefined) {
    const known = decode(requests, types).find((type) => type === OCSP || type === OCSP_MULTI);
    if (known === OCSP_MULTI && (leaf !== undefined || credential.ocspResponses?.some(Boolean))) {
      const all = credential.certificates.map((_, index) => stapledResponse(credential, index) ?? NOTHING);
      // The list goes into the message with a length of its own, which the message writes.
      const response = encode(responses, all).subarray(LIST_LENGTH);
      return { extension: statusRequestV2, status: { statusType: OCSP_MULTI, response } };
    }
    if (known === OCSP && leaf !== undefined) {
      return { extension: statusRequestV2, status: { statusType: OCSP, response: leaf } };
    }
  }
  if (leaf === undefined || !asked.has(statusRequest)) return undefined;
  return { extension: statusRequest, status: { statusType: OCSP, response: leaf } };
}

/** Up to TLS 1.2: the responses in a server's message, by the extension that announced it. Throws `illegal-parameter`. */
export function responsesIn(status: CertificateStatus, isV2: boolean): OcspResponses {
  const { statusType, response } = status;
  if (statusType === OCSP && response.length > 0) return [response];
  if (statusType === OCSP_MULTI && isV2) return multiple(response);
  throw new TlsError('illegal-parameter', `certificate status of type ${statusType}`);
}

function multiple(response: Uint8Array): OcspResponses {
  const framed = new Uint8Array(LIST_LENGTH + response.length);
  framed.set([response.length >> 16, response.length >> 8, response.length]);
  framed.set(response, LIST_LENGTH);
  const all = decode(responses, framed);
  if (all.length > MAX_OCSP_RESPONSES)
    throw new TlsError('illegal-parameter', `more than ${MAX_OCSP_RESPONSES} OCSP responses`);
  return all.map((each) => (each.length === 0 ? undefined : each));
}

const LIST_LENGTH = 3;
const NOTHING = new Uint8Array(0);
