import { bytesEqual } from '@testudo/codec';
import type { CryptoProvider } from '@testudo/crypto';
import { Certificate } from '../certificate.ts';
import { CertificateError } from '../errors.ts';
import { KeyPurposeOid } from '../oids.ts';
import type { VerificationProfile } from '../profile.ts';
import type { RevocationStatus } from '../revocation-check.ts';
import { isValidAt, signatureProblemBy } from '../signed-data.ts';
import { OCSP_SCT_LIST_OID } from '../transparency/oids.ts';
import { isIssuedBy, publicKeyBits } from './ocsp-certificate-id.ts';
import {
  type BasicOcspResponse,
  type OcspResponse,
  type OcspSingleResponse,
  parseOcspResponse,
} from './ocsp-response.ts';
import { OcspOid } from './oids.ts';
import { endOf, type RevocationPolicy, SOFT_FAIL, stalenessOf } from './policy.ts';

export interface OcspVerification {
  readonly provider: CryptoProvider;
  /** DER, or already parsed. */
  readonly response: Uint8Array | OcspResponse;
  /** Whom it must be about. */
  readonly certificate: Certificate;
  readonly issuer: Certificate;
  readonly at: Date;
  /** Default {@link SOFT_FAIL}; its mode does not matter here. */
  readonly policy?: RevocationPolicy | undefined;
  /** What the responder's key and signature are held to. Default {@link compatibleProfile}. */
  readonly profile?: VerificationProfile | undefined;
  /** What was sent. A response with another nonce is refused; one without is, when `requiresNonce`. */
  readonly nonce?: Uint8Array | undefined;
  /** Default false: responders that make their answers ahead of time cannot repeat a nonce. */
  readonly requiresNonce?: boolean | undefined;
}

/** A status with the answer that it comes from; `unknown` without one when the response is not to be believed. */
export type OcspFinding = RevocationStatus & {
  readonly answer?: OcspSingleResponse | undefined;
  /** Until when the answer counts. */
  readonly until?: Date | undefined;
};

/**
 * What a response says about a certificate, once everything about it is right (RFC 6960 §3.2): signed by the certificate's
 * issuer or a responder to which that delegated (RFC 6960 §4.2.2.2), about this certificate, current. Never throws.
 */
export function verifyOcspResponse(verification: OcspVerification): OcspFinding {
  try {
    return verified(verification);
  } catch (error) {
    if (!(error instanceof CertificateError)) throw error;
    return unknown(error.message);
  }
}

function verified(verification: OcspVerification): OcspFinding {
  const { provider, certificate, issuer, at, nonce, policy = SOFT_FAIL, profile } = verification;
  const response = parsed(verification.response);
  if (response.basic === undefined) return unknown(`the OCSP responder says ${response.status}`);
  const basic = response.basic;

  // RFC 6960 §3.2, item 1
  const answer = worstOf(
    basic.responses.filter(({ certificateId, certificateStatus }) => {
      if (!bytesEqual(certificateId.serialNumber, certificate.serialNumber)) return false;
      // With a hash that is not known, the issuer cannot be told: what is revoked is rather taken for this one.
      const isUnclear = certificateId.hash.name === undefined && certificateStatus.status === 'revoked';
      return isUnclear || isIssuedBy(certificateId, issuer, provider);
    }),
  );
  if (answer === undefined) return unknown('the OCSP response is about another certificate');
  const critical = [...basic.extensions, ...answer.extensions].find(
    ({ critical, oid }) => critical && !PROCESSED.has(oid),
  );
  if (critical !== undefined)
    return unknown(`the OCSP response has the critical extension ${critical.oid}, which is not supported`);
  const nonceProblem = problemOfNonce(basic, nonce, verification.requiresNonce === true);
  if (nonceProblem !== undefined) return unknown(nonceProblem);
  // RFC 6960 §3.2, items 5 and 6
  const stale =
    stalenessOf(answer, at, policy) ??
    (+basic.producedAt > +at + 1000 * policy.clockSkew ? 'its date is in the future' : undefined);
  if (stale !== undefined) return unknown(`the OCSP response is not current: ${stale}`);
  // RFC 6960 §3.2, items 2 to 4
  const signer = problemOfSigner(basic, issuer, { provider, at, policy, profile });
  if (signer !== undefined) return unknown(signer);

  const until = endOf(answer, policy);
  const { certificateStatus } = answer;
  if (certificateStatus.status === 'unknown')
    return { ...unknown('the OCSP responder does not know the certificate'), answer, until };
  return { ...certificateStatus, answer, until };
}

