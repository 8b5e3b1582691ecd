import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { farewell } from '../listeners/farewell.ts';
import { isOutOfFiles } from '../listeners/open-files.ts';
import type { AnswerHead } from './backend/answer-parser.ts';
import type { BackendExchange, ExchangeOwner } from './backend/backend-exchange.ts';
import { BackendSilent } from './backend/backend-watch.ts';
import { endToEnd, type Field, valuesOf } from './header-fields.ts';
import { http } from './node-http.ts';
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
  /** Milliseconds without a byte either way after which a WebSocket is ended. */
  readonly idle: number;
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
  const passed = new PassedUpgrade(request, socket as Socket, head, options);
  return (grace) => passed.end(grace);
}

/** A wish for a WebSocket on its way to the server behind, and what becomes of it. */
class PassedUpgrade implements ExchangeOwner {
  readonly #client: Socket;
  readonly #head: Buffer;
  readonly #options: UpgradeOptions;
  #exchange: BackendExchange | undefined;
  #behind: Socket | undefined;
  #isAnswered = false;

  constructor(request: IncomingMessage, client: Socket, head: Buffer, options: UpgradeOptions) {
    this.#client = client;
    this.#head = head;
    this.#options = options;
    client.on('error', () => client.destroy());
    const remote = request.socket.remoteAddress ?? 'unknown';
    const policy = { ...options.proxy.forwarding, upgrade: 'websocket' };
    const forwarded = forwardedRequest(request, policy, remote);
    if ('status' in forwarded) {
      answer(client, forwarded.status, forwarded.advice);
      return;
    }
    const exchange = options.proxy.open(this, forwarded);
    this.#exchange = exchange;
    client.once('close', () => exchange.destroy());
    client.on('drain', () => exchange.resume());
  }

  /** Ends both sides. */
  end(grace?: number): void {
    for (const socket of [this.#client, this.#behind]) {
      if (socket === undefined) continue;
      socket.unpipe();
      farewell(socket, grace);
    }
  }

  onInformation({ statusCode, statusMessage, rawHeaders }: AnswerHead): void {
    this.#client.write(messageHead(statusCode, statusMessage, endToEnd(rawHeaders)), 'latin1');
  }

  onSwitch(head: AnswerHead, rest: Buffer, behind: Socket): void {
    const client = this.#client;
    this.#options.proxy.answering.worked();
    if (valuesOf(head.rawHeaders, 'upgrade').join().toLowerCase() !== 'websocket') {
      behind.destroy();
      const advice = 'The server behind this gateway switched to a protocol that was not asked for.';
      answer(client, 502, advice);
      return;
    }
    const own: Field[] = [
      ['Connection', 'Upgrade'],
      ['Upgrade', 'websocket'],
    ];
    client.write(headOf(head, own), 'latin1');
    if (rest.length > 0) client.write(rest);
    if (this.#head.length > 0) behind.write(this.#head);
    this.#behind = behind;
    join(client, behind);
    endWhenIdle([client, behind], this.#options.idle, () => this.end());
  }

  onAnswer(head: AnswerHead): void {
    this.#isAnswered = true;
    this.#options.proxy.answering.worked();
    if (isUnderstood(head)) {
      // It said no: its answer goes back, and the connection's end is the answer's end.
      this.#client.write(headOf(head, [['Connection', 'close']]), 'latin1');
      return;
    }
    this.#exchange?.destroy();
    answer(this.#client, 502, 'The server behind this gateway answered with something malformed.');
  }

  onBody(chunk: Buffer): void {
    if (!this.#client.write(chunk)) this.#exchange?.pause();
  }

  onEnd(): void {
    this.#client.end();
  }

  onReadOver(): void {
    // What came has been written as it came.
  }

  onDrain(): void {
    // Nothing follows the head.
  }

  onError(error: Error): void {
    const client = this.#client;
    // Half an answer must not look whole (RFC 9112 §8).
    if (this.#isAnswered) client.destroy();
    if (client.destroyed) return;
    this.#options.proxy.answering.failed(error);
    if (isOutOfFiles(error)) answer(client, 503, BUSY);
    else if (error instanceof BackendSilent)
      answer(client, 504, 'The server behind this gateway took too long. Try again later.');
    else answer(client, 502, 'The server behind this gateway cannot be reached.');
  }
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
    `HTTP/1.1 ${status} ${http.STATUS_CODES[status]}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
    'utf8',
  );
}

function headOf({ statusCode, statusMessage, rawHeaders }: AnswerHead, own: readonly Field[]): string {
  return messageHead(statusCode, statusMessage, [...endToEnd(rawHeaders), ...own]);
}

/** A message's head. The parser has checked the fields: no value holds a line end. */
function messageHead(status: number, reason: string, fields: readonly Field[]): string {
  return `HTTP/1.1 ${status} ${reason}\r\n${fields.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`;
}
