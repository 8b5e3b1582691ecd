import type { ServerResponse } from 'node:http';
import { html } from '../page/html.ts';
import type { Field } from './header-fields.ts';
import { http } from './node-http.ts';

/** Headers of every page the gateway makes itself. */
const OWN_PAGE_HEADERS = {
  'Content-Security-Policy':
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cache-Control': 'no-store',
} as const;

/** What to do about a 503. */
export const BUSY = 'This server is too busy at the moment. Try again later.';

/** Answers with a small page that says what is wrong and what to do. Nothing from the request stands in it. */
export function replyWithError(
  response: ServerResponse,
  status: number,
  advice: string,
  fields: readonly Field[] = [],
): void {
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  const body = errorPage(status, advice);
  for (const [name, value] of [...Object.entries(OWN_PAGE_HEADERS), ...fields])
    response.setHeader(name, value);
  response.writeHead(status, {
    'Content-Type': 'text/html; charset=utf-8',
    'Content-Length': Buffer.byteLength(body),
  });
  response.end(response.req.method === 'HEAD' ? undefined : Buffer.from(body));
}

/** The page itself. */
export function errorPage(status: number, advice: string): string {
  const title = `${status} ${http.STATUS_CODES[status] ?? 'Error'}`;
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>:root{color-scheme:light dark}body{font:1rem/1.5 system-ui,sans-serif;max-width:34rem;margin:18vh auto 0;padding:0 1.5rem}h1{font-size:1.5rem;margin:0 0 .5rem}p{margin:0;opacity:.75}</style>
</head><body><h1>${title}</h1><p>${advice}</p></body></html>
`.text;
}
