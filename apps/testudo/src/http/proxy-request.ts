import type { IncomingMessage } from 'node:http';
import { isIPv6 } from 'node:net';
import {
  connectionOptions,
  countOf,
  endToEnd,
  type Field,
  flat,
  tellsOfTheClient,
  valuesOf,
  variableName,
} from './header-fields.ts';
import { requestTarget } from './request-target.ts';

/** What is passed on to the server behind. */
export interface ForwardedRequest {
  readonly method: string;
  readonly path: string;
  /** Name, value, name, value, … in the client's order; those of the gateway come last. */
  readonly headers: readonly string[];
}

/** A request that is not passed on: the answer to give instead. */
export interface Refusal {
  readonly status: number;
  readonly advice: string;
}

/** How requests are passed on. */
export interface ForwardingPolicy {
  /** The client's fields about who asked are believed only behind a proxy of the user's own. */
  readonly trustForwarded: boolean;
  /** The server behind: named in Host where the client names nobody, as HTTP/1.0 allows. */
  readonly upstream: URL;
  /** The protocol to switch to. Default: none. */
  readonly upgrade?: string;
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
  const isOld = request.httpVersion !== '1.1';
  // RFC 9112 §6.1: a coding that is not understood is 501, and HTTP/1.0 has none.
  const codings = valuesOf(raw, 'transfer-encoding');
  if (codings.length > 1 || (codings.length === 1 && codings[0]!.trim().toLowerCase() !== 'chunked')) {
    return { status: 501, advice: 'Only the transfer coding "chunked" is understood.' };
  }
  if (isOld && codings.length > 0) return { status: 400, advice: 'HTTP/1.0 has no transfer codings.' };
  // RFC 9112 §3.2
  if (countOf(raw, 'host') > 1) return { status: 400, advice: 'The request names several hosts.' };
  // Part of the path to some servers, cut off by others; it never belongs here (RFC 9112 §3.2).
  if (request.url?.includes('#')) return { status: 400, advice: 'The request\u2019s target has a fragment.' };
  const target = requestTarget(request.url ?? '', request.method ?? '');
  if (target === undefined) return { status: 400, advice: 'The request\u2019s target is not understood.' };
  const host = target.host ?? request.headers.host ?? '';
  if (!/^[\w.~!$&'()*+,;=:[\]%-]*$/.test(host))
    return { status: 400, advice: 'The Host field is malformed.' };
  const isChunked = codings.length > 0;
  return {
    method: request.method!,
    path: target.path,
    headers: flat([
      ...withHost(passedOn(raw, policy, { isOld, isChunked }), host || policy.upstream.host),
      ...ownFields(raw, isChunked, policy),
      ...forwardingFields(request, policy, remoteAddress, host),
    ]),
  };
}

/** The client's own fields. */
function passedOn(
  raw: IncomingMessage['rawHeaders'],
  policy: ForwardingPolicy,
  { isOld, isChunked }: { readonly isOld: boolean; readonly isChunked: boolean },
): Field[] {
  return endToEnd(raw).filter(([name]) => {
    const normal = name.toLowerCase();
    // HTTP/1.0 has no 1xx that could come back (RFC 9110 §10.1.1).
    if (normal === 'expect') return !isOld;
    // Fields behind the body are possible only in chunks (RFC 9110 §6.5.1).
    if (normal === 'trailer') return isChunked;
    return !isRewritten(name, policy);
  });
}

/** Host (RFC 9110 §7.2) where it stands, of what the target says (RFC 9112 §3.2.2); first where there was none. */
function withHost(fields: readonly Field[], host: string): Field[] {
  if (!fields.some(([name]) => name.toLowerCase() === 'host')) return [['Host', host], ...fields];
  return fields.map((field) => (field[0].toLowerCase() === 'host' ? [field[0], host] : field));
}

/** What frames the message on the way to the server behind, and what that may send back. */
function ownFields(
  raw: IncomingMessage['rawHeaders'],
  isChunked: boolean,
  { upgrade }: ForwardingPolicy,
): Field[] {
  if (upgrade !== undefined)
    return [
      ['Connection', 'Upgrade'],
      ['Upgrade', upgrade],
    ];
  const options = connectionOptions(raw);
  const takesTrailers =
    options.includes('te') && valuesOf(raw, 'te').some((value) => /(^|[,\s])trailers($|[,;\s])/i.test(value));
  return [
    ...(isChunked ? [['Transfer-Encoding', 'chunked'] as const] : []),
    // Trailers are passed back: who wants them may say so (RFC 9110 §10.1.4).
    ...(takesTrailers ? ([['TE', 'trailers']] as const) : []),
    ['Connection', takesTrailers ? 'keep-alive, TE' : 'keep-alive'],
  ];
}

/** Fields that the gateway writes itself, or that nobody else may have a say in. */
function isRewritten(name: string, { trustForwarded }: ForwardingPolicy): boolean {
  if (!tellsOfTheClient(name)) return false;
  return !trustForwarded || REPLACED.has(variableName(name)) || name.includes('_');
}

/** Those that the gateway adds to. */
const REPLACED: ReadonlySet<string> = new Set([
  'forwarded',
  'x-forwarded-for',
  'x-forwarded-proto',
  'x-forwarded-host',
]);

/** `Forwarded` (RFC 7239 §4) and what was there before it. */
function forwardingFields(
  request: IncomingMessage,
  { trustForwarded }: ForwardingPolicy,
  remoteAddress: string,
  host: string,
): Field[] {
  const address = remoteAddress.replace(/^::ffff:(?=\d+\.)/, '');
  const before = (field: string): string[] => (trustForwarded ? valuesOf(request.rawHeaders, field) : []);
  // RFC 7239 §6: an IPv6 address has brackets and quotes.
  const node = isIPv6(address) ? `"[${address}]"` : address;
  const forwarded = `for=${node};proto=https${host === '' ? '' : `;host="${host.replace(/["\\]/g, '')}"`}`;
  return [
    ['X-Forwarded-For', [...before('x-forwarded-for'), address].join(', ')],
    ['X-Forwarded-Proto', before('x-forwarded-proto')[0] ?? 'https'],
    ['X-Forwarded-Host', before('x-forwarded-host')[0] ?? host],
    ['Forwarded', [...before('forwarded'), forwarded].join(', ')],
  ];
}
