import { Agent, type ClientRequest } from 'node:http';
import type { Duplex } from 'node:stream';

/**
 * Keeps connections to the server behind. One on which something comes that nobody has asked for is at odds with its server about
 * where answers end: it is given up, since the rest of that could be taken for the answer to another client's request.
 */
export class BackendAgent extends Agent {
  constructor() {
    super({ keepAlive: true, keepAliveMsecs: 15_000, maxFreeSockets: 64, scheduling: 'lifo' });
  }

  override keepSocketAlive(socket: Duplex): boolean {
    // What the type does not say: whether it is kept.
    const isKept = super.keepSocketAlive(socket) as unknown as boolean;
    if (isKept) socket.on('data', giveUp);
    return isKept;
  }

  override reuseSocket(socket: Duplex, request: ClientRequest): void {
    socket.off('data', giveUp);
    super.reuseSocket(socket, request);
  }
}

function giveUp(this: Duplex): void {
  this.destroy();
}
