/** Whether a secret is nothing but zeros (RFC 7748 §6): all of it is looked at, whatever it is. */
export function isZero(bytes: Uint8Array): boolean {
  let any = 0;
  for (const byte of bytes) any |= byte;
  return any === 0;
}
