import type { ExtensionBlock } from '../extensions/block.ts';
import { tlsFlags } from '../extensions/tls-flags.ts';

/** resumption_across_names (draft-ietf-tls-cross-sni-resumption): the ticket is good for the certificate's other names. */
const ACROSS_NAMES = 8;

/** A server: says so of a ticket. */
export function setAcrossNames(block: ExtensionBlock<'new_session_ticket'>): void {
  const flags = new Uint8Array((ACROSS_NAMES >> 3) + 1);
  flags[ACROSS_NAMES >> 3] = 1 << (ACROSS_NAMES & 7);
  block.set(tlsFlags, flags);
}

/** A client: whether a ticket says so. It has not asked for any flags, so what the draft does not know says nothing. */
export function isAcrossNames(block: ExtensionBlock<'new_session_ticket'>): boolean {
  const flags = block.getReadable(tlsFlags);
  if (flags === undefined || flags.at(-1) === 0) return false;
  return ((flags[ACROSS_NAMES >> 3] ?? 0) & (1 << (ACROSS_NAMES & 7))) !== 0;
}
