import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from '@testudo/tls/node';
import { messageOf } from '../failure.ts';
import { type Field, flat, withoutUpgrade } from '../http/header-fields.ts';
import { http } from '../http/node-http.ts';
import { replyWithError } from '../http/reply.ts';
import { hasBody } from '../http/request-body.ts';
import type { ConnectionRecord } from '../observe/connection-record.ts';
import type { Log } from '../output/log.ts';
import { shown } from '../output/text.ts';
import { farewell } from './farewell.ts';
import type { Served, Service } from './service.ts';

export interface HttpHandler {
  handle(
    request: IncomingMessage,
    response: ServerResponse,
    connection: HttpConnection,
    own: readonly Field[],
  ): void | Promise<void>;
  /** Whether it shows what happened on a connection. Default false. */
  readonly wantsRecords?: boolean;
  /** Writes heads whole, and the gateway's own fields (`own`) with them. Default false: they are set before. */
  readonly writesOwnFields?: boolean;
  /** Requests to switch protocols. Default: the wish is ignored (RFC 9110 §7.8). */
  readonly upgrade?: {
    isMet(request: IncomingMessage): boolean;
    /** The function that comes back ends it from our side. */
    handle(request: IncomingMessage, socket: Duplex, head: Buffer): (grace?: number) => void;
  };
  close?(): void;
}

/** One TLS connection that carries HTTP. */
export interface HttpConnection {
  readonly socket: TLSSocket;
  /** What happened on it, where the handler wants to know. */
  readonly record?: ConnectionRecord | undefined;
  /** Requests so far, the current one included. */
  requests: number;
  /** Requests that are being answered. */
  active: number;
  /** The answer to the latest request. */
  last?: ServerResponse | undefined;
  /** Whether the client waits for a server behind; not when it still has to send, or to read. Default: never. */
  backend?: { readonly isWaitedFor: boolean } | undefined;
  /** No request is answered any more. */
  isEnding?: boolean;
  /** What came after the latest request is not HTTP: that is said after its answer. */
  isRefusing?: boolean;
  /** Set once it carries another protocol: ends that from our side. */
  endUpgraded?: ((grace?: number) => void) | undefined;
}

export interface HttpOptions {
  readonly hsts: string | undefined;
  /** Milliseconds for which a connection without a request is kept. */
  readonly idle: number;
  readonly log: Log;
}

/** Milliseconds for the header of a request: longer means someone only holds the connection. */
const HEADER_TIMEOUT = 15_000;
/** A kept connection may idle no longer than this, in milliseconds. */
const KEEP_ALIVE = 30_000;

/** Requests on one connection that are read before the first of them is answered, and what has come along with the last of them. */
const MOST_IN_A_ROW = 100;

