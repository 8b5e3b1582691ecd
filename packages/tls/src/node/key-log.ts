import { toHex } from '@testudo/codec';
import { type Observer, observers } from '../observer.ts';
import type { TLSSocket } from './socket.ts';

/** The user's observer, and one that emits 'keylog' when somebody listens: on the socket, or on its server. */
export function keyLogObserver(socket: TLSSocket, own: Observer | undefined): Observer | undefined {
  const server = socket.server as { listenerCount?(name: string): number } | null;
  if (socket.listenerCount('keylog') === 0 && !server?.listenerCount?.('keylog')) return own;
  const log: Observer = {
    secret: (label, clientRandom, secret) => {
      const line = Buffer.from(`${label} ${toHex(clientRandom)} ${toHex(secret)}\n`);
      // Not on the engine's stack: a listener may throw.
      process.nextTick(emitLine, socket, line);
    },
  };
  return observers(own, log);
}

function emitLine(socket: TLSSocket, line: Buffer): void {
  socket.emit('keylog', line);
  (socket.server as { emit?(name: string, ...args: unknown[]): void } | null)?.emit?.('keylog', line, socket);
}
