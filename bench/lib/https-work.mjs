import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';
import { checkFacts } from './stacks.mjs';

/** The program that loads an HTTPS server. It takes a duration; the server counts the requests. */
export const LOADER = 'wrk';

/** Whether {@link LOADER} is installed. */
export function hasLoader() {
  return spawnSync(LOADER, ['-v']).error === undefined;
}

const ANSWER = 'testudo '.repeat(13).slice(0, 100);
/** Milliseconds: longer than other stacks' rounds take. Node's default of five seconds would end connections between rounds. */
const KEEP_ALIVE = 600_000;

/** An HTTPS server that answers every request with 100 bytes. */
export class HttpsServerWork {
  #stack;
  #server;
  #counts = noCounts();
  #failure;

  constructor(stack) {
    this.#stack = stack;
  }

  async listen() {
    const server = this.#stack.createHttpsServer((_request, response) => {
      this.#counts.requests++;
      response.writeHead(200, { 'content-type': 'text/plain', 'content-length': ANSWER.length });
      response.end(ANSWER);
    });
    server.keepAliveTimeout = KEEP_ALIVE;
    server.on('secureConnection', (socket) => this.#onConnection(socket));
    server.on('tlsClientError', (error) => {
      // The loader first looks whether anybody listens.
      if (error.code !== 'ECONNRESET') this.#failure ??= error;
    });
    await new Promise((resolve, reject) => {
      server.on('error', reject);
      server.listen(0, '127.0.0.1', resolve);
    });
    this.#server = server;
    return server.address().port;
  }

  /** The loader does not tell what was agreed on: the server does. */
  #onConnection(socket) {
    this.#counts.connections++;
    const { version, suite, resumed } = this.#stack.facts(socket);
    if (resumed) this.#counts.resumed++;
    const wanted = this.#stack.setting;
    if (version === wanted.version && suite === wanted.suite) return;
    this.#failure ??= new Error(`${version}, ${suite}: not what was to be measured`);
  }

  /** Handshakes and requests since the last call. Throws when a handshake failed, or agreed on something else. */
  counts() {
    if (this.#failure !== undefined) throw this.#failure;
    const counts = this.#counts;
    this.#counts = noCounts();
    return counts;
  }

  close() {
    this.#server?.close();
    this.#server?.closeAllConnections();
  }
}

function noCounts() {
  return { connections: 0, resumed: 0, requests: 0 };
}

/** What asks an HTTPS server: an agent that keeps its connections, or the loader beside it. */
export class HttpsClientWork {
  #stack;
  #agent;

  constructor(stack) {
    this.#stack = stack;
  }

  /** One request on each of `connections` connections, which stay; outside of what is measured. */
  async open({ port, connections }) {
    this.#agent = this.#stack.createAgent({ keepAlive: true, maxSockets: connections });
    const used = await Promise.all(Array.from({ length: connections }, () => this.#get(port)));
    if (new Set(used).size !== connections) throw new Error('requests shared a connection');
    for (const socket of used) checkFacts(this.#stack, socket, false);
  }

  /** `count` requests, on each connection one after the other. */
  async requests({ port, count, connections }) {
    let started = 0;
    const lane = async () => {
      while (started < count) {
        started++;
        await this.#get(port);
      }
    };
    await Promise.all(Array.from({ length: connections }, lane));
    return { requests: count };
  }

  #get(port) {
    return new Promise((resolve, reject) => {
      const request = this.#stack.get({ port, agent: this.#agent }, (response) => {
        // By then the agent has taken it from the response.
        const { socket } = response;
        let missing = ANSWER.length;
        response.on('data', (chunk) => {
          missing -= chunk.length;
        });
        response.on('end', () => {
          if (response.statusCode === 200 && missing === 0) resolve(socket);
          else reject(new Error(`status ${response.statusCode}, ${missing} bytes missing`));
        });
      });
      request.on('error', reject);
    });
  }

  /** Requests of the loader, on so many connections of its own. Throws when one of them failed. */
  async load({ port, seconds, connections }) {
    const options = ['-t1', `-c${connections}`, `-d${seconds}s`];
    const { stdout } = await promisify(execFile)(LOADER, [
      ...options,
      `${this.#stack.scheme}://127.0.0.1:${port}/`,
    ]);
    const requests = /(\d+) requests in/.exec(stdout)?.[1];
    if (requests === undefined || /Socket errors|Non-2xx/.test(stdout)) throw new Error(stdout);
    return { requests: Number(requests) };
  }
}
