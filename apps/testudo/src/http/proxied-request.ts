import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { isOutOfFiles } from '../listeners/open-files.ts';
import { MOST_WAITING } from '../listeners/passage.ts';
import type { AnswerHead } from './backend/answer-parser.ts';
import { BackendExchange, type ExchangeOwner } from './backend/backend-exchange.ts';
import { BackendSilent } from './backend/backend-watch.ts';
import { endToEndTrailers, type Field } from './header-fields.ts';
import { isUnderstood, passHead, passInformation } from './pass-back.ts';
import { type ForwardedRequest, forwardedRequest } from './proxy-request.ts';
import type { ProxyWay } from './proxy-way.ts';
import { BUSY, replyWithError } from './reply.ts';
import { hasBody } from './request-body.ts';

/** One request that is passed on, and its answer on the way back. */
export class ProxiedRequest implements ExchangeOwner {
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #own: readonly Field[];
  readonly #way: ProxyWay;
  #forwarded: ForwardedRequest | undefined;
  #exchange: BackendExchange | undefined;
  #isSecondTry = false;
  #isAnswered = false;
  /** The first of the body, which leaves with the head. */
  #held: Buffer | undefined;
  #isHeadHeld = false;

  constructor(request: IncomingMessage, response: ServerResponse, own: readonly Field[], way: ProxyWay) {
    this.#request = request;
    this.#response = response;
    this.#own = own;
    this.#way = way;
    const forwarded = forwardedRequest(request, way.forwarding, request.socket.remoteAddress ?? 'unknown');
    if ('status' in forwarded) {
      replyWithError(response, forwarded.status, forwarded.advice, [...own, ['Connection', 'close']]);
      return;
    }
    response.on('close', () => this.#exchange?.destroy());
    response.on('drain', () => this.#exchange?.resume());
    this.#forwarded = forwarded;
    this.#open();
  }

  /** Whether the client waits for the server behind; not when it still has to send, or to read. */
  get isWaitedFor(): boolean {
    return this.#exchange?.isWaitedFor ?? false;
  }

  #open(): void {
    const { pool, limits } = this.#way;
    const forwarded = this.#forwarded!;
    const [request, response] = [this.#request, this.#response];
    this.#exchange = new BackendExchange(this, { pool, limits, forwarded, request, response });
    if (hasBody(request)) this.#passBody(this.#exchange);
    else this.#exchange.end();
  }

  onInformation(head: AnswerHead): void {
    passInformation(head, this.#response);
  }

  onAnswer(head: AnswerHead): void {
    this.#isAnswered = true;
    this.#way.answering.worked();
    if (this.#response.destroyed) this.#exchange?.destroy();
    else if (isUnderstood(head)) {
      passHead(head, this.#response, this.#own);
      this.#isHeadHeld = true;
    } else {
      this.#exchange?.destroy();
      this.#dropRest();
      const advice = 'The server behind this gateway answered with something malformed.';
      replyWithError(this.#response, 502, advice, this.#own);
    }
  }

  onBody(chunk: Buffer): void {
    if (this.#isHeadHeld) {
      this.#isHeadHeld = false;
      this.#held = chunk;
    } else this.#write(chunk);
  }

  onEnd(raw: readonly string[]): void {
    if (raw.length > 0) {
      const trailers = endToEndTrailers(raw);
      if (trailers.length > 0) this.#response.addTrailers(trailers as [string, string][]);
    }
    const held = this.#held;
    this.#held = undefined;
    this.#isHeadHeld = false;
    if (held === undefined) this.#response.end();
    else this.#response.end(held);
    if (!this.#exchange?.isSent) this.#dropRest();
  }

  onReadOver(): void {
    if (this.#held !== undefined) this.#write();
    else if (this.#isHeadHeld) this.#response.flushHeaders();
    this.#isHeadHeld = false;
  }

  onDrain(): void {
    this.#request.resume();
  }

  onSwitch(_head: AnswerHead, _rest: Buffer, socket: Socket): void {
    socket.destroy();
    this.#fail(new Error('it switched to a protocol that was not asked for'));
  }

  onError(error: Error): void {
    const { finishing } = this.#way;
    if (this.#isAnswered || this.#response.destroyed) {
      if (error instanceof BackendSilent) finishing.failed(error);
      // Half an answer must not look whole (RFC 9112 §8).
      this.#response.destroy();
      return;
    }
    // An idle connection that the server behind had just closed: nothing was processed, so ask again.
    const { code } = error as NodeJS.ErrnoException;
    const isStale = this.#exchange?.isReused && (code === 'ECONNRESET' || code === 'EPIPE');
    if (isStale && !this.#isSecondTry && !hasBody(this.#request) && SAFE.has(this.#request.method!)) {
      this.#isSecondTry = true;
      this.#open();
    } else this.#fail(error);
  }

  /** What was held, and this. */
  #write(chunk?: Buffer): void {
    const held = this.#held;
    this.#held = undefined;
    const response = this.#response;
    if (held !== undefined) response.write(held);
    if (chunk !== undefined) response.write(chunk);
    if (response.writableNeedDrain && response.writableLength > MOST_WAITING) this.#exchange?.pause();
  }

  /**
   * Passes the request's body on, at the pace of who takes it, with the fields behind it. Where the exchange is over, the rest is
   * thrown away, so that the client gets to read the answer.
   */
  #passBody(exchange: BackendExchange): void {
    const request = this.#request;
    request.on('data', (chunk: Buffer) => {
      if (!exchange.isOver && !exchange.write(chunk)) request.pause();
    });
    request.once('end', () => {
      if (!exchange.isOver) exchange.end(trailerLines(request));
    });
    // A client that goes away in the middle of its request ends ours, unfinished (RFC 9112 §8).
    request.once('close', () => {
      if (!request.complete) exchange.destroy();
    });
  }

  /** The server behind takes no more of the body: nobody waits for it. */
  #dropRest(): void {
    if (hasBody(this.#request)) this.#request.resume();
  }

  #fail(error: Error): void {
    const [response, own] = [this.#response, this.#own];
    this.#way.answering.failed(error);
    this.#dropRest();
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
}

const SAFE: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

function trailerLines({ rawTrailers }: IncomingMessage): string {
  if (rawTrailers.length === 0) return '';
  return endToEndTrailers(rawTrailers)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('');
}
