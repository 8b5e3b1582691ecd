import type { IncomingMessage } from 'node:http';
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { type Duplex, pipeline } from 'node:stream';
import { farewell } from '../listeners/farewell.ts';
import { isOutOfFiles } from '../listeners/open-files.ts';
import { type BackendLimits, BackendSilent, BackendWatch } from './backend-watch.ts';
import { endToEnd, type Field, valuesOf } from './header-fields.ts';
import { InformationFlood, whenInformed } from './information.ts';
import { isUnderstood } from './pass-back.ts';
import { forwardedRequest } from './proxy-request.ts';
import { BUSY, errorPage } from './reply.ts';
import { hasBody } from './request-body.ts';
import type { ReverseProxy } from './reverse-proxy.ts';

/**
 * Whether a request's wish for another protocol is met: a WebSocket's only, since after a switch the gateway no longer
 * sees requests. Any other wish is ignored, as if it had not been said (RFC 9110 §7.8). With a body, two servers could
 * disagree about where the WebSocket begins.
 */
export function wantsWebSocket(request: IncomingMessage): boolean {
  const protocols = valuesOf(request.rawHeaders, 'upgrade').flatMap((value) => value.split(','));
  return (
    request.method === 'GET' &&
    request.httpVersion === '1.1' &&
    protocols.some((protocol) => protocol.trim().toLowerCase() === 'websocket') &&
    (!hasBody(request) || request.headers['content-length'] === '0')
  );
}

export interface UpgradeOptions {
  readonly proxy: ReverseProxy;
  readonly trustForwarded: boolean;
  readonly upstream: URL;
  readonly limits: BackendLimits & { readonly webSocket: number };
}

/**
 * Passes a WebSocket handshake on, and after its success bytes both ways (RFC 6455 §4). The function that comes back ends it
 * from our side.
 */
export function passUpgrade(
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  options: UpgradeOptions,
): (grace?: number) => void {
  let behind: Socket | undefined;
  const end = (grace?: number): void => {
    socket.unpipe();
    behind?.unpipe();
    farewell(socket as Socket, grace);
    if (behind !== undefined) farewell(behind, grace);
  };
  socket.on('error', () => socket.destroy());
  const remote = request.socket.remoteAddress ?? 'unknown';
  const forwarded = forwardedRequest(request, { ...options, upgrade: 'websocket' }, remote);
  if ('status' in forwarded) {
    answer(socket, forwarded.status, forwarded.advice);
    return end;
  }
  const outgoing = options.proxy.open(forwarded);
  new BackendWatch({ outgoing, limits: options.limits });
  const onClose = (): void => void outgoing.destroy();
  socket.once('close', onClose);
  whenInformed(outgoing, ({ statusCode, statusMessage, rawHeaders }) => {
    if (statusCode !== 101)
      socket.write(messageHead(statusCode, statusMessage, endToEnd(rawHeaders)), 'latin1');
  });
  outgoing.on('upgrade', (response, upstream, upstreamHead) => {
    if (outgoing.destroyed) return failed(new InformationFlood());
    options.proxy.answering.worked();
    upstream.on('error', () => upstream.destroy());
    if (response.headers.upgrade?.toLowerCase() !== 'websocket') {
      upstream.destroy();
      return answer(
        socket,
        502,
        'The server behind this gateway switched to a protocol that was not asked for.',
      );
    }
    const own: Field[] = [
      ['Connection', 'Upgrade'],
      ['Upgrade', 'websocket'],
    ];
    socket.write(headOf(response, own), 'latin1');
    if (upstreamHead.length > 0) socket.write(upstreamHead);
    if (head.length > 0) upstream.write(head);
    behind = upstream as Socket;
    join(socket, behind);
    endWhenIdle([socket as Socket, behind], options.limits.webSocket, end);
  });
  let isAnswered = false;
  outgoing.on('response', (response) => {
    if (outgoing.destroyed) return void response.destroy();
    isAnswered = true;
    options.proxy.answering.worked();
    if (!isUnderstood(response)) {
      response.destroy();
      return answer(socket, 502, 'The server behind this gateway answered with something malformed.');
    }
    // It said no: its answer goes back, and the connection's end is the answer's end.
    socket.write(headOf(response, [['Connection', 'close']]), 'latin1');
    pipeline(response, socket, () => undefined);
  });
  const failed = (error: Error): void => {
    // It goes away with its client, too, and an answer that has begun is no outage.
    if (isAnswered || socket.destroyed) return;
    options.proxy.answering.failed(error);
    if (isOutOfFiles(error)) answer(socket, 503, BUSY);
    else if (error instanceof BackendSilent)
      answer(socket, 504, 'The server behind this gateway took too long. Try again later.');
    else answer(socket, 502, 'The server behind this gateway cannot be reached.');
  };
  outgoing.on('error', failed);
  outgoing.end();
  return end;
}

/** Both ways until both have ended; when one breaks, so does the other. */
function join(client: Duplex, upstream: Duplex): void {
  for (const [from, to] of [
    [client, upstream],
    [upstream, client],
  ] as const) {
    from.pipe(to);
    // After its end, `to` was ended, too, and may still have something to send.
    from.once('close', () => {
      if (!from.readableEnded) to.destroy();
    });
  }
}

/** Bytes either way count. */
function endWhenIdle(sockets: readonly Socket[], idle: number, end: () => void): void {
  let movedAt = performance.now();
  const look = (): void => {
    const left = idle - (performance.now() - movedAt);
    if (left <= 0) end();
    else timer = setTimeout(look, left);
  };
  let timer = setTimeout(look, idle);
  for (const socket of sockets) {
    const moved = (): void => {
      movedAt = performance.now();
    };
    socket.on('data', moved).on('drain', moved);
    socket.once('close', () => clearTimeout(timer));
  }
}

function answer(socket: Duplex, status: number, advice: string): void {
  if (!socket.writable) return;
  const body = errorPage(status, advice);
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
    'utf8',
  );
}

function headOf(
  { statusCode = 502, statusMessage, rawHeaders }: IncomingMessage,
  own: readonly Field[],
): string {
  return messageHead(statusCode, statusMessage ?? '', [...endToEnd(rawHeaders), ...own]);
}

/** A message's head. The parser has checked the fields: no value holds a line end. */
function messageHead(status: number, reason: string, fields: readonly Field[]): string {
  return `HTTP/1.1 ${status} ${reason}\r\n${fields.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`;
}