/** Extensions that we know: what is timestamped in a response (RFC 6962 §3.3) takes nothing from what it says. */
const PROCESSED: ReadonlySet<string> = new Set([OcspOid.nonce, OCSP_SCT_LIST_OID]);

const SEVERITY = { good: 0, unknown: 1, revoked: 2 } as const;

/**
 * A certificate may be answered for more than once, by CertIDs of several hashes: then the worst counts, whether it is
 * current or not, since what a responder says beside it takes nothing back. Of equal ones the newest counts.
 */
function worstOf(answers: readonly OcspSingleResponse[]): OcspSingleResponse | undefined {
  return answers.toSorted(
    (a, b) =>
      SEVERITY[b.certificateStatus.status] - SEVERITY[a.certificateStatus.status] ||
      +b.thisUpdate - +a.thisUpdate,
  )[0];
}

function parsed(response: Uint8Array | OcspResponse): OcspResponse {
  return response instanceof Uint8Array ? parseOcspResponse(response) : response;
}

/** Where we sent a nonce, one in the response must be the same (RFC 6960 §4.4.1). */
function problemOfNonce(
  basic: BasicOcspResponse,
  sent: Uint8Array | undefined,
  isRequired: boolean,
): string | undefined {
  if (sent === undefined) return undefined;
  if (basic.nonce === undefined)
    return isRequired ? 'the OCSP response does not repeat the nonce' : undefined;
  return bytesEqual(basic.nonce, sent) ? undefined : 'the OCSP response answers another request (nonce)';
}

interface SignerContext {
  readonly provider: CryptoProvider;
  readonly at: Date;
  readonly policy: RevocationPolicy;
  readonly profile: VerificationProfile | undefined;
}

/** RFC 6960 §4.2.2.2: the issuer itself, or a responder that has a certificate by it for this purpose. */
function problemOfSigner(
  basic: BasicOcspResponse,
  issuer: Certificate,
  context: SignerContext,
): string | undefined {
  const { provider, profile } = context;
  let problem = 'its certificate is missing';
  if (isResponder(basic, issuer, provider)) {
    const found = signatureProblemBy(provider, basic, issuer, profile);
    if (found === undefined) return undefined;
    problem = found;
  }
  for (const bytes of basic.certificates) {
    try {
      const responder = Certificate.parse(bytes);
      if (!isResponder(basic, responder, provider)) continue;
      const found =
        problemOfDelegation(responder, issuer, context) ??
        signatureProblemBy(provider, basic, responder, profile);
      if (found === undefined) return undefined;
      problem = found;
    } catch (error) {
      if (!(error instanceof CertificateError)) throw error;
      problem = error.message;
    }
  }
  return `the OCSP responder is not authorized: ${problem}`;
}

/** Whether a CA has delegated OCSP to whom a certificate is for: RFC 6960 §4.2.2.2, §4.2.2.2.1. */
function problemOfDelegation(
  responder: Certificate,
  issuer: Certificate,
  { provider, at, policy, profile }: SignerContext,
): string | undefined {
  const { extensions } = responder;
  if (!responder.issuer.equals(issuer.subject)) return 'its certificate was issued by another CA';
  if (extensions.extendedKeyUsage?.includes(KeyPurposeOid.ocspSigning) !== true)
    return 'its certificate is not for OCSP signing';
  if (extensions.keyUsage?.has('digitalSignature') === false)
    return 'its certificate is not for signatures (keyUsage)';
  const unknownCritical = extensions.firstUnknownCritical;
  if (unknownCritical !== undefined)
    return `its certificate has the critical extension ${unknownCritical}, which is not supported`;
  if (!isValidAt(responder, at)) return 'its certificate is not valid at this time';
  const needsNoCheck = extensions.hasOcspNoCheck;
  if (policy.requiresNoCheck && !needsNoCheck)
    return 'its certificate would have to be checked for revocation itself (it lacks id-pkix-ocsp-nocheck)';
  return signatureProblemBy(provider, responder, issuer, profile);
}

/** Whether a ResponderID (RFC 6960 §4.2.2.3) means who has this certificate. */
function isResponder(
  { responderId }: BasicOcspResponse,
  certificate: Certificate,
  provider: CryptoProvider,
): boolean {
  if (responderId.kind === 'name') return responderId.name.equals(certificate.subject);
  return bytesEqual(responderId.keyHash, provider.digest('sha1', publicKeyBits(certificate.spki)));
}

function unknown(reason: string): { readonly status: 'unknown'; readonly reason: string } {
  return { status: 'unknown', reason };
}
