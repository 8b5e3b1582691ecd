import { toHex } from '@testudo/codec';
import {
  type Certificate,
  CertificateError,
  certificateAtFault,
  pathTreeOf,
  type RevocationStatus,
  type VerifiedChain,
} from '@testudo/x509';
import type { LearnedStatus } from '../identity/revocation-sources.ts';
import type { Style } from '../output/style.ts';
import { indent, pairs } from '../output/table.ts';
import { day, shown } from '../output/text.ts';
import { certificateReport } from './certificate-report.ts';
import { pathTreeLines, pathTreeReport, problemOf } from './path-report.ts';

/** What came out of a verification, with all that it rests on. */
export interface Verdict {
  readonly file: string;
  readonly leaf: Certificate;
  readonly outcome: VerifiedChain | CertificateError;
  readonly learned: readonly LearnedStatus[];
  readonly at: Date;
  readonly purpose: string;
  readonly profile: string;
  /** Which roots were trusted, in words. */
  readonly against: string;
  readonly host: string | undefined;
}

export function verdictJson(verdict: Verdict): object {
  const { outcome, file, at, purpose, profile, against, host, learned } = verdict;
  const failed = outcome instanceof CertificateError ? outcome : undefined;
  const culprit = certificateAtFault(failed);
  const tree = outcome instanceof CertificateError ? pathTreeOf(outcome) : outcome.tree;
  return {
    ok: failed === undefined,
    ...{ file, host: host ?? null, purpose, profile, time: at.toISOString(), against },
    error:
      failed === undefined
        ? null
        : {
            code: failed.code,
            ...problemOf(failed),
            certificate: culprit === undefined ? null : certificateReport(culprit),
          },
    path: outcome instanceof CertificateError ? null : outcome.path.map(certificateReport),
    policies: outcome instanceof CertificateError ? null : outcome.policies,
    revocation: learned.map(({ request, status }) => ({
      serialNumber: toHex(request.certificate.serialNumber),
      ...status,
    })),
    tree: tree === undefined ? null : pathTreeReport(tree),
  };
}

export function verdictLines(verdict: Verdict, style: Style): string[] {
  const { outcome, at, purpose, profile, against, host, leaf, learned } = verdict;
  const subject = certificateReport(leaf).subject;
  const tree = outcome instanceof CertificateError ? pathTreeOf(outcome) : outcome.tree;
  const facts = pairs([
    [style.faint('as of'), `${day(at)}, ${at.toISOString().slice(11, 19)} UTC`],
    [
      style.faint('for'),
      `${host === undefined ? 'any name' : shown(host)}, ${purpose === 'any' ? 'any use' : purpose}`,
    ],
    [style.faint('rules'), profile],
    [style.faint('trusted'), against],
    ...revocationRows(learned, style),
  ]);
  if (!(outcome instanceof CertificateError))
    return [
      style.good(`good: ${subject}`),
      ...indent([...facts, '', style.strong('The path'), ...indent(pathTreeLines(outcome.tree, style))]),
    ];
  const { problem, hint } = problemOf(outcome);
  const blamed = certificateAtFault(outcome);
  return [
    style.bad(`not good: ${subject}`),
    ...indent([
      ...pairs([
        [style.faint('problem'), `${problem} ${style.faint(`(${outcome.code})`)}`],
        [style.faint('where'), blamed === undefined ? undefined : certificateReport(blamed).subject],
        [style.faint('what to do'), hint],
      ]),
      '',
      ...facts,
      ...(tree === undefined
        ? []
        : ['', style.strong('What was tried'), ...indent(pathTreeLines(tree, style))]),
    ]),
  ];
}

/** `CN=x: good`, one line for each certificate that was asked about. */
function revocationRows(learned: readonly LearnedStatus[], style: Style): (readonly [string, string])[] {
  return learned.map(({ request, status }, i) => [
    i === 0 ? style.faint('revocation') : '',
    `${certificateReport(request.certificate).subject}: ${statusText(status)}`,
  ]);
}

/** In words: `good`, `revoked since 2 Jan 2026 (keyCompromise)`, `not known: …`. */
export function statusText(status: RevocationStatus): string {
  if (status.status === 'good') return 'not revoked';
  if (status.status === 'unknown') return `not known: ${shown(status.reason, 300)}`;
  const since = status.since === undefined ? '' : ` since ${day(status.since)}`;
  return `revoked${since}${status.reason === undefined ? '' : ` (${shown(status.reason)})`}`;
}
