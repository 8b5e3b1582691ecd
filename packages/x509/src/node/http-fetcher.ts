import type { IncomingMessage } from 'node:http';
import { createRequire } from 'node:module';
import type { Fetcher, FetchRequest, FetchResponse } from '../revocation/fetch.ts';

const require = createRequire(import.meta.url);

/**
 * `node:http` when it is needed, and without what `import` does: that looks at every export, and so, from Node 22 on, loads Node's
 * client for the web, which takes 2 MB of heap and 50 ms.
 */
function nodeHttp(): typeof import('node:http') {
  return require('node:http');
}

export interface HttpFetcherOptions {
  /** Milliseconds for the whole of one request. Default 10,000. */
  readonly timeout?: number | undefined;
  /** Whether a host may be asked. The addresses come from certificates. Default: every host. */
  readonly allows?: ((url: URL) => boolean) | undefined;
}

/**
 * Fetches CRLs and OCSP answers over plain `http:`, as certificates name them: what comes back is signed. No redirects, no
 * cookies, no more bytes than asked for.
 */
export function httpFetcher(options: HttpFetcherOptions = {}): Fetcher {
  const { timeout = 10_000, allows = () => true } = options;
  return (fetch) =>
    new Promise<FetchResponse>((resolve, reject) => {
      const url = new URL(fetch.url);
      if (url.protocol !== 'http:') throw new Error(`only http: is fetched, not ${url.protocol}`);
      if (!allows(url)) throw new Error(`requests to ${url.host} are not allowed`);
      const signal = AbortSignal.timeout(timeout);
      const headers: Record<string, string | number> = { accept: fetch.accept };
      if (fetch.contentType !== undefined) headers['content-type'] = fetch.contentType;
      if (fetch.body !== undefined) headers['content-length'] = fetch.body.length;
      const { get, request } = nodeHttp();
      const start = fetch.method === 'GET' ? get : request;
      const sent = start(url, { method: fetch.method, headers, signal, agent: false }, (response) => {
        read(response, fetch).then(resolve, reject);
      });
      sent.on('error', (error) =>
        reject(signal.aborted ? new Error(`no answer within ${timeout} ms`) : error),
      );
      if (fetch.method === 'POST') sent.end(fetch.body);
    });
}

async function read(response: IncomingMessage, { maximumLength }: FetchRequest): Promise<FetchResponse> {
  if (response.statusCode !== 200) {
    response.destroy();
    throw new Error(`the server answered with status ${response.statusCode}`);
  }
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of response as AsyncIterable<Uint8Array>) {
    length += part.length;
    if (length > maximumLength) {
      response.destroy();
      throw new Error(`the answer is longer than ${maximumLength} bytes`);
    }
    parts.push(part);
  }
  return { body: new Uint8Array(Buffer.concat(parts)) };
}