/** HTTP/1.1 by `node:http` over TLS connections. */
export function httpService(handler: HttpHandler, options: HttpOptions): Service {
  const connections = new Map<Socket, HttpConnection>();
  let isDraining = false;
  const { upgrade } = handler;
  const serverOptions = {
    headersTimeout: HEADER_TIMEOUT,
    // Bodies may take long; a client that stops sending meets the listener's idle limit.
    requestTimeout: 0,
    keepAliveTimeout: Math.min(KEEP_ALIVE, options.idle),
    connectionsCheckingInterval: 5_000,
    insecureHTTPParser: false,
    // Newer versions of Node ask. They read a body by themselves, so who sends one is not asked what he wishes.
    shouldUpgradeCallback: (request: IncomingMessage) => !hasBody(request),
  };
  const server = http.createServer(serverOptions);
  // Those beyond a limit would be missing without a word; their size is limited.
  server.maxHeadersCount = 0;
  const usualFields: readonly Field[] =
    options.hsts === undefined ? [] : [['Strict-Transport-Security', options.hsts]];
  const lastFields: readonly Field[] = [...usualFields, ['Connection', 'close']];
  /** One function for the ends of all answers. */
  function answered(this: ServerResponse): void {
    const connection = connections.get(this.req.socket);
    // It is closed itself.
    if (connection === undefined) return;
    connection.active--;
    if (connection.active === MOST_IN_A_ROW) connection.socket.resume();
    connection.backend = undefined;
    if (connection.active > 0) return;
    // It holds on to the request and to all that was made for it.
    connection.last = undefined;
    if (isDraining) farewell(connection.socket);
  }
  /** Nobody, and Node least of all, goes on reading while too many requests wait; an end is read to its end. */
  function resumeInMeasure(this: TLSSocket): TLSSocket {
    const active = connections.get(this)?.active ?? 0;
    const usual = Object.getPrototypeOf(this) as TLSSocket;
    if (active <= MOST_IN_A_ROW || this.writableEnded) usual.resume.call(this);
    return this;
  }
  /** How Node ends a connection. A client that still sends gets to read the answer first (RFC 9112 §9.6). */
  function destroySoon(this: TLSSocket): void {
    const connection = connections.get(this);
    if (connection !== undefined) connection.isEnding = true;
    farewell(this);
  }
  function closed(this: TLSSocket): void {
    connections.delete(this);
  }
  const serve = (request: IncomingMessage, response: ServerResponse): void => {
    const connection = connections.get(request.socket);
    if (connection === undefined) return void response.destroy();
    // It was told that this connection ends.
    if (connection.isEnding) return;
    connection.requests++;
    connection.active++;
    connection.last = response;
    // Each takes memory until its turn. Once all of this read is parsed, since Node reads on after each request.
    if (connection.active === MOST_IN_A_ROW + 1) process.nextTick(() => restWhileMany(connection));
    response.on('close', answered);
    // Of requests in a row (RFC 9112 §9.3.2), each is looked at when those before it are answered: it may depend on them.
    if (response.socket === null) response.once('socket', () => reply(connection, request, response));
    else reply(connection, request, response);
  };
  const reply = (connection: HttpConnection, request: IncomingMessage, response: ServerResponse): void => {
    if (request.httpVersionMajor !== 1) {
      refuseVersion(response);
      return;
    }
    const own = isDraining || isLast(request) ? lastFields : usualFields;
    if (!handler.writesOwnFields) for (const [name, value] of own) response.setHeader(name, value);
    answer(handler, { request, response, connection, own }, options.log);
  };
  server.on('request', serve);
  // Whether the body is wanted, and whether an expectation can be met, is for who answers to say (RFC 9110 §10.1.1).
  server.on('checkContinue', serve);
  server.on('checkExpectation', serve);
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const connection = connections.get(request.socket);
    if (connection === undefined) return void socket.destroy();
    whenAnswered(connection, () => {
      if (!upgrade?.isMet(request)) return readAgain(server, request, socket, head);
      connections.delete(request.socket);
      connection.endUpgraded = upgrade.handle(request, socket, head);
    });
  });
  server.on('connect', (request: IncomingMessage, socket: Duplex) => {
    const refusing = (): void => refuse(socket, '405 Method Not Allowed');
    const connection = connections.get(request.socket);
    if (connection === undefined) refusing();
    else whenAnswered(connection, refusing);
  });
  // Kept connections, whose time without a request is over.
  server.on('timeout', (socket) => farewell(socket));
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    options.log.debug({ code: error.code, reason: shown(messageOf(error)) }, 'a request that is not HTTP');
    const refusing = (): void => refuse(socket, STATUS_OF[error.code ?? ''] ?? '400 Bad Request');
    const connection = connections.get(socket as Socket);
    if (connection?.last === undefined || connection.active === 0 || !socket.writable) return refusing();
    // Each further chunk of it comes here, too.
    if (connection.isRefusing) return;
    // What comes after a request that was the last is not looked at (RFC 9112 §9.6).
    if (error.code === 'HPE_CLOSED_CONNECTION') return;
    // Requests before it get their answers, whole; in the middle of one there is no place for another.
    connection.isRefusing = true;
    if (connection.last.req.complete) whenAnswered(connection, refusing);
    else if (connection.last.headersSent) socket.destroy();
    else refusing();
  });
  startTimeouts(server);
  return {
    wantsRecords: handler.wantsRecords ?? false,
    accept(socket, record) {
      // A character of a field is a byte, also where Node writes a header without a body.
      socket.setDefaultEncoding('latin1');
      const connection = new OpenHttp(socket, record);
      connections.set(socket, connection);
      // One function each for all connections: there may be thousands, and most of them idle.
      socket.resume = resumeInMeasure;
      socket.destroySoon = destroySoon;
      socket.on('close', closed);
      server.emit('connection', socket);
      return connection;
    },
    drain() {
      isDraining = true;
      for (const { socket, active } of connections.values()) if (active === 0) farewell(socket);
    },
    close() {
      // Ends the checks of timeouts; that it never listened by itself is no error here.
      server.close(() => undefined);
      handler.close?.();
    },
  };
}

