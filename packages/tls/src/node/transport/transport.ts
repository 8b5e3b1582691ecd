import type { Duplex } from 'node:stream';
import { hasNativeHandle } from './private-stream.ts';

/** Whether the stream calls back when the kernel has the bytes. Other streams may hand them on and keep them. */
export const copiesWhatIsWritten: (transport: Duplex) => boolean = hasNativeHandle;

/**
 * Sends last bytes if the stream takes them at once, and lets it go.
 *
 * @param isHeard whether the peer understands them; else nothing more is taken off the transport, and who sends more is reset, as
 *   in Node.
 */
export function letGo(transport: Duplex, last: Uint8Array | undefined, isHeard: boolean): void {
  const takesMore = !transport.destroyed && !transport.writableEnded && transport.writableLength === 0;
  if (last === undefined || !takesMore) {
    transport.destroy();
    return;
  }
  if (!isHeard) {
    transport.write(last);
    transport.destroy();
    return;
  }
  transport.end(last);
  transport.once('finish', hasNativeHandle(transport) ? listenOn : destroyThis);
  setTimeout(destroyLater, LINGER, transport).unref();
}

/** Milliseconds for a last alert to leave when the transport does not take it at once, and for what still comes to end. */
const LINGER = 2000;
/** Milliseconds after which nothing more is taken to be under way. */
const QUIET = 300;

/**
 * The kernel resets a connection that is closed while bytes lie unread or come, and a reset overtakes the alert: the peer would
 * see it in place of the reason. So what still comes is read and dropped until the peer has ended, or is silent.
 */
function listenOn(this: Duplex): void {
  if (this.readableEnded || this.destroyed) {
    this.destroy();
    return;
  }
  const timer = setTimeout(destroyLater, QUIET, this).unref();
  this.on('data', () => void timer.refresh());
  this.once('end', destroyThis);
  this.once('close', () => clearTimeout(timer));
  this.resume();
}

function destroyThis(this: Duplex): void {
  this.destroy();
}

function destroyLater(transport: Duplex): void {
  transport.destroy();
}
