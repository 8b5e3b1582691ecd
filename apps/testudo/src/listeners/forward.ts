import { connect, type Socket } from 'node:net';
import type { TLSSocket } from '@testudo/tls/node';
import { type Address, addressText } from '../config/address.ts';
import { OutageLog } from '../observe/outage-log.ts';
import type { Log } from '../output/log.ts';
import { farewell } from './farewell.ts';
import { Passage } from './passage.ts';
import type { Served, Service } from './service.ts';

export interface ForwardOptions {
  readonly target: Address & { readonly host: string };
  /** Milliseconds to connect. */
  readonly connectTimeout: number;
  readonly log: Log;
}

/** Opens a TCP connection for each TLS connection, and passes the plaintext on, both ways, each at the other's pace. */
export function forwardService({ target, connectTimeout, log }: ForwardOptions): Service {
  const details = { target: addressText(target) };
  const way: Way = {
    target,
    connectTimeout,
    reached: new OutageLog(log, details, {
      first: 'the service cannot be reached',
      more: 'more connections to the service failed in the last minute',
      over: 'the service can be reached again',
    }),
    held: new OutageLog(log, details, {
      first: 'the service broke off a connection',
      more: 'the service broke off more connections in the last minute',
    }),
  };
  return {
    accept: (client) => forward(client, way),
    drain: () => undefined,
    close: () => {
      way.reached.flush();
      way.held.flush();
    },
  };
}

/** Where connections go to, and how that fares. */
interface Way extends Pick<ForwardOptions, 'target' | 'connectTimeout'> {
  readonly reached: OutageLog;
  readonly held: OutageLog;
}

function forward(client: TLSSocket, { target, connectTimeout, reached, held }: Way): Served {
  const { host, port } = target;
  // Whoever vanishes is found out long before a connection counts as idle.
  const service = connect({ host, port, allowHalfOpen: true, noDelay: true, ...KEEP_ALIVE });
  const waiting = setTimeout(() => service.destroy(timeout()), connectTimeout);
  let outcome = reached;
  service.once('connect', () => {
    clearTimeout(waiting);
    reached.worked();
    outcome = held;
  });
  service.once('close', () => clearTimeout(waiting));
  service.on('error', (error) => {
    outcome.failed(error);
    // Where nothing was said, nothing is cut off.
    if (service.bytesRead === 0) farewell(client);
    else client.destroy();
  });
  client.on('error', () => service.destroy());
  const passages = [one(client, service, true), one(service, client, false)];
  return {
    isBusy: () => false,
    end: (grace) => {
      for (const passage of passages) passage.stop();
      farewell(client, grace);
      farewell(service, grace);
    },
  };
}

/** TCP asks a silent peer whether it is still there; milliseconds. */
const KEEP_ALIVE = { keepAlive: true, keepAliveInitialDelay: 60_000 } as const;

/** An end is passed on as an end; anything else ends both at once, so that a part never looks whole. */
function one(from: Socket, to: Socket, joins: boolean): Passage {
  from.once('close', () => {
    if (!from.readableEnded && !to.writableEnded) to.destroy();
  });
  return new Passage(from, to, joins);
}

function timeout(): Error {
  return Object.assign(new Error('no connection in time'), { code: 'ETIMEDOUT' });
}
