import { DecodeError } from './errors.ts';
import { Reader, type Tracer } from './reader.ts';
import { Writer } from './writer.ts';

/** A wire format, declared once for both directions. `read` throws only {@link DecodeError}. */
export interface Codec<T> {
  read(reader: Reader): T;
  write(writer: Writer, value: T): void;
}

/** Decodes `bytes` whole; bytes left over are refused. */
export function decode<T>(codec: Codec<T>, bytes: Uint8Array, tracer?: Tracer): T {
  const reader = new Reader(bytes, tracer);
  const value = codec.read(reader);
  reader.expectEnd();
  return value;
}

/** Encodes one value. The bytes are a view on memory that holds other encoded values, too. */
export function encode<T>(codec: Codec<T>, value: T): Uint8Array {
  const writer = new Writer();
  codec.write(writer, value);
  return writer.finish();
}

type Fields = Record<string, Codec<unknown>>;
type Struct<F extends Fields> = { [K in keyof F]: F[K] extends Codec<infer T> ? T : never };

/** Fields one after the other (RFC 9846 §3.6), in the order they are declared; each is reported to the tracer. */
// biome-ignore lint/suspicious/noExplicitAny: a field's codec may be of any type; Struct<F> gives each its own
export function struct<F extends Record<string, Codec<any>>>(fields: F): Codec<Struct<F>> {
  const names = Object.keys(fields);
  const codecs = Object.values(fields) as Codec<unknown>[];
  return {
    read(reader) {
      const value: Record<string, unknown> = {};
      for (let i = 0; i < names.length; i++) value[names[i]!] = readField(reader, names[i]!, codecs[i]!);
      return value as Struct<F>;
    },
    write(writer, value) {
      for (let i = 0; i < names.length; i++) codecs[i]!.write(writer, value[names[i]!]);
    },
  };
}

/** Reads one field by its name, or by its place in a list: tells the tracer, and puts the name into an error's path. */
export function readField<T>(reader: Reader, name: string | number, codec: Codec<T>): T {
  const start = reader.offset;
  reader.tracer?.enter(fieldName(name), start);
  try {
    const value = codec.read(reader);
    reader.tracer?.leave(fieldName(name), start, reader.offset - start, value);
    return value;
  } catch (error) {
    throw error instanceof DecodeError ? error.within(fieldName(name)) : error;
  }
}

function fieldName(name: string | number): string {
  return typeof name === 'string' ? name : `[${name}]`;
}