/** `node:http` checks its timeouts from the moment a server listens; this one gets its connections from elsewhere. */
function startTimeouts(server: Server): void {
  server.emit('listening');
}

class OpenHttp implements HttpConnection, Served {
  readonly socket: TLSSocket;
  readonly record: ConnectionRecord | undefined;
  requests = 0;
  active = 0;
  last: ServerResponse | undefined;
  backend: HttpConnection['backend'];
  isEnding = false;
  isRefusing = false;
  endUpgraded: HttpConnection['endUpgraded'];

  constructor(socket: TLSSocket, record: ConnectionRecord | undefined) {
    this.socket = socket;
    this.record = record;
  }

  /** WebSockets have their own limit. */
  isBusy(): boolean {
    return this.endUpgraded !== undefined || (this.backend?.isWaitedFor ?? false);
  }

  /**
   * An answer that is cut off is seen to be: by its length or its last chunk. One that ends with its connection (HTTP/1.0)
   * would look whole after a close_notify (RFC 9112 §9.8).
   */
  end(grace?: number): void {
    const { socket, active, last } = this;
    const endsWithConnection =
      active > 0 && last?.headersSent && !last.chunkedEncoding && !last.hasHeader('content-length');
    if (this.endUpgraded !== undefined) this.endUpgraded(grace);
    else if (endsWithConnection && last.req.httpVersion !== '1.1') socket.destroy();
    else farewell(socket, grace);
  }
}

/** Node loses what it has read behind a body whose request wishes for another protocol: the client is told to ask again. */
function isLast({ headers }: IncomingMessage): boolean {
  return headers.upgrade !== undefined;
}

function restWhileMany({ socket, active }: HttpConnection): void {
  if (active > MOST_IN_A_ROW) socket.pause();
}

/** A wish for another protocol comes after the answers to all requests before it, too. */
function whenAnswered(connection: HttpConnection, action: () => void): void {
  if (connection.last === undefined || connection.active === 0) action();
  else connection.last.once('close', action);
}

/**
 * Reads a request without its wish for another protocol: the parser lets go of a connection at the first such wish.
 * Nothing but that field is missing the second time, so its body is framed as before.
 */
function readAgain(server: Server, request: IncomingMessage, socket: Duplex, head: Buffer): void {
  request.socket.setTimeout(0);
  const lines = flat(withoutUpgrade(request.rawHeaders));
  let text = `${request.method} ${request.url} HTTP/${request.httpVersion}\r\n`;
  for (let i = 0; i + 1 < lines.length; i += 2) text += `${lines[i]}: ${lines[i + 1]}\r\n`;
  socket.unshift(Buffer.concat([Buffer.from(`${text}\r\n`, 'latin1'), head]));
  server.emit('connection', socket);
}

interface Asked {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly connection: HttpConnection;
  readonly own: readonly Field[];
}

function answer(handler: HttpHandler, { request, response, connection, own }: Asked, log: Log): void {
  const failed = (error: unknown): void => {
    log.error({ reason: shown(messageOf(error)) }, 'a request could not be answered');
    replyWithError(response, 500, 'This server has an internal problem. See its log.');
  };
  try {
    handler.handle(request, response, connection, own)?.catch(failed);
  } catch (error) {
    failed(error);
  }
}

/** The parser lets 0.9 and 2.0 through, too (RFC 9110 §15.6.6). */
function refuseVersion(response: ServerResponse): void {
  const advice = 'Only HTTP/1.1 and HTTP/1.0 are spoken here.';
  replyWithError(response, 505, advice, [['Connection', 'close']]);
}

const STATUS_OF: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
};

function refuse(socket: Duplex, status: string): void {
  if (socket.writable) socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
  else socket.destroy();
}
