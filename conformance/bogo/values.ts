/** Answers at once, or later as a store across a network does. */
export function asyncIf<T>(isLater: boolean, value: T): T | Promise<T> {
  return isLater ? new Promise((resolve) => setImmediate(resolve, value)) : value;
}

/** ALPN as on the wire: names with their lengths before them. */
export function splitProtocols(wire: string): string[] {
  const bytes = Buffer.from(wire);
  const protocols: string[] = [];
  for (let at = 0; at < bytes.length; at += 1 + bytes[at]!) {
    protocols.push(bytes.toString('latin1', at + 1, at + 1 + bytes[at]!));
  }
  return protocols;
}

/** Identifiers with their lengths before them. */
export function splitIdentifiers(wire: Uint8Array | undefined): Uint8Array[] | undefined {
  if (wire === undefined) return undefined;
  const identifiers: Uint8Array[] = [];
  for (let at = 0; at < wire.length; at += 1 + wire[at]!)
    identifiers.push(wire.subarray(at + 1, at + 1 + wire[at]!));
  return identifiers;
}

/** DER names in hexadecimal with commas between them, or one of the runner's words for none. */
export function splitNames(text: string | undefined): Uint8Array[] {
  if (text === undefined || text === '' || text.startsWith('<')) return [];
  return text.split(',').map((name) => Uint8Array.from(Buffer.from(name, 'hex')));
}

export function sameBytes(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return Buffer.compare(a ?? new Uint8Array(0), b ?? new Uint8Array(0)) === 0;
}
