/** Header fields as `rawHeaders` has them: name, value, name, value, … One character is one byte. */
export type RawHeaders = readonly string[];

/** A field: its name as it was written, and its value. */
export type Field = readonly [name: string, value: string];

/** They belong to one connection, so a proxy never passes them on (RFC 9110 §7.6.1). */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
]);

/** Whether a field, its name in lower case, belongs to one connection, whatever the Connection field says. */
export function isHopByHop(normal: string): boolean {
  return HOP_BY_HOP.has(normal);
}

/**
 * The fields without those of one connection, and without those that the Connection field names: in their order, as
 * often as they stand there, their names as they are written.
 */
export function endToEnd(raw: RawHeaders): Field[] {
  const named = namedByConnection(raw);
  const fields: Field[] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const normal = raw[i]!.toLowerCase();
    if (!HOP_BY_HOP.has(normal) && !named?.has(normal)) fields.push([raw[i]!, raw[i + 1]!]);
  }
  return fields;
}

/** The fields, in lower case, that the Connection fields name (RFC 9110 §7.6.1); undefined where that is none but those known. */
export function namedByConnection(raw: RawHeaders): ReadonlySet<string> | undefined {
  let named: Set<string> | undefined;
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i]!;
    if (name.length !== CONNECTION.length || name.toLowerCase() !== CONNECTION) continue;
    for (const text of raw[i + 1]!.split(',')) {
      const option = text.trim().toLowerCase();
      // What frames or routes a message is never dropped because a client says so.
      if (option !== 'close' && !HOP_BY_HOP.has(option) && !PROTECTED.has(option)) {
        named ??= new Set();
        named.add(option);
      }
    }
  }
  return named;
}

const CONNECTION = 'connection';

const PROTECTED: ReadonlySet<string> = new Set([
  'content-length',
  'host',
  'content-type',
  'cookie',
  'authorization',
  'set-cookie',
]);

/**
 * The fields behind a message's body that may be passed on: not those that frame or route it, say who asks, or change what
 * is asked or answered, since servers may put them with the others when it is too late to look at them (RFC 9110 §6.5.1).
 */
export function endToEndTrailers(raw: RawHeaders): Field[] {
  return endToEnd(raw).filter(([name]) => !NEVER_TRAILERS.has(variableName(name)) && !tellsOfTheClient(name));
}

const NEVER_TRAILERS: ReadonlySet<string> = new Set([
  'content-length',
  'host',
  'trailer',
  'content-type',
  'content-encoding',
  'content-range',
  'authorization',
  'cookie',
  'set-cookie',
  'www-authenticate',
  'cache-control',
  'expect',
  'max-forwards',
  'pragma',
  'range',
  'if-match',
  'if-none-match',
  'if-modified-since',
  'if-unmodified-since',
  'if-range',
  'age',
  'date',
  'expires',
  'location',
  'retry-after',
  'vary',
  'strict-transport-security',
]);

/** Whether a field says for whom a proxy asks: the gateway's word, not the client's. */
export function tellsOfTheClient(name: string): boolean {
  // Most names begin with another letter.
  if (!/^[fx]/i.test(name)) return false;
  const normal = variableName(name);
  return normal.startsWith('x-forwarded-') || TELLING.has(normal);
}

const TELLING: ReadonlySet<string> = new Set(['forwarded', 'x-real-ip', 'front-end-https']);

/** `X_Real_IP` is the same as `X-Real-IP` to servers that make variables of names. */
export function variableName(name: string): string {
  return name.toLowerCase().replaceAll('_', '-');
}

/** All fields but those that ask for another protocol (RFC 9110 §7.8). */
export function withoutUpgrade(raw: RawHeaders): Field[] {
  return [...fieldsOf(raw)].filter(([name]) => name.toLowerCase() !== 'upgrade');
}

/** All values of a field, in order. */
export function valuesOf(raw: RawHeaders, field: string): string[] {
  const values: string[] = [];
  for (let i = 0; i + 1 < raw.length; i += 2)
    if (raw[i]!.length === field.length && raw[i]!.toLowerCase() === field) values.push(raw[i + 1]!);
  return values;
}

/** As `writeHead` and `request` take them without touching them. */
export function flat(fields: Iterable<Field>): string[] {
  return [...fields].flat();
}

function* fieldsOf(raw: RawHeaders): IterableIterator<Field> {
  for (let i = 0; i + 1 < raw.length; i += 2) yield [raw[i]!, raw[i + 1]!];
}
