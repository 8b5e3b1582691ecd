import { bytesEqual } from '@testudo/codec';
import type { CertificateToVerify, CertificateVerifier } from '@testudo/tls';
import {
  type Certificate,
  CertificateError,
  certificateAtFault,
  type LogList,
  type PathTree,
} from '@testudo/x509';
import { messageOf } from '../failure.ts';
import { shown } from '../output/text.ts';
import {
  type CertificateReport,
  certificateReport,
  certificateReportOf,
} from '../report/certificate-report.ts';
import {
  type RevocationEvidence,
  revocationEvidence,
  type TransparencyEvidence,
  transparencyEvidence,
} from './evidence.ts';
import type { ServerVerdict } from './server-verifier.ts';

/** A certificate's place in what the server sent, and what is to be said about it. */
export interface JudgedCertificate extends CertificateReport {
  readonly role: 'server' | 'intermediate' | 'root' | 'not used';
  /** False for a root that we had ourselves. */
  readonly sent: boolean;
  /** In words: `valid for 89 more days`, `expired 3 days ago`, or what is wrong with it. */
  readonly verdict: string;
  readonly isGood: boolean;
}

export interface ChainVerdict {
  readonly accepted: boolean;
  /** True when it was taken although it is not good: `--insecure`. */
  readonly insecure: boolean;
  /** In words, with what to do. */
  readonly summary: string;
  /** The error's stable code; null when the chain is good. */
  readonly code: string | null;
  readonly certificates: readonly JudgedCertificate[];
  /** The path that was found, and what else was tried. */
  readonly tree: PathTree | undefined;
  readonly revocation: RevocationEvidence;
  readonly transparency: TransparencyEvidence;
}

/** A verifier that remembers what it was asked and what it answered, for the report. */
export class RecordingVerifier {
  readonly verify: CertificateVerifier;
  #request: CertificateToVerify | undefined;
  readonly #options: RecordingOptions;
  #verdict: ServerVerdict | undefined;

  constructor(
    inner: (request: CertificateToVerify) => Promise<ServerVerdict>,
    options: RecordingOptions = {},
  ) {
    this.#options = options;
    this.verify = async (request) => {
      this.#request = request;
      const verdict = await inner(request);
      this.#verdict = options.insecure ? { ...verdict, accepted: true } : verdict;
      return this.#verdict;
    };
  }

  /** Undefined when no certificate was verified: the connection was resumed, or failed before. */
  get verdict(): ChainVerdict | undefined {
    if (this.#request === undefined || this.#verdict === undefined) return undefined;
    return chainVerdict(this.#request, this.#verdict, this.#options);
  }
}

export interface RecordingOptions {
  /** Take whatever comes. Default false. */
  readonly insecure?: boolean | undefined;
  /** To verify timestamps with. Default: they are only listed. */
  readonly logs?: LogList | undefined;
  /** Why roots are trusted, in words. */
  readonly trustedBecause?: string | undefined;
}

function chainVerdict(
  request: CertificateToVerify,
  verdict: ServerVerdict,
  { logs, trustedBecause = 'trusted' }: RecordingOptions,
): ChainVerdict {
  const { accepted, error, path, tree } = verdict;
  const blamed = certificateAtFault(error);
  const problem = error === undefined ? undefined : shown(messageOf(error), 600);
  const sent = request.chain.map((der, i) => judge(der, roleOf(der, i, path), { request, blamed, problem }));
  const root = path?.at(-1);
  const rootWasSent = root !== undefined && request.chain.some((der) => bytesEqual(der, root.der));
  return {
    accepted,
    insecure: accepted && error !== undefined,
    tree,
    revocation: revocationEvidence(request, verdict),
    transparency: transparencyEvidence(request, verdict, logs),
    code: error === undefined ? null : error instanceof CertificateError ? error.code : 'refused',
    summary: problem ?? summaryOf(request, path),
    certificates: [
      ...sent,
      ...(root === undefined || rootWasSent
        ? []
        : [
            {
              ...certificateReport(root),
              role: 'root',
              sent: false,
              verdict: trustedBecause,
              isGood: true,
            } as const,
          ]),
    ],
  };
}

function summaryOf({ name }: CertificateToVerify, path: readonly Certificate[] | undefined): string {
  const root = path?.at(-1);
  const forName = name === undefined ? '' : `is for ${shown(name)} and `;
  return `the certificate ${forName}leads to the trusted root "${root?.subject.shown ?? '?'}"`;
}

function roleOf(
  der: Uint8Array,
  i: number,
  path: readonly Certificate[] | undefined,
): JudgedCertificate['role'] {
  if (i === 0) return 'server';
  const at = path?.findIndex((certificate) => bytesEqual(certificate.der, der)) ?? -1;
  if (path === undefined) return 'intermediate';
  if (at === -1) return 'not used';
  return at === path.length - 1 ? 'root' : 'intermediate';
}

function judge(
  der: Uint8Array,
  role: JudgedCertificate['role'],
  context: { request: CertificateToVerify; blamed: Certificate | undefined; problem: string | undefined },
): JudgedCertificate {
  const report = certificateReportOf(der);
  const isBlamed = context.blamed !== undefined && bytesEqual(context.blamed.der, der);
  const time = timeVerdict(report, context.request.now);
  if (isBlamed && context.problem !== undefined) {
    return { ...report, role, sent: true, verdict: 'this is the one with the problem', isGood: false };
  }
  return {
    ...report,
    role,
    sent: true,
    verdict: report.problem ?? time.text,
    isGood: report.problem === undefined && time.isGood,
  };
}

const DAY = 86_400_000;

function timeVerdict(
  { notBefore, notAfter }: CertificateReport,
  now: number,
): { text: string; isGood: boolean } {
  const from = Date.parse(notBefore);
  const until = Date.parse(notAfter);
  if (Number.isNaN(from) || Number.isNaN(until)) return { text: 'its dates cannot be read', isGood: false };
  if (now < from) return { text: `not valid before ${notBefore}`, isGood: false };
  const days = Math.floor((until - now) / DAY);
  if (days < 0) return { text: `expired ${-days} ${days === -1 ? 'day' : 'days'} ago`, isGood: false };
  return { text: `valid for ${days} more ${days === 1 ? 'day' : 'days'}`, isGood: true };
}
