import type { Style } from '../output/style.ts';
import { pairs } from '../output/table.ts';
import { day, fingerprintText } from '../output/text.ts';
import type { CertificateReport } from './certificate-report.ts';

/** A certificate as lines for people, without a title. */
export function certificateLines(certificate: CertificateReport, style: Style): string[] {
  return pairs(certificateRows(certificate, style));
}

/** The same before it is set in columns. */
export function certificateRows(certificate: CertificateReport, style: Style): Row[] {
  const { problem } = certificate;
  return [
    [style.faint('subject'), certificate.subject],
    [style.faint('issuer'), certificate.selfIssued ? `${certificate.issuer} (itself)` : certificate.issuer],
    [style.faint('names'), namesText(certificate.names)],
    [style.faint('valid'), validity(certificate)],
    [style.faint('key'), certificate.key],
    [style.faint('signed with'), certificate.signatureAlgorithm],
    [style.faint('may be'), certificate.isCa ? 'a CA' : certificate.purposes.join(', ') || undefined],
    [style.faint('serial'), certificate.serialNumber],
    [style.faint('SHA-256'), fingerprintText(certificate.sha256)],
    ...(problem === undefined ? [] : [[style.bad('problem'), problem] as const]),
  ];
}

export type Row = readonly [label: string, value: string | undefined];

/** Names on lines of their own, five at most. */
function namesText(names: readonly string[]): string | undefined {
  if (names.length === 0) return undefined;
  const shown = names.slice(0, 5).join(', ');
  return names.length > 5 ? `${shown} and ${names.length - 5} more` : shown;
}

function validity({ notBefore, notAfter }: CertificateReport): string {
  if (notBefore === '' || notAfter === '') return '?';
  return `${day(new Date(notBefore))} to ${day(new Date(notAfter))}`;
}
