/** Header fields as `rawHeaders` has them: name, value, name, value, … */
export type RawHeaders = readonly string[];

/** They belong to one connection, so a proxy never passes them on (RFC 9110 §7.6.1). */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
]);

/** The fields without those of one connection, and without those that the Connection field names. */
export function endToEnd(raw: RawHeaders): [name: string, value: string][] {
  const dropped = new Set(HOP_BY_HOP);
  for (const [name, value] of pairsOf(raw)) {
    if (name.toLowerCase() !== 'connection') continue;
    for (const option of value.split(',')) {
      const named = option.trim().toLowerCase();
      // What frames or routes a message is never dropped because a client says so.
      if (!PROTECTED.has(named)) dropped.add(named);
    }
  }
  return [...pairsOf(raw)].filter(([name]) => !dropped.has(name.toLowerCase()));
}

const PROTECTED: ReadonlySet<string> = new Set([
  'content-length',
  'host',
  'content-type',
  'cookie',
  'authorization',
  'set-cookie',
]);

/** How often a field stands in a message. */
export function countOf(raw: RawHeaders, field: string): number {
  return [...pairsOf(raw)].filter(([name]) => name.toLowerCase() === field).length;
}

/** All values of a field, in order. */
export function valuesOf(raw: RawHeaders, field: string): string[] {
  return [...pairsOf(raw)].filter(([name]) => name.toLowerCase() === field).map(([, value]) => value);
}

function* pairsOf(raw: RawHeaders): IterableIterator<[string, string]> {
  for (let i = 0; i + 1 < raw.length; i += 2) yield [raw[i]!, raw[i + 1]!];
}

/** As `writeHead` and `request` take them: values of one name together, in order. */
export function grouped(fields: Iterable<readonly [string, string]>): Record<string, string | string[]> {
  const result = new Map<string, { name: string; values: string[] }>();
  for (const [name, value] of fields) {
    const known = result.get(name.toLowerCase());
    if (known === undefined) result.set(name.toLowerCase(), { name, values: [value] });
    else known.values.push(value);
  }
  return Object.fromEntries(
    [...result.values()].map(({ name, values }) => [name, values.length === 1 ? values[0]! : values]),
  );
}
