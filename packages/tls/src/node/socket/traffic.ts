import type { Socket } from 'node:net';
import type { Chunk } from '../transport/outbox.ts';

/** Counts the application data of a TLSSocket, in bytes; all of it is a sign of life for `setTimeout`. */
export class Traffic {
  read = 0;
  written = 0;
  readonly #socket: Socket;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  received(length: number): void {
    this.read += length;
    this.#touch();
  }

  sent(chunk: Uint8Array | string, encoding: BufferEncoding): void {
    this.written += lengthOf(chunk, encoding);
    this.#touch();
  }

  sentAll(chunks: readonly Chunk[]): void {
    for (const { chunk, encoding } of chunks) this.written += lengthOf(chunk, encoding);
    this.#touch();
  }

  /** The time of silence begins anew. */
  #touch(): void {
    if (this.#socket.timeout) (this.#socket as unknown as { _unrefTimer(): void })._unrefTimer();
  }
}

function lengthOf(chunk: Uint8Array | string, encoding: BufferEncoding): number {
  return typeof chunk === 'string' ? Buffer.byteLength(chunk, encoding) : chunk.length;
}
