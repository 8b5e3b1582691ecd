import type { Certificate } from './certificate.ts';
import type { CertificateError } from './errors.ts';
import type { PathPosition } from './path-position.ts';

/** Where a certificate came from: what the peer sent, the trust store, or a fetch of missing issuers. */
export type CertificateSource = 'peer' | 'trust' | 'fetched';

/** One certificate as it was tried in one place. */
export interface PathNode {
  readonly certificate: Certificate;
  readonly position: PathPosition;
  readonly source: CertificateSource;
  /** True for the certificates of the path that was found valid. */
  readonly isChosen: boolean;
  /** Why it may not stand here, or why no path leads on from here; undefined while all is well. */
  readonly error: CertificateError | undefined;
  /** Those that were tried as its issuer, in order. */
  readonly issuers: readonly PathNode[];
}

/** The paths that were tried: from the leaf, which is the root of this tree, upwards. */
export interface PathTree {
  readonly leaf: PathNode;
  /** Attempts that are left out because there are too many; they were made all the same. */
  readonly omitted: number;
}

/** Attempts that a tree remembers. What people can take in is far less. */
const MOST_NODES = 200;

/** By what failed. Not a field of the error, since it can be long and `console.log` would show it. */
const TREES = new WeakMap<CertificateError, PathTree>();

/** The paths that were tried, when it is path validation that failed; else undefined. */
export function pathTreeOf(error: unknown): PathTree | undefined {
  return TREES.get(error as CertificateError);
}

/** Notes what {@link pathTreeOf} tells. */
export function noteTree(error: CertificateError, tree: PathTree): void {
  TREES.set(error, tree);
}

/** A node of a {@link PathRecord}. */
export interface RecordedNode extends PathNode {
  isChosen: boolean;
  error: CertificateError | undefined;
  readonly issuers: RecordedNode[];
}

/** Notes a search while it goes on. */
export class PathRecord implements PathTree {
  readonly leaf: RecordedNode;
  omitted = 0;
  #count = 1;

  constructor(leaf: Certificate) {
    this.leaf = newNode(leaf, 'leaf', 'peer');
  }

  /** A further attempt above `child`. */
  add(
    child: RecordedNode,
    certificate: Certificate,
    position: PathPosition,
    source: CertificateSource,
  ): RecordedNode {
    const node = newNode(certificate, position, source);
    if (this.#count < MOST_NODES) {
      this.#count++;
      child.issuers.push(node);
    } else this.omitted++;
    return node;
  }
}

function newNode(certificate: Certificate, position: PathPosition, source: CertificateSource): RecordedNode {
  return { certificate, position, source, isChosen: false, error: undefined, issuers: [] };
}

/** The tree of a path that was known to be valid: nothing else was tried. `error` is what is wrong with the leaf. */
export function treeOfPath(path: readonly Certificate[], error?: CertificateError): PathTree {
  const record = new PathRecord(path[0]!);
  let node = record.leaf;
  node.error = error;
  node.isChosen = true;
  for (const [i, certificate] of path.entries()) {
    if (i === 0) continue;
    const isAnchor = i === path.length - 1;
    node = record.add(node, certificate, isAnchor ? 'anchor' : 'intermediate', isAnchor ? 'trust' : 'peer');
    node.isChosen = true;
  }
  return record;
}

/**
 * The tree as text, one line for each attempt, for terminals and logs:
 *
 *     example.com
 *     ├─ Intermediate CA: expired: it expired on …
 *     └─ Intermediate CA
 *        └─ Root CA (trusted): chosen
 */
export function formatPathTree({ leaf, omitted }: PathTree): string {
  const lines = [lineOf(leaf), ...linesBelow(leaf, '')];
  if (omitted > 0) lines.push(`and ${omitted} more attempts`);
  return lines.join('\n');
}

function linesBelow({ issuers }: PathNode, indent: string): string[] {
  return issuers.flatMap((issuer, i) => {
    const isLast = i === issuers.length - 1;
    return [
      `${indent}${isLast ? '\u2514\u2500' : '\u251c\u2500'} ${lineOf(issuer)}`,
      ...linesBelow(issuer, `${indent}${isLast ? '   ' : '\u2502  '}`),
    ];
  });
}

const SOURCES = { peer: '', trust: ' (trusted)', fetched: ' (fetched)' } as const;

function lineOf({ certificate, source, error, isChosen }: PathNode): string {
  const verdict = error === undefined ? (isChosen ? ' \u2713' : '') : `: ${error.code}: ${error.message}`;
  return `${nameOf(certificate)}${SOURCES[source]}${verdict}`;
}

function nameOf({ subject }: Certificate): string {
  try {
    return subject.isEmpty ? '(no subject)' : subject.shown;
  } catch {
    return '(unreadable subject)';
  }
}
