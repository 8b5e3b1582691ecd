/**
 * Memory for sealed records: that of a write which is over is used for the next one, of whichever connection. Without
 * that, sending makes twice as much garbage outside of V8's heap as it sends.
 */
export function takeSealedMemory(length: number): Uint8Array {
  if (length <= SMALL || length > LENGTH) return Buffer.allocUnsafe(length);
  const memory = spare ?? new Uint8Array(LENGTH);
  spare = undefined;
  return memory.subarray(0, length);
}

/** Gives back what {@link takeSealedMemory} gave, when nobody reads it any more. */
export function returnSealedMemory({ buffer }: Uint8Array): void {
  if (buffer.byteLength === LENGTH) spare = new Uint8Array(buffer);
}

let spare: Uint8Array | undefined;

/** Half of Node's own pool: below, its slices are cheap. */
const SMALL = 4096;
/** A write of 64 KiB, as streams make them, in records, with all that protection may add; no length of anything else. */
const LENGTH = 65_536 + 4096;
