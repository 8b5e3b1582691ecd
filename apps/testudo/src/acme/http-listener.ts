import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Address } from '../config/address.ts';
import { systemReason } from '../failure.ts';
import { http } from '../http/node-http.ts';
import { bindFailure } from '../listeners/bind-failure.ts';
import type { Log } from '../output/log.ts';
import type { ChallengeBoard } from './challenge-board.ts';

export interface HttpListenerParts {
  readonly address: Address;
  readonly board: ChallengeBoard;
  /** The port of https for a host; undefined where there is none. */
  readonly httpsPort: (host: string) => number | undefined;
  readonly log: Log;
}

const NAME = 'acme: http';
/** RFC 8555 §8.3 */
const CHALLENGE_PATH = '/.well-known/acme-challenge/';
/** A token is base64url (RFC 8555 §8.1). */
const TOKEN = /^[\w-]{1,256}$/;
/** A host as it stands in a URL, with or without a port. */
const HOST = /^(\[[0-9a-f:.]{2,45}\]|[a-z0-9._-]{1,253})(?::\d{1,5})?$/i;
/** Milliseconds for a request, and connections at once: nobody has much to say here. */
const LIMITS = {
  request: 10_000,
  check: 2_000,
  keepAlive: 5_000,
  connections: 1_000,
  header: 8_192,
} as const;

/** Plain HTTP: the answers to http-01 challenges, and a redirect to https for everything else. */
export class HttpListener {
  #parts: HttpListenerParts;
  readonly #server: Server;

  constructor(parts: HttpListenerParts) {
    this.#parts = parts;
    this.#server = http.createServer(
      {
        headersTimeout: LIMITS.request,
        requestTimeout: LIMITS.request,
        keepAliveTimeout: LIMITS.keepAlive,
        maxHeaderSize: LIMITS.header,
        connectionsCheckingInterval: LIMITS.check,
      },
      (request, response) => this.#answer(request, response),
    );
    this.#server.maxConnections = LIMITS.connections;
  }

  /** Where it listens in fact. */
  get address(): Address {
    const { port } = this.#server.address() as AddressInfo;
    return { host: this.#parts.address.host, port };
  }

  /** Takes the address. Throws a `Failure` that says what to do. */
  bind(): Promise<void> {
    const { address, log } = this.#parts;
    return new Promise((resolve, reject) => {
      const failed = (error: NodeJS.ErrnoException): void => reject(bindFailure(error, address, NAME));
      this.#server.once('error', failed);
      this.#server.listen({ host: address.host, port: address.port }, () => {
        this.#server.off('error', failed);
        this.#server.on('error', (error) =>
          log.error({ reason: systemReason(error) }, 'cannot accept connections over plain HTTP'),
        );
        resolve();
      });
    });
  }

  /** Answers with other challenges from now on, at the same address. */
  change(board: ChallengeBoard): void {
    this.#parts = { ...this.#parts, board };
  }

  /** Ends; nobody waits here for anything long. */
  close(): void {
    this.#server.close(() => undefined);
    this.#server.closeAllConnections();
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const { url = '/', method } = request;
    request.resume();
    const isChallenge = url.startsWith(CHALLENGE_PATH) && (method === 'GET' || method === 'HEAD');
    if (isChallenge) this.#answerChallenge(request, response, url.slice(CHALLENGE_PATH.length));
    else this.#redirect(request, response, url);
  }

  #answerChallenge({ socket }: IncomingMessage, response: ServerResponse, token: string): void {
    const { board, log } = this.#parts;
    const answer = TOKEN.test(token) ? board.keyAuthorization(token) : undefined;
    if (answer === undefined) {
      reply(response, 404, 'No such challenge.\n');
      return;
    }
    log.info({ remote: socket.remoteAddress }, 'a CA looks for the answer to http-01');
    reply(response, 200, answer, 'application/octet-stream');
  }

  #redirect(request: IncomingMessage, response: ServerResponse, url: string): void {
    const host = HOST.exec(request.headers.host ?? '')?.[1];
    const port = host === undefined ? undefined : this.#parts.httpsPort(host);
    if (host === undefined || !url.startsWith('/')) {
      reply(response, 400, 'This request has no valid Host.\n');
    } else if (port === undefined) {
      reply(response, 404, 'Only the challenges of a CA are answered here.\n');
    } else {
      response.setHeader('Location', `https://${host}${port === 443 ? '' : `:${port}`}${url}`);
      // Permanent, and the method stays (RFC 9110 §15.4.9).
      reply(response, 308, 'This site uses https.\n');
    }
  }
}

function reply(response: ServerResponse, status: number, text: string, type = 'text/plain'): void {
  response.writeHead(status, {
    'Content-Type': type,
    'Content-Length': Buffer.byteLength(text),
    'X-Content-Type-Options': 'nosniff',
  });
  response.end(text);
}
