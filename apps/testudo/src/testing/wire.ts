import { once } from 'node:events';
import type { Socket } from 'node:net';
import { connectTls, startGateway, type TestGateway, tcpServer } from './test-gateway.ts';

/** One character is one byte, on both sides. */
export class Wire {
  text = '';
  readonly socket: Socket;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.text += chunk.toString('latin1');
      socket.emit('more');
    });
    socket.on('end', () => socket.emit('more'));
    socket.on('error', () => undefined);
  }

  write(text: string): void {
    this.socket.write(text, 'latin1');
  }

  /** Waits until this has come. */
  async until(part: string): Promise<void> {
    while (!this.text.includes(part)) {
      if (this.socket.readableEnded || this.socket.destroyed)
        throw new Error(`ended before ${JSON.stringify(part)}: ${JSON.stringify(this.text)}`);
      await Promise.race([once(this.socket, 'more'), once(this.socket, 'close')]);
    }
  }

  /** Waits for the other side's end, clean or not. */
  async ended(): Promise<void> {
    while (!this.socket.readableEnded && !this.socket.destroyed)
      await Promise.race([once(this.socket, 'more'), once(this.socket, 'close')]);
  }

  async closed(): Promise<void> {
    if (!this.socket.destroyed) await once(this.socket, 'close');
  }
}

/** A gateway between a client and a server behind, both in the test's hands. */
export async function between(lines = ''): Promise<{
  site: TestGateway;
  client: () => Promise<Wire>;
  server: () => Promise<Wire>;
  accepted: () => number;
}> {
  const waiting: ((wire: Wire) => void)[] = [];
  const arrived: Wire[] = [];
  let count = 0;
  const port = await tcpServer((socket) => {
    count++;
    const wire = new Wire(socket);
    const next = waiting.shift();
    if (next === undefined) arrived.push(wire);
    else next(wire);
  });
  const site = await startGateway([`certificate: local\nproxy: http://127.0.0.1:${port}\n${lines}`]);
  return {
    site,
    client: async () => new Wire(await connectTls(site.port, { ca: site.ca })),
    server: () =>
      new Promise((resolve) => {
        const wire = arrived.shift();
        if (wire === undefined) waiting.push(resolve);
        else resolve(wire);
      }),
    accepted: () => count,
  };
}

/** Without what Node's writer adds where the server behind says nothing: fields of the client's own connection, and Date. */
export function withoutOwn(answer: string): string {
  return answer.replace(/^(Date|Connection|Keep-Alive): .*\r\n/gm, '');
}
