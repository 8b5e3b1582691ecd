import { performance } from 'node:perf_hooks';
import type { HeartbeatRequest } from '../../heartbeat/heartbeat.ts';
import { KeepAlive } from '../../heartbeat/keep-alive.ts';
import { nodeError } from '../errors/errors.ts';
import type { EngineSocket } from './engine-socket.ts';

export interface HeartbeatOptions extends HeartbeatRequest {
  /** Milliseconds to wait for the answer. Default 10,000. */
  readonly timeout?: number | undefined;
}

export interface HeartbeatKeepAliveOptions {
  /** Milliseconds of silence before the peer is asked. Default 30,000. */
  readonly interval?: number | undefined;
  /** Milliseconds that it has to answer. Default 10,000. */
  readonly timeout?: number | undefined;
}

/** Asks the peer of a socket, and writes what there is to send. */
export function askPeer(
  socket: EngineSocket,
  flush: () => void,
  { timeout = TIMEOUT, ...request }: HeartbeatOptions,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const connection = socket._connection;
    if (connection === undefined) throw nodeError('ERR_TLS_INVALID_STATE', 'the handshake is not complete');
    const start = performance.now();
    const settle = (act: () => void): void => {
      clearTimeout(timer);
      socket.off('close', onClose);
      act();
    };
    const onClose = (): void =>
      settle(() => reject(nodeError('ECONNRESET', 'the connection ended before the heartbeat was answered')));
    const timer = setTimeout(() => settle(() => reject(timedOut())), timeout);
    try {
      connection.heartbeat(() => settle(() => resolve(performance.now() - start)), request);
    } catch (error) {
      settle(() => reject(error));
      return;
    }
    socket.on('close', onClose);
    flush();
  });
}

/**
 * Asks the peer whenever it is silent for too long, and destroys the socket with `ETIMEDOUT` when it does not answer.
 * Ends with the socket, or when the function that it returns is called. Both sides must have agreed on heartbeats.
 */
export function keepAliveWithHeartbeats(
  socket: EngineSocket,
  { interval = INTERVAL, timeout = TIMEOUT }: HeartbeatKeepAliveOptions = {},
): () => void {
  let seen = socket.bytesRead;
  const startTimer = (after: number, callback: () => void): (() => void) => {
    const timer = setTimeout(() => {
      if (socket.bytesRead !== seen) keepAlive.heard();
      seen = socket.bytesRead;
      callback();
    }, after).unref();
    return () => clearTimeout(timer);
  };
  const keepAlive = new KeepAlive({
    interval,
    timeout,
    startTimer,
    ask: (answered) => void socket.heartbeat({ timeout }).then(answered, () => {}),
    dead: () => socket.destroy(timedOut()),
  });
  const stop = (): void => {
    keepAlive.stop();
    socket.off('close', stop);
  };
  socket.on('close', stop);
  return stop;
}

const INTERVAL = 30_000;
const TIMEOUT = 10_000;

function timedOut(): Error {
  return nodeError('ETIMEDOUT', 'the peer did not answer a heartbeat in time');
}
