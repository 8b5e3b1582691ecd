import {
  Agent,
  type ClientRequest,
  request as httpRequest,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import { pipeline } from 'node:stream';
import { systemReason } from '../failure.ts';
import type { Log } from '../output/log.ts';
import { endToEnd, grouped } from './header-fields.ts';
import { type ForwardedRequest, forwardedRequest } from './proxy-request.ts';
import { replyWithError } from './reply.ts';

export interface ProxyOptions {
  /** `http:`; its path is put before that of each request. */
  readonly upstream: URL;
  readonly trustForwarded: boolean;
  /** Milliseconds to connect. */
  readonly connectTimeout: number;
  /** Milliseconds until the answer begins, and between its parts. */
  readonly responseTimeout: number;
  readonly log: Log;
}

export interface ReverseProxy {
  handle(request: IncomingMessage, response: ServerResponse): void;
  /** A request to the server behind, not yet ended: for upgrades. */
  open(forwarded: ForwardedRequest): ClientRequest;
  close(): void;
}

/** Passes requests on to an HTTP server, and its answers back, as streams both ways. */
export function reverseProxy(options: ProxyOptions): ReverseProxy {
  const agent = new Agent({
    keepAlive: true,
    keepAliveMsecs: 15_000,
    maxFreeSockets: 64,
    scheduling: 'lifo',
  });
  const open = (forwarded: ForwardedRequest): ClientRequest => {
    const { upstream } = options;
    const request = httpRequest({
      agent,
      host: upstream.hostname.replace(/^\[|\]$/g, ''),
      port: upstream.port === '' ? 80 : Number(upstream.port),
      method: forwarded.method,
      path: forwarded.path === '*' ? '*' : upstream.pathname.replace(/\/$/, '') + forwarded.path,
      headers: forwarded.headers,
      setHost: false,
    });
    limitTimes(request, options);
    return request;
  };
  return {
    open,
    handle: (request, response) => exchange(request, response, options, open),
    close: () => agent.destroy(),
  };
}

function exchange(
  request: IncomingMessage,
  response: ServerResponse,
  options: ProxyOptions,
  open: ReverseProxy['open'],
  attempt = 1,
): void {
  const forwarded = forwardedRequest(request, options, request.socket.remoteAddress ?? 'unknown');
  if ('status' in forwarded) {
    replyWithError(response, forwarded.status, forwarded.advice, { Connection: 'close' });
    return;
  }
  const outgoing = open(forwarded);
  const hasBody =
    request.headers['content-length'] !== undefined || request.headers['transfer-encoding'] !== undefined;
  const onClose = (): void => void outgoing.destroy();
  response.once('close', onClose);
  outgoing.on('response', (answer) => passBack(answer, response));
  outgoing.on('error', (error) => {
    response.off('close', onClose);
    if (response.destroyed) return;
    // An idle connection that the server behind had just closed: nothing was processed, so ask again.
    const isStale = outgoing.reusedSocket && (error as NodeJS.ErrnoException).code === 'ECONNRESET';
    if (isStale && !hasBody && attempt === 1 && SAFE.has(forwarded.method) && !response.headersSent) {
      exchange(request, response, options, open, attempt + 1);
      return;
    }
    fail(error, response, options);
  });
  if (!hasBody) outgoing.end();
  // A client that goes away in the middle of its request ends ours, unfinished.
  else pipeline(request, outgoing, () => undefined);
}

const SAFE: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

function passBack(answer: IncomingMessage, response: ServerResponse): void {
  if (response.destroyed) {
    answer.destroy();
    return;
  }
  try {
    for (const [name, value] of Object.entries(grouped(endToEnd(answer.rawHeaders))))
      response.setHeader(name, value);
    response.writeHead(answer.statusCode ?? 502, answer.statusMessage ?? '');
  } catch {
    // A field that the parser let through and the writer does not.
    answer.destroy();
    for (const name of response.getHeaderNames()) response.removeHeader(name);
    replyWithError(response, 502, 'The server behind this gateway answered with something malformed.');
    return;
  }
  response.flushHeaders();
  // When the answer breaks off, so does ours: half an answer must not look whole.
  pipeline(answer, response, (error) => {
    if (error) response.destroy();
  });
}

class TimedOut extends Error {
  readonly what: 'connect' | 'response';

  constructor(what: 'connect' | 'response') {
    super(what === 'connect' ? 'no connection in time' : 'no answer in time');
    this.what = what;
  }
}

function limitTimes(request: ClientRequest, { connectTimeout, responseTimeout }: ProxyOptions): void {
  const connecting = setTimeout(() => request.destroy(new TimedOut('connect')), connectTimeout);
  request.once('socket', (socket) => {
    if (!socket.connecting) clearTimeout(connecting);
    else socket.once('connect', () => clearTimeout(connecting));
  });
  request.once('close', () => clearTimeout(connecting));
  request.setTimeout(responseTimeout, () => request.destroy(new TimedOut('response')));
}

function fail(error: Error, response: ServerResponse, { log, upstream }: ProxyOptions): void {
  log.warn({ upstream: upstream.host, reason: systemReason(error) }, 'the server behind did not answer');
  if (error instanceof TimedOut) {
    replyWithError(response, 504, 'The server behind this gateway took too long. Try again later.');
  } else {
    replyWithError(
      response,
      502,
      'The server behind this gateway cannot be reached, or broke off. Try again later.',
    );
  }
}
