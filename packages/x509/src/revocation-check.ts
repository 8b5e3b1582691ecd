import type { Certificate } from './certificate.ts';
import type { VerificationProfile } from './profile.ts';

/** What is asked about one certificate of a candidate path, whose signatures are already verified. */
export interface RevocationRequest {
  readonly certificate: Certificate;
  /** The next in the path: its key verified the signature on `certificate`. */
  readonly issuer: Certificate;
  /** The moment at which everything must be valid. */
  readonly at: Date;
  /** Leaf to trust anchor, both included. */
  readonly path: readonly Certificate[];
  /** Where in `path` the certificate stands: 0 is the leaf. The trust anchor is never asked about. */
  readonly index: number;
  /** What keys and signatures of the path are held to, and so those of CRLs and OCSP responses. Default {@link compatibleProfile}. */
  readonly profile?: VerificationProfile | undefined;
}

/** The answer for one certificate. */
export type RevocationStatus =
  | { readonly status: 'good' }
  /** `reason` as in RFC 5280 §5.3.1, for people: `keyCompromise`. */
  | { readonly status: 'revoked'; readonly reason?: string | undefined; readonly since?: Date | undefined }
  /** Nothing that could be believed says anything; `reason` says why, for people. */
  | {
      readonly status: 'unknown';
      readonly reason: string;
      /** True where soft-fail does not help: a certificate that demands a stapled answer (RFC 7633) came without one. */
      readonly mustRefuse?: boolean | undefined;
    };

/**
 * Looks up whether certificates are revoked: from lists, stapled responses, or what was fetched before. Asked for each
 * certificate of a path from the leaf up, once everything else about the path is right; a path with a certificate
 * that is refused is given up, and another is tried.
 */
export interface RevocationChecker {
  /** What becomes of a path with a certificate of unknown status: `accept` is soft-fail, `refuse` hard-fail. */
  readonly onUnknown: 'accept' | 'refuse';
  /** Must not throw, and not wait. */
  check(request: RevocationRequest): RevocationStatus;
}

/** As {@link RevocationChecker}, for the verification that may wait: it may fetch. */
export interface AsyncRevocationChecker {
  readonly onUnknown: 'accept' | 'refuse';
  /** Must not throw or reject. */
  check(request: RevocationRequest): RevocationStatus | Promise<RevocationStatus>;
}
