import { toHex } from '@testudo/codec';
import type { CertificateRevocationList } from '@testudo/x509';
import type { Style } from '../output/style.ts';
import { pairs } from '../output/table.ts';
import { count, shown } from '../output/text.ts';

/** A CRL for people and scripts: texts that are safe to show, whoever made it. */
export interface CrlReport {
  readonly issuer: string;
  /** Undefined in lists that break the rules. */
  readonly number: string | undefined;
  /** Of the complete list that this one is a delta to. */
  readonly baseNumber?: string;
  /** ISO 8601. */
  readonly thisUpdate: string;
  readonly nextUpdate: string | undefined;
  /** All certificates on it. */
  readonly count: number;
  /** The first ones. */
  readonly revoked: readonly RevokedReport[];
}

export interface RevokedReport {
  readonly serialNumber: string;
  readonly since: string;
  readonly reason?: string;
  readonly invalidSince?: string;
}

/** Entries in a report: there are lists with a million. */
const MOST_ENTRIES = 1000;
const MOST_LINES = 20;

/** Throws `CertificateError` when the entries cannot be read. */
export function crlReport(list: CertificateRevocationList): CrlReport {
  const { entries, number, baseNumber } = list;
  const revoked: RevokedReport[] = [];
  for (const { serialNumber, revocationDate, reason, invalidityDate } of entries) {
    if (revoked.length === MOST_ENTRIES) break;
    revoked.push({
      ...{ serialNumber: toHex(serialNumber), since: revocationDate.toISOString() },
      ...(reason === undefined ? {} : { reason }),
      ...(invalidityDate === undefined ? {} : { invalidSince: invalidityDate.toISOString() }),
    });
  }
  return {
    issuer: shown(list.issuer.shown),
    number: number?.toString(),
    ...(baseNumber === undefined ? {} : { baseNumber: baseNumber.toString() }),
    thisUpdate: list.thisUpdate.toISOString(),
    nextUpdate: list.nextUpdate?.toISOString(),
    count: entries.count,
    revoked,
  };
}

export function crlLines(report: CrlReport, style: Style): string[] {
  const { revoked } = report;
  const isOver = report.nextUpdate !== undefined && Date.parse(report.nextUpdate) < Date.now();
  const more = report.count - Math.min(revoked.length, MOST_LINES);
  return [
    ...pairs([
      [style.faint('issuer'), report.issuer],
      [style.faint('number'), report.number ?? '(none)'],
      [style.faint('delta to'), report.baseNumber],
      [style.faint('made'), report.thisUpdate],
      [
        style.faint('next due'),
        `${report.nextUpdate ?? '(not stated)'}${isOver ? style.bad(' (has passed)') : ''}`,
      ],
      [style.faint('revoked'), count(report.count, 'certificate')],
    ]),
    ...revoked
      .slice(0, MOST_LINES)
      .map(({ serialNumber, since, reason, invalidSince }) =>
        [`  ${serialNumber}`, since, reason, invalidSince && `invalid since ${invalidSince}`]
          .filter(Boolean)
          .join('  '),
      ),
    ...(more > 0 ? [`  and ${more.toLocaleString('en-US')} more`] : []),
  ];
}
