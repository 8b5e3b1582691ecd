import { toHex } from '@testudo/codec';
import type { PublicKey } from '@testudo/crypto';
import { nodeCrypto } from '@testudo/crypto/node';
import type { IdentityItem } from '../identity/identity-file.ts';
import type { Style } from '../output/style.ts';
import { pairs } from '../output/table.ts';
import { count, fingerprintText, shown } from '../output/text.ts';
import { certificateDetails, detailRows } from './certificate-details.ts';
import { certificateReport, keyText } from './certificate-report.ts';
import { certificateLines, certificateRows } from './certificate-text.ts';
import { crlLines, crlReport } from './crl-report.ts';
import { requestLines, requestReport } from './request-report.ts';

/** One thing in a file, for scripts. Never a private key's bytes. */
export function itemReport(item: IdentityItem): object {
  switch (item.kind) {
    case 'certificate': {
      const { certificate } = item;
      return { kind: item.kind, ...certificateReport(certificate), details: certificateDetails(certificate) };
    }
    case 'request':
      return { kind: item.kind, ...requestReport(item.request) };
    case 'crl':
      return { kind: item.kind, ...crlReport(item.crl) };
    case 'private-key':
      return { kind: item.kind, encrypted: item.encrypted, ...keyReport(item.key.publicKey) };
    case 'public-key':
      return { kind: item.kind, ...keyReport(item.key) };
    case 'pkcs12':
      return {
        kind: item.kind,
        keys: item.contents.keys.map(({ friendlyName, privateKey }) => ({
          name: friendlyName === undefined ? null : shown(friendlyName),
          ...keyReport(privateKey.publicKey),
        })),
        certificates: item.contents.certificates.map(({ certificate }) => certificateReport(certificate)),
      };
    case 'other':
      return {
        kind: item.kind,
        label: shown(item.label),
        problem: item.problem === undefined ? null : shown(item.problem),
      };
  }
}

/** What it is, and what there is to be said about it, as lines for people. */
export function itemLines(item: IdentityItem, style: Style): { title: string; lines: string[] } {
  switch (item.kind) {
    case 'certificate': {
      const { certificate } = item;
      return {
        title: 'certificate',
        lines: pairs([
          ...certificateRows(certificateReport(certificate), style),
          ...detailRows(certificateDetails(certificate), style),
        ]),
      };
    }
    case 'request':
      return { title: 'certification request', lines: requestLines(requestReport(item.request), style) };
    case 'crl':
      return {
        title: item.crl.baseNumber === undefined ? 'CRL' : 'delta CRL',
        lines: crlLines(crlReport(item.crl), style),
      };
    case 'private-key':
      return {
        title: item.encrypted ? 'private key, encrypted' : 'private key, not encrypted',
        lines: keyLines(item.key.publicKey, style),
      };
    case 'public-key':
      return { title: 'public key', lines: keyLines(item.key, style) };
    case 'pkcs12':
      return { title: 'PKCS#12', lines: pkcs12Lines(item, style) };
    case 'other':
      return {
        title: shown(item.label),
        lines: [
          item.problem === undefined ? style.faint('not looked into') : style.bad(shown(item.problem, 300)),
        ],
      };
  }
}

function keyReport(key: PublicKey): { key: string; spkiSha256: string } {
  return { key: keyText(key.kind), spkiSha256: toHex(nodeCrypto.digest('sha256', key.spki)) };
}

function keyLines(key: PublicKey, style: Style): string[] {
  const report = keyReport(key);
  return pairs([
    [style.faint('key'), report.key],
    [style.faint('SHA-256'), `${fingerprintText(report.spkiSha256)} ${style.faint('(of the public key)')}`],
  ]);
}

function pkcs12Lines({ contents }: IdentityItem & { kind: 'pkcs12' }, style: Style): string[] {
  const { keys, certificates } = contents;
  return [
    `${count(keys.length, 'private key')}, ${count(certificates.length, 'certificate')}`,
    ...keys.flatMap(({ friendlyName, privateKey }) => [
      '',
      style.strong(friendlyName === undefined ? 'private key' : `private key "${shown(friendlyName)}"`),
      ...keyLines(privateKey.publicKey, style).map((line) => `  ${line}`),
    ]),
    ...certificates.flatMap(({ friendlyName, certificate }) => [
      '',
      style.strong(friendlyName === undefined ? 'certificate' : `certificate "${shown(friendlyName)}"`),
      ...certificateLines(certificateReport(certificate), style).map((line) => `  ${line}`),
    ]),
  ];
}
