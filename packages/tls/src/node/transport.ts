import type { Duplex } from 'node:stream';
import { hasNativeHandle } from './private-stream.ts';

/** Whether the stream calls back when the kernel has the bytes. Other streams may hand them on and keep them. */
export const copiesWhatIsWritten: (transport: Duplex) => boolean = hasNativeHandle;

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

/** Milliseconds for a last alert to leave when the transport does not take it at once. */
const LINGER = 2000;

function destroyThis(this: Duplex): void {
  this.destroy();
}

function destroyLater(transport: Duplex): void {
  transport.destroy();
}
