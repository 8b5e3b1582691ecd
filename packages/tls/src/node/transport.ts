import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/** Whether 'close' will come from the transport: every net.Socket emits it, other streams may have been told not to. */
export function emitsClose(transport: Duplex): boolean {
  if (transport.closed) return false;
  if (transport instanceof Socket) return true;
  const state = (transport as { _writableState?: { emitClose?: boolean } })._writableState;
  return state?.emitClose !== false;
}

/** Whether the stream calls back when the kernel has the bytes. Other streams may hand them on and keep them. */
export function copiesWhatIsWritten(transport: Duplex): boolean {
  if (!(transport instanceof Socket)) return false;
  const { _handle: handle } = transport as { _handle?: object };
  return handle !== undefined && handle !== null && HANDLES.has(handle.constructor.name);
}

/** Sends last bytes if the stream takes them at once, and lets it go. */
export function letGo(transport: Duplex, last: Uint8Array | undefined): void {
  const takesMore = !transport.destroyed && !transport.writableEnded && transport.writableLength === 0;
  if (last === undefined || !takesMore) {
    transport.destroy();
    return;
  }
  transport.end(last);
  transport.once('finish', destroyThis);
  setTimeout(destroyLater, LINGER, transport).unref();
}

const HANDLES = new Set(['TCP', 'Pipe']);

/** Milliseconds for a last alert to leave when the transport does not take it at once. */
const LINGER = 2000;

function destroyThis(this: Duplex): void {
  this.destroy();
}

function destroyLater(transport: Duplex): void {
  transport.destroy();
}
