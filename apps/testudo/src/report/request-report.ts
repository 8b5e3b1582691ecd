import { nodeCrypto } from '@testudo/crypto/node';
import { type CertificationRequest, ExtensionOid, generalNameText } from '@testudo/x509';
import type { Style } from '../output/style.ts';
import { pairs } from '../output/table.ts';
import { shown } from '../output/text.ts';
import { keyText } from './certificate-report.ts';
import { extensionName } from './extension-text.ts';

/** A certification request for people and scripts: texts that are safe to show, whoever made it. */
export interface RequestReport {
  readonly subject: string;
  readonly key: string;
  /** Whether it is signed with its own key. */
  readonly proven: boolean;
  readonly names: readonly string[];
  /** What it asks for, and what a CA of ours does with that. */
  readonly extensions: readonly { readonly name: string; readonly oid: string; readonly fate: string }[];
}

export function requestReport(request: CertificationRequest): RequestReport {
  const { subject, extensions } = request;
  return {
    subject: attempt(() => shown(subject.shown) || '(no name)', UNREADABLE),
    key: attempt(() => keyText(nodeCrypto.importPublicKey(request.spki).kind), UNREADABLE),
    proven: attempt(() => request.provenPublicKey(nodeCrypto) !== undefined, false),
    names: attempt(
      () => (extensions.subjectAltName ?? []).map((name) => shown(generalNameText(name), 260)),
      [],
    ),
    extensions: [...extensions].map(({ oid }) => ({
      name: extensionName(oid),
      oid,
      fate: FATES[oid] ?? 'ignored',
    })),
  };
}

const UNREADABLE = '(cannot be read)';

const FATES: Readonly<Record<string, string>> = {
  [ExtensionOid.subjectAltName]: 'taken',
  // must-staple (RFC 7633)
  '1.3.6.1.5.5.7.1.24': 'taken',
  [ExtensionOid.keyUsage]: 'replaced by the profile\u2019s',
  [ExtensionOid.extendedKeyUsage]: 'replaced by the profile\u2019s',
  [ExtensionOid.basicConstraints]: 'replaced: it is not for a CA',
  [ExtensionOid.subjectKeyIdentifier]: 'created anew',
};

export function requestLines(report: RequestReport, style: Style): string[] {
  return pairs([
    [style.faint('subject'), report.subject],
    [style.faint('names'), report.names.join(', ') || undefined],
    [style.faint('key'), report.key],
    [
      style.faint('signature'),
      report.proven
        ? style.good('by its own key')
        : style.bad('not by its own key: whoever made it may not have the key'),
    ],
    ...report.extensions.map(({ name, fate }) => [style.faint('asks for'), `${name}: ${fate}`] as const),
  ]);
}

function attempt<T>(read: () => T, otherwise: T): T {
  try {
    return read();
  } catch {
    return otherwise;
  }
}
