import type { IncomingMessage } from 'node:http';
import { Agent, request } from '@testudo/tls/https';
import { systemReason } from '../failure.ts';
import { AcmeError, type AcmeProblem } from './acme-error.ts';

export interface AcmeRequest {
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
}

export interface AcmeAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Milliseconds for one request, and bytes of an answer: the longest is a chain of certificates. */
const LIMITS = { time: 30_000, bytes: 1_048_576 } as const;

/** As strict as our engine is: a CA decides about our names. Not known to the types of `node:https`. */
const STRICT: object = { strict: true };

/** How this program calls itself, as RFC 8555 §6.1 demands. */
const USER_AGENT = 'testudo';

/** HTTPS to one CA, over our own engine: no redirects, no more bytes than a CA has to say. */
export class AcmeTransport {
  readonly #agent: Agent;
  /** When the last answer says that it is worth asking again: milliseconds from now (RFC 9110 §10.2.3). */
  retryAfter: number | undefined;
  /** What the last answer complains about. */
  problem: AcmeProblem | undefined;

  /** `ca`: PEM, whom to trust. Default: the public roots. */
  constructor(ca?: string) {
    this.#agent = new Agent({
      ...STRICT,
      keepAlive: true,
      maxSockets: 2,
      ...(ca === undefined ? {} : { ca }),
    });
  }

  /** Throws {@link AcmeError} `unreachable`; an answer of any status is an answer. */
  async send(asked: AcmeRequest, now: () => number = Date.now): Promise<AcmeAnswer> {
    const answer = await this.#exchange(asked);
    this.retryAfter = retryAfterOf(answer.headers['retry-after'], now());
    this.problem = answer.status >= 400 ? problemOf(answer) : undefined;
    return answer;
  }

  /** Forgets what the last answer said. */
  forget(): void {
    this.retryAfter = undefined;
    this.problem = undefined;
  }

  /** Lets go of connections that are kept. */
  close(): void {
    this.#agent.destroy();
  }

  #exchange(asked: AcmeRequest): Promise<AcmeAnswer> {
    return new Promise((resolve, reject) => {
      const failed = (error: unknown): void => reject(unreachable(asked.url, error, signal));
      const signal = AbortSignal.timeout(LIMITS.time);
      if (!asked.url.startsWith('https://')) return failed(new Error('only https: is used'));
      const sent = request(
        asked.url,
        {
          method: asked.method,
          agent: this.#agent,
          signal,
          headers: {
            ...asked.headers,
            'user-agent': USER_AGENT,
            ...(asked.body === undefined ? {} : { 'content-length': Buffer.byteLength(asked.body) }),
          },
        },
        (response) => void answerOf(response).then(resolve, failed),
      );
      sent.on('error', failed);
      sent.end(asked.body);
    });
  }
}

async function answerOf(response: IncomingMessage): Promise<AcmeAnswer> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of response as AsyncIterable<Buffer>) {
    length += part.length;
    if (length > LIMITS.bytes) {
      response.destroy();
      throw new Error(`the answer is longer than ${LIMITS.bytes} bytes`);
    }
    parts.push(part);
  }
  const headers = Object.entries(response.headers).map(([name, value]) => [name, String(value)] as const);
  return {
    status: response.statusCode ?? 0,
    headers: Object.fromEntries(headers),
    body: Buffer.concat(parts).toString(),
  };
}

function unreachable(url: string, error: unknown, signal: AbortSignal): AcmeError {
  const reason = signal.aborted ? `no answer within ${LIMITS.time} ms` : systemReason(error);
  const host = URL.canParse(url) ? new URL(url).host : 'the CA';
  return new AcmeError('unreachable', `${host} cannot be reached: ${reason}`, { cause: error });
}

/** A problem document (RFC 7807, RFC 8555 §6.7), as far as it is one. */
function problemOf({ status, body }: AcmeAnswer): AcmeProblem {
  const plain = { type: undefined, detail: `the CA answered with status ${status}` };
  try {
    const { type, detail, subproblems } = JSON.parse(body) as Record<string, unknown>;
    const each = Array.isArray(subproblems) ? (subproblems as Record<string, unknown>[]) : [];
    const details = [detail, ...each.map((one) => one?.['detail'])].filter((one) => typeof one === 'string');
    return {
      type: typeof type === 'string' ? type.replace(/^urn:ietf:params:acme:error:/, '') : undefined,
      detail: details.length === 0 ? plain.detail : details.slice(0, 5).join('; '),
    };
  } catch {
    return plain;
  }
}

/** Retry-After (RFC 9110 §10.2.3): seconds or a date; undefined for neither, and for the past. */
export function retryAfterOf(value: string | undefined, now: number): number | undefined {
  if (value === undefined) return undefined;
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1000 || undefined;
  // Date.parse takes much more than what HTTP calls a date.
  const delay = /^[A-Z][a-z]+, /.test(value) ? Date.parse(value) - now : Number.NaN;
  return delay > 0 ? delay : undefined;
}
