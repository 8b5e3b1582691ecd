import { type Codec, DecodeError, decode, type Reader, readField, rest, type Writer } from '@testudo/codec';
import { TlsError } from '../errors.ts';
import { isGrease } from '../grease.ts';
import type { Extension, Place, Values } from './extension.ts';
import { extensionById, extensionName } from './table.ts';

/** An extension of which only the bytes are known. */
export interface RawExtension {
  readonly id: number;
  readonly data: Uint8Array;
}

/** What came of a draft's extension: nobody has looked at it yet. */
class Unread {
  readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }
}

/** The extensions of one message, in wire order. */
export class ExtensionBlock<P extends Place> {
  readonly place: P;
  readonly #values = new Map<number, unknown>();

  constructor(place: P) {
    this.place = place;
  }

  /** The extensions' numbers in wire order, unknown ones included. */
  get ids(): number[] {
    return [...this.#values.keys()];
  }

  has(extension: Extension): boolean {
    return this.#values.has(extension.id);
  }

  hasId(id: number): boolean {
    return this.#values.has(id);
  }

  /** Throws `malformed-message` for what came of a draft's extension, which is read only now. */
  get<V extends Values & { [K in P]: unknown }>(extension: Extension<V>): V[P] | undefined {
    const value = this.#values.get(extension.id);
    return (value instanceof Unread ? this.#read(extension, value) : value) as V[P] | undefined;
  }

  /** As {@link get}, and undefined for what came of a draft's extension and is not as the draft has it. */
  getReadable<V extends Values & { [K in P]: unknown }>(extension: Extension<V>): V[P] | undefined {
    const value = this.#values.get(extension.id);
    if (value instanceof Unread && !isReadable(extension.codecs[this.place] as Codec<unknown>, value.bytes))
      return undefined;
    return this.get(extension);
  }

  #read({ name, codecs }: Extension, { bytes }: Unread): unknown {
    try {
      return decode(codecs[this.place] as Codec<unknown>, bytes);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      const message = `${this.place}: malformed: ${error.within(name).message}`;
      throw new TlsError('malformed-message', message, { cause: error });
    }
  }

  /** Adds an extension, or replaces its value where it stands. */
  set<V extends Values & { [K in P]: unknown }>(extension: Extension<V>, value: V[P]): this {
    this.#values.set(extension.id, value);
    return this;
  }

  /** Adds an extension that the table does not know: GREASE, or one of the user's own. */
  setRaw(id: number, data: Uint8Array): this {
    this.#values.set(id, data);
    return this;
  }

  /** Adds what came of a draft's extension, which {@link get} reads. */
  setUnread(id: number, data: Uint8Array): this {
    this.#values.set(id, new Unread(data));
    return this;
  }

  /** The bytes of an extension that the table does not know, or of a draft's that came. */
  getRaw(id: number): Uint8Array | undefined {
    const value = this.#values.get(id);
    return value instanceof Unread ? value.bytes : (value as Uint8Array | undefined);
  }

  /** Puts the extensions with these numbers first, in this order. */
  arrange(ids: readonly number[]): void {
    const before = new Map(this.#values);
    this.#values.clear();
    for (const id of [...ids, ...before.keys()]) {
      if (before.has(id)) this.#values.set(id, before.get(id));
    }
  }

  delete(extension: Extension): void {
    this.#values.delete(extension.id);
  }

  /**
   * Throws `unsolicited-extension` when this block holds one that `request` does not: nothing may be answered
   * that was not asked (RFC 9846 §4.3), and nobody may answer GREASE (RFC 8701 §3.1). `allowed` names those that need no
   * request. Throws `misplaced-extension` when a draft's extension was asked for and does not belong here.
   */
  expectSolicited(request: { readonly ids: readonly number[] }, allowed: readonly Extension[] = []): void {
    const requested = request.ids;
    for (const id of this.#values.keys()) {
      if (allowed.some((extension) => extension.id === id)) continue;
      if (requested.includes(id) && !isGrease(id)) {
        // Who asked for a draft's extension knows where it must not stand.
        checkPlace(extensionById(id), this.place);
        continue;
      }
      throw new TlsError(
        'unsolicited-extension',
        `${this.place} answers the extension ${extensionName(id)}, which was not offered`,
      );
    }
  }

  /** Only for the codec of a block. */
  entries(): IterableIterator<[number, unknown]> {
    return this.#values.entries();
  }
}

/**
 * `Extension extensions<0..2^16-1>` (RFC 9846 §4.3, RFC 5246 §7.4.1.4) for one place. The table decides what may stand in it.
 */
export function extensions<P extends Place>(place: P): Codec<ExtensionBlock<P>> {
  return {
    read: (reader) => readExtensions(reader, place),
    write: writeExtensions,
  };
}

/** As {@link extensions}, but a message that ends before the block has none (RFC 5246 §7.4.1.2). */
export function optionalExtensions<P extends Place>(place: P): Codec<ExtensionBlock<P>> {
  return {
    read: (reader) => (reader.remaining === 0 ? new ExtensionBlock(place) : readExtensions(reader, place)),
    write(writer, block) {
      if (block.ids.length > 0) writeExtensions(writer, block);
    },
  };
}

/** Reads a block whose place is known only now: ServerHello tells by its contents what it is. */
export function readExtensions<P extends Place>(reader: Reader, place: P): ExtensionBlock<P> {
  const block = new ExtensionBlock(place);
  const length = reader.uint16();
  reader.scope(length, () => {
    while (reader.remaining > 0) readExtension(reader, block);
  });
  return block;
}

function readExtension<P extends Place>(reader: Reader, block: ExtensionBlock<P>): void {
  const start = reader.offset;
  const id = reader.uint16();
  const definition = extensionById(id);
  const name = definition?.name ?? `extension(${id})`;
  if (block.hasId(id)) {
    throw new TlsError('duplicate-extension', `${block.place} holds the extension ${name} twice`);
  }
  reader.tracer?.enter(name, start);
  const length = reader.uint16();
  const codec = definition?.codecs[block.place] as Codec<unknown> | undefined;
  const isDraft = definition?.isDraft === true;
  if (!isDraft) checkPlace(definition, block.place);
  const value = reader.scope(length, () =>
    isDraft ? readDraft(reader, name, codec) : readField(reader, name, codec ?? rest),
  );
  reader.tracer?.leave(name, start, reader.offset - start, value);
  if (isDraft) block.setUnread(id, value as Uint8Array);
  else block.setRaw(id, value as Uint8Array);
}

/** A known extension in a place where it must not stand is refused; an unknown one is carried (RFC 9846 §4.3). */
function checkPlace(definition: Extension | undefined, place: Place): void {
  if (definition === undefined || place in definition.codecs) return;
  const { name, source } = definition;
  throw new TlsError('misplaced-extension', `${name} must not appear in ${place} (${source})`);
}

/** Only who wants to see the fields has them read, as far as they are what the draft says. */
function readDraft(reader: Reader, name: string, codec: Codec<unknown> | undefined): Uint8Array {
  const { offset, remaining } = reader;
  const bytes = reader.bytes.subarray(offset, offset + remaining);
  const isShown = reader.tracer !== undefined && codec !== undefined && isReadable(codec, bytes);
  readField(reader, name, isShown ? codec : rest);
  return bytes;
}

function isReadable(codec: Codec<unknown>, bytes: Uint8Array): boolean {
  try {
    decode(codec, bytes);
    return true;
  } catch {
    return false;
  }
}

function writeExtensions<P extends Place>(writer: Writer, block: ExtensionBlock<P>): void {
  writer.scope(2, () => {
    for (const [id, value] of block.entries()) {
      writer.uint16(id);
      const codec = (extensionById(id)?.codecs[block.place] ?? rest) as Codec<unknown>;
      writer.scope(2, () =>
        value instanceof Unread ? rest.write(writer, value.bytes) : codec.write(writer, value),
      );
    }
  });
}

/** The raw extensions of an encoded block, undecoded: for fingerprints and the explorer. */
export function rawExtensions(block: Uint8Array): RawExtension[] {
  const list: RawExtension[] = [];
  decode(
    {
      read(reader) {
        reader.scope(reader.uint16(), () => {
          while (reader.remaining > 0) list.push({ id: reader.uint16(), data: reader.take(reader.uint16()) });
        });
      },
      write() {},
    },
    block,
  );
  return list;
}
