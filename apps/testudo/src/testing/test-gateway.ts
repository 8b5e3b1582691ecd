import { readFileSync } from 'node:fs';
import { Agent, type RequestOptions, request } from 'node:https';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { parseConfig } from '../config/load.ts';
import { planOf } from '../config/plan.ts';
import { Gateway } from '../gateway/gateway.ts';
import { authorityFiles } from '../identity/local-authority.ts';
import { createLog, type Log } from '../output/log.ts';
import { folderWith } from './folder.ts';

/** A log in memory. */
export function testLog(): { log: Log; lines: () => Record<string, unknown>[] } {
  const stderr = new PassThrough();
  let text = '';
  stderr.on('data', (chunk) => {
    text += chunk;
  });
  return {
    log: createLog({ stderr, env: {} }, 'trace'),
    lines: () =>
      text
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line)),
  };
}

export interface TestGateway {
  readonly gateway: Gateway;
  /** The local CA, PEM. */
  readonly ca: string;
  readonly data: string;
  readonly port: number;
  readonly ports: readonly number[];
  readonly lines: () => Record<string, unknown>[];
}

const running: { destroy(): void }[] = [];
// One CA for a test file: making keys takes time.
let data: string | undefined;

/** Ends what the functions here have started: a test file that uses them says `afterEach(stopAll)`. */
export function stopAll(): void {
  for (const one of running.splice(0)) one.destroy();
}

/** A gateway on loopback with these listeners (YAML, without `listen`), until {@link stopAll}. */
export async function startGateway(
  listeners: readonly string[],
  options: { folder?: string; top?: string } = {},
): Promise<TestGateway> {
  data ??= folderWith();
  const yaml = `${options.top ?? ''}\nlisteners:\n${listeners
    .map((lines) => `  - listen: "127.0.0.1:0"\n${lines.trim().replace(/^/gm, '    ')}\n`)
    .join('')}`;
  const file = join(options.folder ?? data, 'testudo.yaml');
  const { log, lines } = testLog();
  const gateway = await Gateway.start(planOf(parseConfig(yaml, file), file), data, log);
  running.push(gateway);
  const ports = gateway.listeners.map(({ address }) => address.port);
  const ca = readFileSync(authorityFiles(data).certificate, 'utf8');
  return { gateway, ca, data, port: ports[0]!, ports, lines };
}

/** A TLS client of Node, its handshake complete. */
export function connectTls(port: number, options: ConnectionOptions): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, servername: 'localhost', ...options });
    running.push(socket);
    socket.once('error', reject);
    socket.once('secureConnect', () => {
      socket.off('error', reject);
      socket.on('error', () => undefined);
      resolve(socket);
    });
  });
}

/** A plain TCP server, for what is behind the gateway. */
export async function tcpServer(accept: (socket: Socket) => void): Promise<number> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    running.push(socket);
    socket.on('error', () => undefined);
    accept(socket);
  });
  return listenOn(server);
}

export async function listenOn(server: Server): Promise<number> {
  running.push({ destroy: () => server.close() });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as { port: number }).port;
}

/** Everything until the stream's end. */
export function readAll(stream: NodeJS.ReadableStream): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    stream.on('data', (chunk) => {
      text += chunk;
    });
    stream.once('end', () => resolve(text));
    stream.once('error', reject);
    stream.once('close', () => reject(new Error(`closed before its end, after ${text.length} characters`)));
  });
}

/** Goes on where a test has stopped the clock. */
const realTimeout = setTimeout;

/** The value once it has moved and then not for a while: when all buffers on the way, the system's too, are full. */
export async function standstill(value: () => number): Promise<number> {
  for (let before = 0; ; ) {
    await new Promise((resolve) => realTimeout(resolve, 300));
    if (before > 0 && value() === before) return before;
    before = value();
  }
}

export interface Answer {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly body: string;
}

/** One HTTPS request by `node:https`; without keep-alive unless an agent is given. */
export function fetchFrom(
  { port, ca }: { port: number; ca: string },
  path: string,
  options: RequestOptions & { body?: string; session?: Buffer } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { body, ...rest } = options;
    const outgoing = request({
      host: '127.0.0.1',
      servername: 'localhost',
      port,
      path,
      ca,
      agent: false,
      ...rest,
    });
    outgoing.on('error', reject);
    outgoing.on('response', (response) => {
      readAll(response).then(
        (text) => resolve({ status: response.statusCode!, headers: response.headers, body: text }),
        reject,
      );
    });
    outgoing.end(body);
  });
}

export function keepAliveAgent(): Agent {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  running.push(agent);
  return agent;
}

/** Sends bytes as they are over TLS, and reads to the end: for requests that no client would send. */
export async function rawExchange({ port, ca }: { port: number; ca: string }, text: string): Promise<string> {
  const socket = await connectTls(port, { ca });
  socket.write(text);
  return readAll(socket);
}
