import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Link } from '../transport/link.ts';
import { StackedStream } from '../transport/stacked-stream.ts';
import { type BufferReader, bufferReaderFor, type OnReadOptions } from './buffer-reader.ts';
import type { Traffic } from './traffic.ts';

/** Where the data goes that comes to a TLSSocket: to its stream, to the program's own buffer (`onread`), or to TLS in TLS. */
export class Incoming {
  readonly #socket: Socket;
  readonly #traffic: Traffic;
  readonly #reader: BufferReader | undefined;
  #stacked: StackedStream | undefined;

  constructor(socket: Socket, traffic: Traffic, onread: OnReadOptions | undefined) {
    this.#socket = socket;
    this.#traffic = traffic;
    this.#reader = bufferReaderFor(onread);
  }

  /** Whether the socket's own stream gets it. */
  get isStreamed(): boolean {
    return this.#reader === undefined && this.#stacked === undefined;
  }

  /** False when the reader has enough for now. */
  deliver(bytes: Uint8Array): boolean {
    this.#traffic.received(bytes.length);
    if (this.#stacked !== undefined) return this.#stacked.push(bytes);
    return this.#reader === undefined ? this.#socket.push(bytes) : this.#reader.deliver(bytes);
  }

  end(): void {
    if (this.#stacked !== undefined) {
      this.#stacked.push(null);
      return;
    }
    this.#socket.push(null);
    // Nobody may be reading: then 'end' would never come, and the socket would stay.
    if (this.#socket.readableLength === 0) this.#socket.read(0);
  }

  pause(): void {
    this.#reader?.pause();
  }

  /** True when the program's own buffer takes more. */
  resume(): boolean {
    return this.#reader?.resume() === true;
  }

  /** From now on it goes to the stream that is returned. */
  divert(link: Link): Duplex {
    this.#stacked ??= new StackedStream(this.#socket, () => link.resume());
    return this.#stacked;
  }
}
