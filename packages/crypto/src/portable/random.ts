export function randomBytes(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  // The Web Cryptography API gives at most 65536 bytes a call.
  for (let at = 0; at < length; at += 65536) crypto.getRandomValues(bytes.subarray(at, at + 65536));
  return bytes;
}

/** Looks at every byte whatever the earlier ones were; JavaScript promises no more than that. */
export function equal(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= a[i]! ^ b[i]!;
  return difference === 0;
}
