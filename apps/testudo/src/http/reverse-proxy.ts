import type { ClientRequest, IncomingMessage, ServerResponse } from 'node:http';
import { isOutOfFiles } from '../listeners/open-files.ts';
import { OutageLog } from '../observe/outage-log.ts';
import type { Log } from '../output/log.ts';
import { BackendAgent } from './backend-agent.ts';
import { BackendRequest } from './backend-request.ts';
import { type BackendLimits, BackendSilent, BackendWatch } from './backend-watch.ts';
import type { Field } from './header-fields.ts';
import { whenInformed } from './information.ts';
import { passBack, passInformation } from './pass-back.ts';
import { type ForwardedRequest, forwardedRequest } from './proxy-request.ts';
import { BUSY, replyWithError } from './reply.ts';
import { hasBody, passBody } from './request-body.ts';

export interface ProxyOptions {
  /** `http:`; its path is put before that of each request. */
  readonly upstream: URL;
  readonly trustForwarded: boolean;
  readonly limits: BackendLimits;
  readonly log: Log;
}

export interface ReverseProxy {
  /**
   * `own`: the gateway's fields for the answer; those of the server behind count where it has the same. `onBackend` gets
   * the watch over the server behind.
   */
  handle(
    request: IncomingMessage,
    response: ServerResponse,
    own: readonly Field[],
    onBackend: (watch: BackendWatch) => void,
  ): void;
  /** A request to the server behind, not yet ended. Whoever opens one says how it fares. */
  open(forwarded: ForwardedRequest): ClientRequest;
  /** Whether the server behind answers. */
  readonly answering: OutageLog;
  close(): void;
}

/** Passes requests on to an HTTP server, and its answers back, as they are, and as streams both ways. */
export function reverseProxy(options: ProxyOptions): ReverseProxy {
  const agent = new BackendAgent();
  const open = (forwarded: ForwardedRequest): ClientRequest => {
    const { upstream } = options;
    return new BackendRequest({
      agent,
      host: upstream.hostname.replace(/^\[|\]$/g, ''),
      port: upstream.port === '' ? 80 : Number(upstream.port),
      method: forwarded.method,
      path: forwarded.path === '*' ? '*' : upstream.pathname.replace(/\/$/, '') + forwarded.path,
      headers: forwarded.headers,
    });
  };
  const details = { upstream: options.upstream.host };
  const answering = new OutageLog(options.log, details, {
    first: 'the server does not answer',
    more: 'more requests to the server failed in the last minute',
    over: 'the server answers again',
  });
  const finishing = new OutageLog(options.log, details, {
    first: 'the server stopped in the middle of an exchange',
    more: 'the server stopped in the middle of more exchanges in the last minute',
  });
  return {
    open,
    answering,
    handle: (request, response, own, onBackend) =>
      exchange({ request, response, own, onBackend, options, open, answering, finishing }, 1),
    close: () => {
      agent.destroy();
      answering.flush();
      finishing.flush();
    },
  };
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly own: readonly Field[];
  readonly onBackend: (watch: BackendWatch) => void;
  readonly options: ProxyOptions;
  readonly open: ReverseProxy['open'];
  readonly answering: OutageLog;
  readonly finishing: OutageLog;
}

function exchange(parts: Exchange, attempt: number): void {
  const { request, response, options, open, own } = parts;
  const forwarded = forwardedRequest(request, options, request.socket.remoteAddress ?? 'unknown');
  if ('status' in forwarded) {
    replyWithError(response, forwarded.status, forwarded.advice, [...own, ['Connection', 'close']]);
    return;
  }
  const outgoing = open(forwarded);
  parts.onBackend(new BackendWatch({ outgoing, request, response, limits: options.limits }));
  const onClose = (): void => void outgoing.destroy();
  response.once('close', onClose);
  let isAnswered = false;
  whenInformed(outgoing, (information) => passInformation(information, response));
  outgoing.on('response', (answer) => {
    // It was given up, and this came in the same read.
    if (outgoing.destroyed) return void answer.destroy();
    isAnswered = true;
    parts.answering.worked();
    passBack(answer, response, own);
  });
  outgoing.on('upgrade', (_answer, socket) => {
    socket.destroy();
    response.off('close', onClose);
    fail(new Error('it switched to a protocol that was not asked for'), parts);
  });
  outgoing.on('error', (error) => {
    response.off('close', onClose);
    // What becomes of an answer that has begun is seen by who passes it back: it may be whole.
    if (isAnswered || response.destroyed) {
      if (error instanceof BackendSilent) parts.finishing.failed(error);
      return;
    }
    // An idle connection that the server behind had just closed: nothing was processed, so ask again.
    const isStale = outgoing.reusedSocket && (error as NodeJS.ErrnoException).code === 'ECONNRESET';
    if (isStale && !hasBody(request) && attempt === 1 && SAFE.has(forwarded.method)) {
      exchange(parts, attempt + 1);
      return;
    }
    fail(error, parts);
  });
  passBody(request, outgoing);
}

const SAFE: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

function fail(error: Error, { response, own, answering }: Exchange): void {
  answering.failed(error);
  if (isOutOfFiles(error)) replyWithError(response, 503, BUSY, own);
  else if (error instanceof BackendSilent) {
    replyWithError(response, 504, 'The server behind this gateway took too long. Try again later.', own);
  } else {
    replyWithError(
      response,
      502,
      'The server behind this gateway cannot be reached, or broke off its answer. Try again later.',
      own,
    );
  }
}
