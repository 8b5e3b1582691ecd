import { Socket, type SocketConstructorOpts } from 'node:net';
import type { Duplex } from 'node:stream';
import { nodeError } from '../errors/errors.ts';

/**
 * The stream that carries the records of a TLSSocket, and nobody else holds. `base` is what the TLSSocket was given, and
 * what the program may go on to use as it likes: listeners, pipes and an encoding that were left on it get nothing and
 * change nothing.
 *
 * - Of a connected TCP or pipe socket the handle is taken, as Node does. `base` keeps it, too, so that addresses, options,
 *   `end` and `destroy` of `base` work on the connection.
 * - What comes to another TLSSocket (TLS in TLS) goes to us instead of its reader.
 * - Another Duplex has nothing but its events: it is used itself, and must give bytes.
 */
export function privateStream(base: Duplex): Duplex {
  if (isTakeable(base)) return base._takeIncoming();
  return hasNativeHandle(base) ? new HandleStream(base as Socket) : base;
}

/** Whether it is a connection of the operating system's, with which the kernel has what the callback of a write tells. */
export function hasNativeHandle(stream: Duplex): boolean {
  if (!(stream instanceof Socket)) return false;
  const { _handle: handle } = stream as { _handle?: object | null };
  return handle !== undefined && handle !== null && HANDLES.has(handle.constructor.name);
}

const HANDLES = new Set(['TCP', 'Pipe']);

/** What `base` has read before and nobody has taken. As in Node, its 'data' listeners see that for the last time. */
export function takeBuffered(base: Duplex, take: (bytes: Uint8Array) => void): void {
  while (base.readableLength > 0) {
    const chunk = base.read() as Uint8Array | string | null;
    if (chunk === null) return;
    take(typeof chunk === 'string' ? Buffer.from(chunk, base.readableEncoding ?? 'utf8') : chunk);
  }
}

/** Whether the end was read already: the handle does not tell it a second time. */
export function hasEnded(base: Duplex): boolean {
  return (base as { _readableState?: { ended?: boolean } })._readableState?.ended === true;
}

/** A stream whose chunks are text or objects cannot carry TLS; Node's words. */
export function notBytes(): Error {
  return nodeError('ERR_STREAM_WRAP', 'Stream has StringDecoder set or is in objectMode');
}

/** A socket whose incoming data can go elsewhere. */
interface Takeable {
  _takeIncoming(): Duplex;
}

function isTakeable(base: Duplex): base is Duplex & Takeable {
  return '_takeIncoming' in base;
}

/** A second net.Socket on the handle: what is read from now on comes here. The handle is closed by the first one. */
class HandleStream extends Socket {
  readonly #base: Socket;

  constructor(base: Socket) {
    const push = (bytes: Buffer): boolean => this!.push(bytes);
    super(optionsFor(base, push));
    this.#base = base;
    // Node's timers go on from child to parent: the base's timeout is for when nothing comes at all.
    (this as { _parent?: Socket })._parent = base;
    if (base.writableLength > 0) this.#waitForBase();
  }

  /** What was written to the base before goes first. */
  #waitForBase(): void {
    this.cork();
    this.#base.write('', (error) => {
      if (error) this.destroy(error);
      else this.uncork();
    });
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    (this as { _handle?: object | null })._handle = null;
    super._destroy(error, callback);
    // After what went wrong was told.
    process.nextTick(destroyStream, this.#base);
  }
}

function destroyStream(stream: Duplex): void {
  stream.destroy();
}

function optionsFor(base: Socket, push: (bytes: Buffer) => boolean): SocketConstructorOpts {
  const { _handle: handle } = base as { _handle?: object };
  const options = { handle, allowHalfOpen: true, manualStart: true } as SocketConstructorOpts;
  if (!hasOwnBuffer(base)) return options;
  const callback = (length: number, buffer: Uint8Array): boolean =>
    push(Buffer.from(buffer.subarray(0, length)));
  return Object.assign(options, { onread: { buffer: Buffer.alloc(READ_LENGTH), callback } });
}

/** As libuv reads. */
const READ_LENGTH = 65_536;

/** With the option `onread` the handle no longer makes memory for what it reads: we have to bring our own, too. */
function hasOwnBuffer(base: Socket): boolean {
  ownBuffer ??= Object.getOwnPropertySymbols(new Socket()).find(
    ({ description }) => description === 'kBuffer',
  );
  return ownBuffer !== undefined && Boolean((base as unknown as Record<symbol, unknown>)[ownBuffer]);
}

let ownBuffer: symbol | undefined;
