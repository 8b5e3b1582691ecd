import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from '@testudo/tls/node';
import { messageOf } from '../failure.ts';
import { replyWithError } from '../http/reply.ts';
import type { ConnectionRecord } from '../observe/connection-record.ts';
import type { Log } from '../output/log.ts';
import { shown } from '../output/text.ts';
import type { Service } from './service.ts';

export interface HttpHandler {
  handle(
    request: IncomingMessage,
    response: ServerResponse,
    connection: HttpConnection,
  ): void | Promise<void>;
  /** A request to switch protocols; without it such requests are refused. */
  upgrade?(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  close?(): void;
}

/** One TLS connection that carries HTTP. */
export interface HttpConnection {
  readonly socket: TLSSocket;
  readonly record: ConnectionRecord;
  /** Requests so far, the current one included. */
  requests: number;
  /** Requests that are being answered. */
  active: number;
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

/** HTTP/1.1 by `node:http` over TLS connections. */
export function httpService(handler: HttpHandler, options: HttpOptions): Service {
  const connections = new Map<Socket, HttpConnection>();
  let isDraining = false;
  const server = createServer({
    headersTimeout: HEADER_TIMEOUT,
    // Bodies may take long; a client that stops sending meets the listener's idle limit.
    requestTimeout: 0,
    keepAliveTimeout: Math.min(KEEP_ALIVE, options.idle),
    connectionsCheckingInterval: 5_000,
    insecureHTTPParser: false,
  });
  server.on('request', (request, response) => {
    const connection = connections.get(request.socket);
    if (connection === undefined) return void response.destroy();
    connection.requests++;
    connection.active++;
    if (options.hsts !== undefined) response.setHeader('Strict-Transport-Security', options.hsts);
    if (isDraining) response.setHeader('Connection', 'close');
    response.once('close', () => {
      connection.active--;
      if (isDraining && connection.active === 0) connection.socket.end();
    });
    answer(handler, request, response, connection, options.log);
  });
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    connections.delete(request.socket);
    if (handler.upgrade !== undefined) handler.upgrade(request, socket, head);
    else refuse(socket, '400 Bad Request');
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    options.log.debug({ code: error.code, reason: shown(messageOf(error)) }, 'a request that is no HTTP');
    refuse(socket, STATUS_OF[error.code ?? ''] ?? '400 Bad Request');
  });
  startTimeouts(server);
  return {
    accept(socket, record) {
      connections.set(socket, { socket, record, requests: 0, active: 0 });
      socket.once('close', () => connections.delete(socket));
      server.emit('connection', socket);
    },
    drain() {
      isDraining = true;
      for (const { socket, active } of connections.values()) if (active === 0) socket.end();
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

function answer(
  handler: HttpHandler,
  request: IncomingMessage,
  response: ServerResponse,
  connection: HttpConnection,
  log: Log,
): void {
  const failed = (error: unknown): void => {
    log.error({ reason: shown(messageOf(error)) }, 'a request could not be answered');
    replyWithError(response, 500, 'This server has a problem of its own. Its log says more.');
  };
  try {
    Promise.resolve(handler.handle(request, response, connection)).catch(failed);
  } catch (error) {
    failed(error);
  }
}

const STATUS_OF: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
};

function refuse(socket: Duplex, status: string): void {
  if (socket.writable) socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
  else socket.destroy();
}
