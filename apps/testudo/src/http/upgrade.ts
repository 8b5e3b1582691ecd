import type { IncomingMessage } from 'node:http';
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { type Duplex, pipeline } from 'node:stream';
import { endToEnd, grouped } from './header-fields.ts';
import { forwardedRequest } from './proxy-request.ts';
import { errorPage } from './reply.ts';
import type { ReverseProxy } from './reverse-proxy.ts';

/**
 * Passes a WebSocket handshake on, and after its success bytes both ways (RFC 6455 §4). Any other upgrade is refused:
 * after one the gateway no longer sees requests, so only what is known may ask for that.
 */
export function passUpgrade(
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  options: { readonly proxy: ReverseProxy; readonly trustForwarded: boolean; readonly idle: number },
): void {
  socket.on('error', () => socket.destroy());
  const refusal = refuse(request);
  if (refusal !== undefined) {
    answer(socket, refusal.status, refusal.advice);
    return;
  }
  const remote = request.socket.remoteAddress ?? 'unknown';
  const forwarded = forwardedRequest(request, options, remote);
  if ('status' in forwarded) {
    answer(socket, forwarded.status, forwarded.advice);
    return;
  }
  const outgoing = options.proxy.open({
    ...forwarded,
    headers: { ...forwarded.headers, Connection: 'Upgrade', Upgrade: 'websocket' },
  });
  const onClose = (): void => void outgoing.destroy();
  socket.once('close', onClose);
  outgoing.on('upgrade', (response, upstream, upstreamHead) => {
    upstream.on('error', () => upstream.destroy());
    if (response.headers.upgrade?.toLowerCase() !== 'websocket') {
      upstream.destroy();
      return answer(
        socket,
        502,
        'The server behind this gateway switched to another protocol than asked for.',
      );
    }
    socket.write(statusAndFields(101, response, { Connection: 'Upgrade', Upgrade: 'websocket' }));
    if (upstreamHead.length > 0) socket.write(upstreamHead);
    if (head.length > 0) upstream.write(head);
    join(socket, upstream, options.idle);
  });
  outgoing.on('response', (response) => {
    // It said no: its answer goes back, and the connection's end is the answer's end.
    const fields = { Connection: 'close' };
    socket.write(statusAndFields(response.statusCode ?? 502, response, fields));
    pipeline(response, socket, () => undefined);
  });
  outgoing.on('error', () => {
    if (!socket.writableEnded && socket.writable)
      answer(socket, 502, 'The server behind this gateway cannot be reached.');
  });
  outgoing.end();
}

function refuse(request: IncomingMessage): { status: number; advice: string } | undefined {
  const protocol = request.headers.upgrade?.trim().toLowerCase();
  if (request.method !== 'GET' || protocol !== 'websocket') {
    return { status: 400, advice: 'Only WebSocket upgrades are understood.' };
  }
  // With a body, two servers could disagree about where the WebSocket begins.
  if (
    request.headers['transfer-encoding'] !== undefined ||
    Number(request.headers['content-length'] ?? 0) !== 0
  ) {
    return { status: 400, advice: 'A WebSocket handshake has no body.' };
  }
  return undefined;
}

/** Both ways until both have ended; when one breaks, so does the other. */
function join(client: Duplex, upstream: Duplex, idle: number): void {
  for (const [from, to] of [
    [client, upstream],
    [upstream, client],
  ] as const) {
    from.pipe(to);
    // After its end, `to` was ended, too, and may still have something to send.
    from.once('close', () => {
      if (!from.readableEnded) to.destroy();
    });
    (from as Duplex & Partial<Pick<Socket, 'setTimeout'>>).setTimeout?.(idle, () => from.destroy());
  }
}

function answer(socket: Duplex, status: number, advice: string): void {
  if (!socket.writable) return;
  const body = errorPage(status, advice);
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}

/** The parser has checked the fields: no value holds a line end. */
function statusAndFields(
  status: number,
  response: IncomingMessage,
  own: Readonly<Record<string, string>>,
): string {
  const fields = Object.entries({ ...grouped(endToEnd(response.rawHeaders)), ...own }).flatMap(
    ([name, value]) => [value].flat().map((one) => `${name}: ${one}\r\n`),
  );
  const reason = response.statusMessage || (STATUS_CODES[status] ?? '');
  return `HTTP/1.1 ${status} ${reason}\r\n${fields.join('')}\r\n`;
}
