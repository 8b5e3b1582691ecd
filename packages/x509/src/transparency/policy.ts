import type { Certificate } from '../certificate.ts';
import { CertificateError } from '../errors.ts';
import type { Extensions } from '../extensions.ts';
import type { LogState } from './log-list.ts';
import {
  embeddedScts,
  ocspScts,
  parseSctList,
  type SctOrigin,
  type SignedCertificateTimestamp,
} from './sct.ts';
import { type SctVerdict, type SctVerification, verifySct } from './verify-sct.ts';

/** How many timestamps of whom a certificate needs: data, so that a program can make its own. */
export interface TransparencyPolicy {
  /** Embedded timestamps needed, by the certificate's lifetime in days: the first entry that is long enough counts. */
  readonly embedded: readonly { readonly upToDays: number; readonly timestamps: number }[];
  /** Timestamps needed when they come by TLS or OCSP. */
  readonly delivered: number;
  /** Different operators among them. */
  readonly operators: number;
  /** States in which a log's timestamps count. */
  readonly states: readonly LogState[];
  /** Whether embedded timestamps of a log that is retired by now count, when they are older than that. */
  readonly acceptsRetired: boolean;
}

/** What Chrome demands, and Apple nearly so (Chrome's certificate transparency policy of 2022). */
export const BROWSER_TRANSPARENCY: TransparencyPolicy = {
  embedded: [
    { upToDays: 180, timestamps: 2 },
    { upToDays: Number.POSITIVE_INFINITY, timestamps: 3 },
  ],
  delivered: 2,
  operators: 2,
  states: ['qualified', 'usable', 'readonly'],
  acceptsRetired: true,
};

export interface TransparencyCheck extends SctVerification {
  readonly policy?: TransparencyPolicy | undefined;
  /** The list in the TLS extension signed_certificate_timestamp. */
  readonly tlsList?: Uint8Array | undefined;
  /** Extensions of the stapled OCSP answer, which must be verified already. */
  readonly ocspExtensions?: Extensions | undefined;
}

export interface TransparencyVerdict {
  readonly complies: boolean;
  /** Why not, for people; undefined when it complies. */
  readonly reason: string | undefined;
  readonly timestamps: readonly SctVerdict[];
}

/**
 * Whether a certificate is logged as the policy demands: by its embedded timestamps, or by those that came with the
 * handshake. Throws nothing: what cannot be read counts as absent.
 */
export function checkTransparency(check: TransparencyCheck): TransparencyVerdict {
  const policy = check.policy ?? BROWSER_TRANSPARENCY;
  const problems: string[] = [];
  const timestamps = unique([
    ...attempt(problems, () => embeddedScts(check.certificate.extensions)),
    ...attempt(problems, () => (check.tlsList === undefined ? [] : parseSctList(check.tlsList, 'tls'))),
    ...attempt(problems, () => (check.ocspExtensions === undefined ? [] : ocspScts(check.ocspExtensions))),
  ]).map((sct) => verifySct(sct, check));
  const embedded = shortfall(timestamps, ['certificate'], embeddedNeeded(check.certificate, policy), policy);
  const delivered = shortfall(timestamps, ['tls', 'ocsp'], policy.delivered, policy);
  const complies = embedded === undefined || delivered === undefined;
  const invalid = timestamps.flatMap((verdict) => (verdict.valid ? [] : [verdict.reason]));
  const reason = complies ? undefined : [embedded, ...problems, ...invalid].join('; ');
  return { complies, reason, timestamps };
}

/** What is missing among the timestamps of these origins; undefined when nothing is. */
function shortfall(
  verdicts: readonly SctVerdict[],
  origins: readonly SctOrigin[],
  needed: number,
  policy: TransparencyPolicy,
): string | undefined {
  const counted = verdicts.filter(
    (verdict) => verdict.valid && origins.includes(verdict.sct.origin) && counts(verdict, policy),
  ) as (SctVerdict & { valid: true })[];
  const logs = new Set(counted.map(({ sct }) => sct.logId.join()));
  if (logs.size < needed)
    return `${needed} timestamps from logs are needed, but only ${logs.size} ${logs.size === 1 ? 'counts' : 'count'}`;
  // A retired log counts, but not all of them may be.
  if (!counted.some(({ log }) => policy.states.includes(log.state)))
    return 'no timestamp is from a log that is in use';
  const operators = new Set(counted.map(({ log }) => log.operator)).size;
  return operators < policy.operators
    ? `timestamps from ${policy.operators} operators are needed, but only ${operators} ${operators === 1 ? 'counts' : 'count'}`
    : undefined;
}

function counts({ sct, log }: SctVerdict & { valid: true }, policy: TransparencyPolicy): boolean {
  if (policy.states.includes(log.state)) return true;
  return (
    policy.acceptsRetired &&
    sct.origin === 'certificate' &&
    log.state === 'retired' &&
    log.stateSince !== undefined &&
    sct.timestamp < BigInt(+log.stateSince)
  );
}

function embeddedNeeded({ notBefore, notAfter }: Certificate, policy: TransparencyPolicy): number {
  const days = (+notAfter - +notBefore) / 86_400_000;
  const row = policy.embedded.find(({ upToDays }) => days <= upToDays);
  return row?.timestamps ?? Number.POSITIVE_INFINITY;
}

/** One of each log and origin: the same twice is no second opinion, and costs a signature. */
function unique(scts: readonly SignedCertificateTimestamp[]): SignedCertificateTimestamp[] {
  const seen = new Set<string>();
  return scts.filter(({ origin, logId, timestamp }) => {
    const key = `${origin} ${logId.join()} ${timestamp}`;
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

function attempt<T>(problems: string[], read: () => readonly T[]): readonly T[] {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof CertificateError)) throw error;
    problems.push(error.message);
    return [];
  }
}
