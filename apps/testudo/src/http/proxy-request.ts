import type { IncomingMessage } from 'node:http';
import { isIPv6 } from 'node:net';
import { countOf, endToEnd, grouped, valuesOf } from './header-fields.ts';

/** What is passed on to the server behind. */
export interface ForwardedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Record<string, string | string[]>;
}

/** A request that is not passed on: the answer to give instead. */
export interface Refusal {
  readonly status: number;
  readonly advice: string;
}

/** The client's fields about who asked are believed only behind a proxy of the user's own. */
export interface ForwardingPolicy {
  readonly trustForwarded: boolean;
}

/**
 * The request as the server behind gets it. What two servers could read in two ways is refused here, so that nothing
 * can be smuggled past the gateway (RFC 9112 §6.1, §11.2). Node's strict parser has refused before: Content-Length next
 * to Transfer-Encoding, several Content-Lengths, bad field names, line ends in values.
 */
export function forwardedRequest(
  request: IncomingMessage,
  policy: ForwardingPolicy,
  remoteAddress: string,
): ForwardedRequest | Refusal {
  const raw = request.rawHeaders;
  const codings = valuesOf(raw, 'transfer-encoding');
  if (codings.length > 1 || (codings.length === 1 && codings[0]!.trim().toLowerCase() !== 'chunked')) {
    return { status: 501, advice: 'Only the transfer coding "chunked" is understood.' };
  }
  if (request.httpVersion !== '1.1' && codings.length > 0) {
    return { status: 400, advice: 'HTTP/1.0 has no transfer codings.' };
  }
  if (countOf(raw, 'host') > 1) return { status: 400, advice: 'The request names several hosts.' };
  const target = originForm(request.url ?? '', request.method ?? '');
  if (target === undefined) return { status: 400, advice: 'The request\u2019s target is not understood.' };
  const host = target.host ?? request.headers.host ?? '';
  if (!/^[\w.~!$&'()*+,;=:[\]%-]*$/.test(host))
    return { status: 400, advice: 'The Host field is malformed.' };
  const fields = endToEnd(raw).filter(([name]) => !isOwn(name, policy));
  const headers = { ...grouped(fields), ...forwardingHeaders(request, policy, remoteAddress, host) };
  return {
    method: request.method!,
    path: target.path,
    headers: { ...headers, ...(host === '' ? {} : { Host: host }) },
  };
}

/** Path and query; an absolute URL is taken apart, as every server must (RFC 9112 §3.2.2). */
function originForm(url: string, method: string): { path: string; host?: string } | undefined {
  if (url.startsWith('/')) return { path: url };
  if (url === '*' && method === 'OPTIONS') return { path: '*' };
  if (!/^https?:\/\//i.test(url) || !URL.canParse(url)) return undefined;
  const { host, pathname, search, username, password } = new URL(url);
  return username === '' && password === '' ? { path: pathname + search, host } : undefined;
}

/** Fields that the gateway writes itself. `X_Forwarded_For` is the same to servers that make variables of names. */
function isOwn(name: string, { trustForwarded }: ForwardingPolicy): boolean {
  const normal = name.toLowerCase().replaceAll('_', '-');
  if (normal === 'host' || normal === 'expect') return true;
  if (!FORWARDING.has(normal)) return false;
  return !trustForwarded || name.includes('_');
}

const FORWARDING: ReadonlySet<string> = new Set([
  'forwarded',
  'x-forwarded-for',
  'x-forwarded-proto',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-forwarded-server',
  'x-forwarded-ssl',
  'x-real-ip',
  'front-end-https',
]);

function forwardingHeaders(
  request: IncomingMessage,
  { trustForwarded }: ForwardingPolicy,
  remoteAddress: string,
  host: string,
): Record<string, string> {
  const address = remoteAddress.replace(/^::ffff:(?=\d+\.)/, '');
  const before = (field: string): string[] => (trustForwarded ? valuesOf(request.rawHeaders, field) : []);
  // RFC 7239 §6: an IPv6 address has brackets and quotes.
  const node = isIPv6(address) ? `"[${address}]"` : address;
  const forwarded = `for=${node};proto=https${host === '' ? '' : `;host="${host.replace(/["\\]/g, '')}"`}`;
  return {
    'X-Forwarded-For': [...before('x-forwarded-for'), address].join(', '),
    'X-Forwarded-Proto': before('x-forwarded-proto')[0] ?? 'https',
    'X-Forwarded-Host': before('x-forwarded-host')[0] ?? host,
    Forwarded: [...before('forwarded'), forwarded].join(', '),
  };
}
