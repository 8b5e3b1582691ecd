import type { IncomingMessage, ServerResponse } from 'node:http';
import { fromBase64 } from '@testudo/codec';
import { ocspErrorResponse } from '../authority/ocsp-responder.ts';
import { OCSP_REQUEST_TYPE, OCSP_RESPONSE_TYPE } from '../revocation/fetch.ts';
import { OCSP_REQUEST_LIMITS } from '../revocation/ocsp-request.ts';
import { parseOcspResponse } from '../revocation/ocsp-response.ts';

export interface OcspHandlerOptions {
  /** Request bytes in, response bytes out: `(request) => authority.ocsp(request)`. */
  readonly answer: (request: Uint8Array) => Promise<Uint8Array>;
  /** What stands before the request in the path of a GET. Default `/`. */
  readonly path?: string | undefined;
}

/**
 * An OCSP responder for `http.createServer` (RFC 6960 §A.1): POST with the request as body, GET with it in the path.
 * Answers to a GET may be kept by caches for as long as they count (RFC 5019 §6.2).
 */
export function ocspHandler(
  options: OcspHandlerOptions,
): (request: IncomingMessage, response: ServerResponse) => void {
  return (request, response) => {
    void handle(request, response, options).catch(() => {
      if (!response.headersSent) refuse(response, 500);
      else response.destroy();
    });
  };
}

async function handle(
  request: IncomingMessage,
  response: ServerResponse,
  { answer, path = '/' }: OcspHandlerOptions,
): Promise<void> {
  if (request.method === 'GET') {
    const bytes = requestInPath(request.url ?? '', path);
    return send(
      response,
      bytes === undefined ? ocspErrorResponse('malformedRequest') : await answer(bytes),
      bytes !== undefined,
    );
  }
  if (request.method !== 'POST') {
    response.setHeader('allow', 'GET, POST');
    return refuse(response, 405);
  }
  if (request.headers['content-type']?.split(';')[0]?.trim().toLowerCase() !== OCSP_REQUEST_TYPE)
    return refuse(response, 415);
  const body = await readBody(request);
  if (body === undefined) return refuse(response, 413);
  return send(response, await answer(body), false);
}

function send(response: ServerResponse, body: Uint8Array, mayBeKept: boolean): void {
  response.writeHead(200, {
    'content-type': OCSP_RESPONSE_TYPE,
    'content-length': body.length,
    'cache-control': mayBeKept ? cacheControl(body) : 'no-store',
  });
  response.end(body);
}

/** Until the answers end; an error is not kept. */
function cacheControl(body: Uint8Array): string {
  const parsed = parseOcspResponse(body);
  if (parsed.basic === undefined || parsed.basic.nonce !== undefined) return 'no-store';
  const ends = parsed.basic.responses.map(({ nextUpdate }) => +(nextUpdate ?? 0));
  const seconds = Math.floor((Math.min(...ends) - Date.now()) / 1000);
  return seconds > 0 ? `max-age=${seconds}, public, no-transform, must-revalidate` : 'no-store';
}

function refuse(response: ServerResponse, status: number): void {
  response.writeHead(status, { connection: 'close' }).end();
}

/** base64 with percent signs where a URL needs them; slashes may also stand as they are. */
function requestInPath(url: string, path: string): Uint8Array | undefined {
  const prefix = path.endsWith('/') ? path : `${path}/`;
  if (!url.startsWith(prefix) || url.length > 2 * OCSP_REQUEST_LIMITS.length) return undefined;
  try {
    return fromBase64(decodeURIComponent(url.slice(prefix.length)).replaceAll(' ', '+'));
  } catch {
    return undefined;
  }
}

/** Undefined when it is longer than any request. */
async function readBody(request: IncomingMessage): Promise<Uint8Array | undefined> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of request as AsyncIterable<Uint8Array>) {
    length += part.length;
    if (length > OCSP_REQUEST_LIMITS.length) return undefined;
    parts.push(part);
  }
  const body = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    body.set(part, at);
    at += part.length;
  }
  return body;
}
