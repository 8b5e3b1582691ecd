import type { ClientRequest, Agent as HttpAgent, IncomingMessage, RequestListener } from 'node:http';
import nodeHttps, {
  type AgentOptions,
  type Server as HttpsServer,
  type RequestOptions,
  type ServerOptions,
} from 'node:https';
import type { Duplex } from 'node:stream';
import { distinction } from './client/agent-name.ts';
import { connect } from './client/connect.ts';
import { httpsServer } from './server/node-servers.ts';
import type { ConnectionOptions, TlsOptions } from './types.ts';

/**
 * `node:https` over this package's engine: HTTP is Node's, TLS is ours. An `Agent` of `node:https` itself still brings
 * Node's TLS: take this one, or start the program with `@testudo/tls/register`.
 */
export class Agent extends nodeHttps.Agent {
  constructor(options?: AgentOptions) {
    super(options);
    // Below it stands Node's, which knows of Node's TLS only.
    this.createConnection = connectWithSession as never;
  }

  /** Requests share connections and sessions only when all that decides on the peer is the same. */
  override getName(options?: RequestOptions): string {
    return (options && names.get(options)) ?? super.getName(options) + distinction(options);
  }
}

/** Of connections, by their options: Node asks twice for the same each time that a connection becomes free. */
const names = new WeakMap<object, string>();

type Sessions = {
  _getSession(key: string): Buffer | undefined;
  _cacheSession(key: string, session: Buffer): void;
  _evictSession(key: string): void;
};

/** Sessions are kept by the agent, per host and options, and given up after an error. */
function connectWithSession(
  this: Agent & Sessions,
  options: ConnectionOptions & { _agentKey?: string },
): Duplex {
  const key = options._agentKey;
  if (!key) return connect(options);
  names.set(options, Agent.prototype.getName.call(this, options as RequestOptions));
  const socket = connect({ session: this._getSession(key), ...options });
  socket.on('session', (session: Buffer) => this._cacheSession(key, session));
  socket.once('close', (hadError: boolean) => {
    if (hadError) this._evictSession(key);
  });
  return socket;
}

type Callback = (response: IncomingMessage) => void;

/** As `https.request`, through an {@link Agent} of ours where none is given. */
export function request(options: RequestOptions | string | URL, callback?: Callback): ClientRequest;
export function request(url: string | URL, options: RequestOptions, callback?: Callback): ClientRequest;
export function request(...args: readonly unknown[]): ClientRequest {
  const [first, second] = args;
  const url = typeof first === 'string' || isUrl(first) ? [first] : [];
  const given = (url.length === 0 ? first : second) as RequestOptions | Callback | null | undefined;
  const options = typeof given === 'function' ? undefined : given;
  // Node takes the global agent of its own, and with `agent: false` one of that class.
  if (options && Object.hasOwn(options, 'agent') && options.agent) return nodeRequest(...args);
  const callback = args.find((arg) => typeof arg === 'function');
  return nodeRequest(...url, { ...options, agent: agentFor(options ?? {}) }, callback);
}

/** Looked up each time: libraries that record requests replace it. */
function nodeRequest(...args: readonly unknown[]): ClientRequest {
  return (nodeHttps.request as (...all: readonly unknown[]) => ClientRequest)(...args);
}

/** As Node tells them apart: a test runner's URL is of another class. */
function isUrl(value: unknown): boolean {
  const { href, protocol, auth, path } = (value ?? {}) as Record<string, unknown>;
  return Boolean(href && protocol && auth === undefined && path === undefined);
}

/** As `https.get`. */
export function get(options: RequestOptions | string | URL, callback?: Callback): ClientRequest;
export function get(url: string | URL, options: RequestOptions, callback?: Callback): ClientRequest;
export function get(...args: readonly unknown[]): ClientRequest {
  const made = (request as (...all: unknown[]) => ClientRequest)(...args);
  made.end();
  return made;
}

/** What Node's server over TLS takes, and in it what ours takes beyond that. */
export type HttpsServerOptions = Omit<ServerOptions, keyof TlsOptions> & TlsOptions;

/** As `https.createServer`. */
export function createServer(
  options?: HttpsServerOptions | RequestListener,
  listener?: RequestListener,
): HttpsServer {
  return httpsServer(options as ServerOptions, listener);
}

/** As `https.Server`, with and without `new`. */
export const Server: typeof nodeHttps.Server = new Proxy(nodeHttps.Server, {
  construct: (_target, args) => createServer(...args),
  apply: (_target, _self, args) => createServer(...(args as [])),
});

/** Keeps connections, as Node's. */
export const globalAgent: Agent = new Agent({ keepAlive: true, scheduling: 'lifo', timeout: 5000 });

/** The module as an object: `globalAgent` may be replaced on it. */
const https: {
  Agent: typeof Agent;
  Server: typeof Server;
  createServer: typeof createServer;
  get: typeof get;
  globalAgent: nodeHttps.Agent;
  request: typeof request;
} = { Agent, Server, createServer, get, globalAgent, request };
export default https;

function agentFor({ agent, createConnection }: RequestOptions): HttpAgent | undefined {
  if (agent === false) return new Agent();
  if (agent) return agent as HttpAgent;
  return typeof createConnection === 'function' ? undefined : https.globalAgent;
}
