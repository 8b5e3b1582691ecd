/** The same bytes as a plain Uint8Array rather than a Buffer, whose methods and comparisons differ. No copy. */
export function plain(buffer: Uint8Array): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length);
}
