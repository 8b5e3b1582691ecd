/** What is demanded of what says whether certificates are revoked: data, so that a program can make its own. */
export interface RevocationPolicy {
  /**
   * `off`: nothing is asked. `soft-fail`: a certificate is refused when it is known to be revoked, and accepted when
   * nothing can be learned, as browsers do. `hard-fail`: it must be known to be good.
   */
  readonly mode: 'off' | 'soft-fail' | 'hard-fail';
  /** Which certificates of a path are asked about: all but the trust anchor, or the leaf only. */
  readonly scope: 'path' | 'leaf';
  /** Seconds by which clocks may differ. */
  readonly clockSkew: number;
  /** Seconds for which an answer or a list counts that does not say when the next one comes. */
  readonly maximumAge: number;
  /** Whether a certificate that demands a stapled OCSP response (RFC 7633) is refused without one, in any mode but `off`. */
  readonly enforceMustStaple: boolean;
  /**
   * Whether the certificate of a delegated OCSP responder must have id-pkix-ocsp-nocheck (RFC 6960 §4.2.2.2.1). Without
   * that its own revocation would have to be looked up elsewhere, which nobody does.
   */
  readonly requiresNoCheck: boolean;
  /** Whether a CRL without a number, or with a critical one, proves nothing good (RFC 5280 §5.2.3). */
  readonly requiresCrlNumber: boolean;
}

/** What browsers do. */
export const SOFT_FAIL: RevocationPolicy = {
  mode: 'soft-fail',
  scope: 'path',
  clockSkew: 300,
  maximumAge: 86_400,
  enforceMustStaple: true,
  requiresNoCheck: false,
  requiresCrlNumber: true,
};

/** No certificate without an answer. */
export const HARD_FAIL: RevocationPolicy = { ...SOFT_FAIL, mode: 'hard-fail', requiresNoCheck: true };

/** Nothing is asked. */
export const NO_REVOCATION: RevocationPolicy = { ...SOFT_FAIL, mode: 'off', enforceMustStaple: false };

/**
 * Whether an answer is current at a moment; else why not, for people. Times of RFC 5280 §5.1.2.4, §5.1.2.5, RFC 6960 §4.2.2.1.
 */
export function stalenessOf(
  times: { readonly thisUpdate: Date; readonly nextUpdate: Date | undefined },
  at: Date,
  policy: Pick<RevocationPolicy, 'clockSkew' | 'maximumAge'>,
): string | undefined {
  const skew = 1000 * policy.clockSkew;
  if (+times.thisUpdate > +at + skew) return `its date is in the future: ${times.thisUpdate.toISOString()}`;
  const end = endOf(times, policy);
  if (+end + skew < +at) return `it was current until ${end.toISOString()}`;
  if (times.nextUpdate !== undefined && times.nextUpdate < times.thisUpdate)
    return 'it ends before it begins';
  return undefined;
}

/** Until when an answer counts, clock skew left aside. */
export function endOf(
  times: { readonly thisUpdate: Date; readonly nextUpdate: Date | undefined },
  policy: Pick<RevocationPolicy, 'maximumAge'>,
): Date {
  return times.nextUpdate ?? new Date(+times.thisUpdate + 1000 * policy.maximumAge);
}
