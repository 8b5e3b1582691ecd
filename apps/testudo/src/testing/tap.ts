import { connect, type Socket } from 'node:net';
import { tcpServer } from './test-gateway.ts';

/** What a server sends over a TCP connection, as somebody on the way sees it. */
export interface Tap {
  readonly port: number;
  /** The types of the TLS records that came from the server (RFC 5246 §6.2.1). */
  types(): number[];
  /** How the server's side has ended: by its end, or by a reset. */
  readonly ended: Promise<'end' | 'reset'>;
}

/** A relay to a port of this machine that looks at what the server sends. For one connection. */
export async function tapOn(port: number): Promise<Tap> {
  const received: Buffer[] = [];
  let done: (how: 'end' | 'reset') => void;
  const ended = new Promise<'end' | 'reset'>((resolve) => {
    done = resolve;
  });
  const own = await tcpServer((client: Socket) => {
    const server = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    server.on('data', (chunk) => received.push(chunk));
    server.once('end', () => done('end'));
    server.once('error', () => done('reset'));
    client.pipe(server).pipe(client);
    client.once('close', () => server.destroy());
  });
  return { port: own, ended, types: () => recordTypes(Buffer.concat(received)) };
}

function recordTypes(bytes: Buffer): number[] {
  const types: number[] = [];
  for (let at = 0; at + 5 <= bytes.length; at += 5 + bytes.readUInt16BE(at + 3)) types.push(bytes[at]!);
  return types;
}

/** RFC 5246 §6.2.1: under TLS 1.2 the type of a record is seen also when it is encrypted. */
export const ALERT = 21;
