import { concat } from '@testudo/codec';
import { TlsError } from '@testudo/tls';
import type { TestEnd } from '#tls/testing';

/** Milliseconds that one input may take: far more than any does on a busy machine, far less than a flood needs. */
const MOST_MILLISECONDS = 2000;

/** What no peer may bring about, told as a text; undefined when all is well. */
export function breachOf(end: TestEnd, sent: Uint8Array): string | undefined {
  const { connection, errors, secured, data } = end;
  for (const error of errors) {
    if (!(error instanceof TlsError)) return `failed with something else than TlsError: ${error}`;
    if (error.code === 'internal-error')
      return `internal-error by the peer's bytes: ${error.message} ${error.stack}`;
    if (error.reason === 'Local' && error.code !== 'aborted')
      return `a local failure by the peer's bytes: ${error.code}`;
  }
  if (errors.length > 1) return `failed ${errors.length} times`;
  if ((connection.state === 'failed') !== (errors.length === 1))
    return `state ${connection.state} with ${errors.length} errors`;
  if (secured.length > 1) return 'became secure twice';
  const got = concat(...data);
  if (got.length > 0 && secured.length === 0) return 'application data before it was secure';
  if (got.length > sent.length || got.some((byte, i) => byte !== sent[i]))
    return `application data that nobody sent: ${got}`;
  return undefined;
}

/** Runs an input: what it throws and how long it takes is told as a text. @param most milliseconds. */
export function guarded(run: () => string | undefined, most: number = MOST_MILLISECONDS): string | undefined {
  const started = performance.now();
  try {
    const breach = run();
    if (breach !== undefined) return breach;
  } catch (error) {
    return `threw ${error instanceof Error ? error.stack : error}`;
  }
  const took = performance.now() - started;
  return took > most ? `took ${took.toFixed()} ms` : undefined;
}

/** What a 1.3 record of this type and content says: its type is the last byte that is not zero (RFC 9846 §5.4). */
export function innerPlaintext(type: number, content: Uint8Array): { type: number; content: Uint8Array } {
  if (type !== 0) return { type, content };
  const at = content.findLastIndex((byte) => byte !== 0);
  return { type: content[at] ?? 0, content: content.subarray(0, Math.max(at, 0)) };
}
