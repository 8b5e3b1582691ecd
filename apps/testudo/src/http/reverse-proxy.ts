import { Agent, type ClientRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { systemReason } from '../failure.ts';
import type { Log } from '../output/log.ts';
import { BackendRequest } from './backend-request.ts';
import type { Field } from './header-fields.ts';
import { passBack, passInformation } from './pass-back.ts';
import { type ForwardedRequest, forwardedRequest } from './proxy-request.ts';
import { replyWithError } from './reply.ts';
import { hasBody, passBody } from './request-body.ts';

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
  /** `own`: the gateway's fields for the answer; those of the server behind count where it has the same. */
  handle(request: IncomingMessage, response: ServerResponse, own: readonly Field[]): void;
  /** A request to the server behind, not yet ended: for upgrades. */
  open(forwarded: ForwardedRequest): ClientRequest;
  close(): void;
}

/** Passes requests on to an HTTP server, and its answers back, as they are, and as streams both ways. */
export function reverseProxy(options: ProxyOptions): ReverseProxy {
  const agent = new Agent({
    keepAlive: true,
    keepAliveMsecs: 15_000,
    maxFreeSockets: 64,
    scheduling: 'lifo',
  });
  const open = (forwarded: ForwardedRequest): ClientRequest => {
    const { upstream } = options;
    const request = new BackendRequest({
      agent,
      host: upstream.hostname.replace(/^\[|\]$/g, ''),
      port: upstream.port === '' ? 80 : Number(upstream.port),
      method: forwarded.method,
      path: forwarded.path === '*' ? '*' : upstream.pathname.replace(/\/$/, '') + forwarded.path,
      headers: forwarded.headers,
    });
    limitTimes(request, options);
    return request;
  };
  return {
    open,
    handle: (request, response, own) => exchange({ request, response, own, options, open }, 1),
    close: () => agent.destroy(),
  };
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly own: readonly Field[];
  readonly options: ProxyOptions;
  readonly open: ReverseProxy['open'];
}

function exchange(parts: Exchange, attempt: number): void {
  const { request, response, own, options, open } = parts;
  const forwarded = forwardedRequest(request, options, request.socket.remoteAddress ?? 'unknown');
  if ('status' in forwarded) {
    replyWithError(response, forwarded.status, forwarded.advice, [...own, ['Connection', 'close']]);
    return;
  }
  const outgoing = open(forwarded);
  const onClose = (): void => void outgoing.destroy();
  response.once('close', onClose);
  let isAnswered = false;
  outgoing.on('information', (information) => passInformation(information, response));
  outgoing.on('response', (answer) => {
    isAnswered = true;
    passBack(answer, response, own);
  });
  outgoing.on('error', (error) => {
    response.off('close', onClose);
    // What becomes of an answer that has begun is seen by who passes it back: it may be whole.
    if (isAnswered || response.destroyed) return;
    // An idle connection that the server behind had just closed: nothing was processed, so ask again.
    const isStale = outgoing.reusedSocket && (error as NodeJS.ErrnoException).code === 'ECONNRESET';
    if (isStale && !hasBody(request) && attempt === 1 && SAFE.has(forwarded.method)) {
      exchange(parts, attempt + 1);
      return;
    }
    fail(error, response, own, options);
  });
  passBody(request, outgoing);
}

const SAFE: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

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

function fail(
  error: Error,
  response: ServerResponse,
  own: readonly Field[],
  { log, upstream }: ProxyOptions,
): void {
  log.warn({ upstream: upstream.host, reason: systemReason(error) }, 'the server behind did not answer');
  if (error instanceof TimedOut) {
    replyWithError(response, 504, 'The server behind this gateway took too long. Try again later.', own);
  } else {
    replyWithError(
      response,
      502,
      'The server behind this gateway cannot be reached, or broke off. Try again later.',
      own,
    );
  }
}
