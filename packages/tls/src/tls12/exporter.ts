import { concat } from '@testudo/codec';
import type { CryptoProvider } from '@testudo/crypto';
import type { Terms } from './terms.ts';

/** Keying material for another protocol; no context and an empty one differ (RFC 5705 §4). `length` in bytes. */
export function exportKeyingMaterial12(
  provider: CryptoProvider,
  { rules, suite, randoms: { client, server } }: Terms,
  master: Uint8Array,
  label: string,
  context: Uint8Array | undefined,
  length: number,
): Uint8Array {
  const seed =
    context === undefined
      ? concat(client, server)
      : concat(client, server, Uint8Array.of(context.length >> 8, context.length), context);
  return rules.prf(provider, suite, master, label, seed, length);
}
