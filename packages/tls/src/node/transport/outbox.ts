/** What the stream was asked to write, waiting for the handshake or for the transport: cut into slices on the way. */
export class Outbox {
  readonly #chunks: readonly Chunk[];
  /** To be called when all of it was handed to the transport. */
  readonly callback: WriteCallback;
  #index = 0;
  #offset = 0;

  constructor(chunks: readonly Chunk[], callback: WriteCallback) {
    this.#chunks = chunks;
    this.callback = callback;
  }

  get isEmpty(): boolean {
    return this.#index >= this.#chunks.length;
  }

  /**
   * The next bytes, at most {@link MAX_SLICE}: a view on one large chunk, or small ones joined, so that they share
   * records. A large chunk is never copied here.
   */
  take(): Uint8Array {
    const first = toBytes(this.#chunks[this.#index]!);
    if (this.#offset > 0 || first.length >= JOIN_BELOW) return this.#takeView(first);
    const parts: Uint8Array[] = [first];
    let length = first.length;
    this.#index++;
    while (this.#index < this.#chunks.length) {
      const next = toBytes(this.#chunks[this.#index]!);
      if (next.length >= JOIN_BELOW || length + next.length > MAX_SLICE) break;
      parts.push(next);
      length += next.length;
      this.#index++;
    }
    return parts.length === 1 ? first : Buffer.concat(parts, length);
  }

  #takeView(chunk: Uint8Array): Uint8Array {
    const end = Math.min(chunk.length, this.#offset + MAX_SLICE);
    const view = chunk.subarray(this.#offset, end);
    this.#offset = end;
    if (end === chunk.length) {
      this.#index++;
      this.#offset = 0;
    }
    return view;
  }
}

export type WriteCallback = (error?: Error | null) => void;

export interface Chunk {
  readonly chunk: Uint8Array | string;
  readonly encoding: BufferEncoding;
}

/** Bytes that are sealed at once and then wait for the transport, in memory that is used again (sealed-memory.ts). */
export const MAX_SLICE = 65_536;
/** Joining costs a copy; a chunk of this many bytes fills half a record and is better left alone. */
const JOIN_BELOW = 8192;

export function toBytes({ chunk, encoding }: Chunk): Uint8Array {
  return typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk;
}
