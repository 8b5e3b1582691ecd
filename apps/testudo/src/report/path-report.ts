import { toHex } from '@testudo/codec';
import { nodeCrypto } from '@testudo/crypto/node';
import { CertificateError, formatPathTree, type PathNode, type PathTree } from '@testudo/x509';
import type { Style } from '../output/style.ts';
import { shown } from '../output/text.ts';

/** One certificate where it was tried, and those that were tried as its issuer. */
export interface PathNodeReport {
  readonly subject: string;
  /** Of the whole certificate, hexadecimal. */
  readonly sha256: string;
  readonly position: PathNode['position'];
  readonly source: PathNode['source'];
  /** In the path that was found valid. */
  readonly chosen: boolean;
  readonly error: { readonly code: string; readonly message: string } | null;
  readonly issuers: readonly PathNodeReport[];
}

/** The paths that were tried, for scripts. */
export interface PathTreeReport {
  readonly leaf: PathNodeReport;
  /** Attempts that are left out. */
  readonly omitted: number;
}

export function pathTreeReport({ leaf, omitted }: PathTree): PathTreeReport {
  return { leaf: nodeReport(leaf), omitted };
}

/** The same as lines for people, as {@link formatPathTree} draws it. */
export function pathTreeLines(tree: PathTree, style: Style): string[] {
  return formatPathTree(tree)
    .split('\n')
    .map((line) => {
      const safe = shown(line, 500);
      if (safe.endsWith(' \u2713')) return style.good(safe);
      return safe;
    });
}

/** What is wrong and what to do about it, apart from each other. */
export function problemOf(error: CertificateError): { readonly problem: string; readonly hint: string } {
  const { message, hint } = error;
  const ending = `; ${hint}`;
  const problem = message.endsWith(ending) ? message.slice(0, -ending.length) : message;
  return { problem: shown(problem, 600), hint: shown(hint, 300) };
}

function nodeReport({ certificate, position, source, isChosen, error, issuers }: PathNode): PathNodeReport {
  return {
    subject: subjectOf(certificate.subject),
    sha256: toHex(nodeCrypto.digest('sha256', certificate.der)),
    ...{ position, source, chosen: isChosen },
    error: error === undefined ? null : { code: error.code, message: shown(error.message, 600) },
    issuers: issuers.map(nodeReport),
  };
}

function subjectOf(subject: PathNode['certificate']['subject']): string {
  try {
    return subject.isEmpty ? '(no name)' : shown(subject.shown);
  } catch (error) {
    if (error instanceof CertificateError) return '(cannot be read)';
    throw error;
  }
}
