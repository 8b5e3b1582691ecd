declare const proof: unique symbol;

/**
 * Proof that the peer's Finished was verified: without one no application data is read and no handshake is
 * complete. Only the two functions that verify a Finished may make it.
 */
export type FinishedVerified = { readonly [proof]: true };

const VERIFIED = Object.freeze({}) as FinishedVerified;

/** Only for `tls13/finished.ts` and `tls12/finished.ts`. */
export function finishedVerified(): FinishedVerified {
  return VERIFIED;
}
