import { addressText } from '../config/address.ts';
import type { Style } from '../output/style.ts';
import { indent } from '../output/table.ts';
import { milliseconds } from '../output/text.ts';
import { certificateLines } from '../report/certificate-text.ts';
import type { ConnectionReport } from '../report/connection-report.ts';
import { agreedLines, messageLines } from '../report/connection-text.ts';
import { pathTreeLines } from '../report/path-report.ts';
import { revocationLines, transparencyLines } from './evidence-text.ts';
import type { ChainVerdict, JudgedCertificate } from './verdict.ts';
import type { EarlyDataFate } from './wire.ts';

export interface ConnectView {
  readonly host: string;
  readonly port: number;
  readonly address: string | undefined;
  readonly tcpTime: number;
  /** Undefined when the handshake failed. */
  readonly report: ConnectionReport | undefined;
  readonly messages: Pick<ConnectionReport, 'messages' | 'omittedMessages' | 'records'>;
  readonly verdict: ChainVerdict | undefined;
  readonly earlyData: EarlyDataFate;
  readonly style: Style;
}

/** What `testudo connect` tells about a connection, in the order in which people ask. */
export function reportLines(view: ConnectView): string[] {
  const { style, report, verdict, host, port, address, tcpTime } = view;
  const target = addressText({ host, port });
  const where = address === undefined || address === host ? target : `${target} (${address})`;
  return [
    `${style.strong(where)} ${style.faint(`TCP in ${milliseconds(tcpTime)}; times below count from there`)}`,
    ...(report === undefined
      ? []
      : ['', ...section('Agreed', [...agreedLines(report, style), ...earlyLines(view)], style)]),
    ...(verdict === undefined ? [] : ['', ...section('Certificates', chainLines(verdict, style), style)]),
    ...(verdict === undefined ? [] : evidenceSections(verdict, style)),
    ...(verdict === undefined && report?.resumed
      ? ['', ...section('Certificates', ['none sent: the session was resumed'], style)]
      : []),
    '',
    ...section('Messages', messageLines(view.messages, style), style),
    '',
  ];
}

function section(title: string, lines: readonly string[], style: Style): string[] {
  return [style.strong(title), ...indent(lines)];
}

function earlyLines({ earlyData, style }: ConnectView): string[] {
  if (earlyData === null) return [];
  const fate =
    earlyData === 'accepted'
      ? 'accepted: it arrived before the handshake was complete'
      : 'not taken: it was sent after the handshake';
  return [`${style.faint('early data')}    ${fate}`];
}

/** How the verdict came about: the paths, what is known of revocation, and the logs. */
function evidenceSections({ tree, revocation, transparency }: ChainVerdict, style: Style): string[] {
  return [
    ...(tree === undefined ? [] : ['', ...section('Paths', pathTreeLines(tree, style), style)]),
    '',
    ...section('Revocation', revocationLines(revocation, style), style),
    ...(transparency.timestamps.length === 0
      ? []
      : ['', ...section('Certificate Transparency', transparencyLines(transparency, style), style)]),
  ];
}

function chainLines(verdict: ChainVerdict, style: Style): string[] {
  const { accepted, insecure, summary, certificates } = verdict;
  const headline = insecure
    ? style.bad(`ACCEPTED ANYWAY (--insecure): ${summary}`)
    : accepted
      ? style.good(`accepted: ${summary}`)
      : style.bad(`refused: ${summary}`);
  return [headline, ...certificates.flatMap((one, i) => ['', ...judgedLines(one, i + 1, style)])];
}

function judgedLines(certificate: JudgedCertificate, number: number, style: Style): string[] {
  const { role, sent, verdict, isGood } = certificate;
  const title = `${number}. ${ROLES[role]}${sent ? '' : ', not sent'}`;
  return [
    `${style.strong(title)}  ${isGood ? style.good(verdict) : style.bad(verdict)}`,
    ...indent(certificateLines(certificate, style), 3),
  ];
}

const ROLES = {
  server: 'the server\u2019s certificate',
  intermediate: 'intermediate CA',
  root: 'root CA',
  'not used': 'sent, not used',
} as const;
