import type { Style } from '../output/style.ts';
import { table } from '../output/table.ts';
import { count } from '../output/text.ts';
import type { RevocationEvidence, TimestampEvidence, TransparencyEvidence } from './evidence.ts';

export function revocationLines(evidence: RevocationEvidence, style: Style): string[] {
  const { stapled, answer, certificates, responders } = evidence;
  const until = answer?.nextUpdate === null || answer === null ? '' : `, good until ${answer.nextUpdate}`;
  return [
    stapled === 0
      ? 'no OCSP response was stapled'
      : `${count(stapled, 'OCSP response')} stapled${answer === null ? '' : `, made ${answer.thisUpdate}${until}`}`,
    ...certificates.map(({ subject, status, text }) => {
      const colour = status === 'good' ? style.good : status === 'revoked' ? style.bad : style.warn;
      return `${subject}: ${colour(text)}`;
    }),
    ...(certificates[0]?.status === 'unknown' && responders.length > 0
      ? [style.faint(`${responders.join(', ')} can tell: --online asks`)]
      : []),
  ];
}

const ORIGINS: Readonly<Record<TimestampEvidence['origin'], string>> = {
  certificate: 'in the certificate',
  tls: 'in the handshake',
  ocsp: 'in the OCSP response',
};

export function transparencyLines(
  { timestamps, complies, reason }: TransparencyEvidence,
  style: Style,
): string[] {
  const headline =
    complies === null
      ? `${count(timestamps.length, 'timestamp')}, not verified: --log-list gives the logs\u2019 keys`
      : complies
        ? style.good(`${count(timestamps.length, 'timestamp')}, enough for browsers`)
        : style.bad(`not enough for browsers: ${reason}`);
  const rows = timestamps.map(({ origin, time, logId, valid, detail }) => [
    time,
    ORIGINS[origin],
    valid === null
      ? style.faint(`log ${logId.slice(0, 16)}\u2026`)
      : valid
        ? style.good(detail ?? '')
        : style.bad(detail ?? ''),
  ]);
  return [headline, ...table([{}, {}, {}], rows)];
}
