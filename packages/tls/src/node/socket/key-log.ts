import { appendFileSync } from 'node:fs';
import { toHex } from '@testudo/codec';
import { type Observer, observers } from '../../observer.ts';
import { flagValue } from '../as-node/command-line.ts';
import type { EngineSocket } from './engine-socket.ts';

/**
 * The user's observer, and one that emits 'keylog' when somebody listens, on the socket or on its server, and writes to
 * the file of Node's flag `--tls-keylog`.
 */
export function keyLogObserver(socket: EngineSocket, own: Observer | undefined): Observer | undefined {
  const server = socket.server as { listenerCount?(name: string): number } | null;
  const file = keyLogFile();
  const isHeard = socket.listenerCount('keylog') > 0 || Boolean(server?.listenerCount?.('keylog'));
  if (!isHeard && file === undefined) return own;
  const log: Observer = {
    secret: (label, clientRandom, secret) => {
      const line = Buffer.from(`${label} ${toHex(clientRandom)} ${toHex(secret)}\n`);
      if (file !== undefined) appendFileSync(file, line);
      // Not on the engine's stack: a listener may throw.
      if (isHeard) process.nextTick(emitLine, socket, line);
    },
  };
  return observers(own, log);
}

function emitLine(socket: EngineSocket, line: Buffer): void {
  socket.emit('keylog', line);
  (socket.server as { emit?(name: string, ...args: unknown[]): void } | null)?.emit?.('keylog', line, socket);
}

/** Looked for once, with Node's warning. */
function keyLogFile(): string | undefined {
  if (known !== undefined) return known.file;
  known = { file: flagValue('--tls-keylog') };
  if (known.file !== undefined) {
    process.emitWarning(
      `Using --tls-keylog makes TLS connections insecure by writing secret key material to file ${known.file}`,
    );
  }
  return known.file;
}

let known: { readonly file: string | undefined } | undefined;
