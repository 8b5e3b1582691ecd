import type { IncomingMessage } from 'node:http';
import { isIPv6 } from 'node:net';
import { isHopByHop, namedByConnection, tellsOfTheClient, valuesOf, variableName } from './header-fields.ts';
import { requestTarget } from './request-target.ts';

/** What is passed on to the server behind. */
export interface ForwardedRequest {
  readonly method: string;
  /** The request line and the fields, those of the gateway last, to the empty line. One character is one byte. */
  readonly head: string;
  /** Whether a body follows in chunks. */
  readonly isChunked: boolean;
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
  readonly upstreamHost: string;
  /** Put before the path of each request; without a slash at its end. */
  readonly pathPrefix: string;
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
  const { rawHeaders: raw, headers, method = '', url = '' } = request;
  const isOld = request.httpVersion !== '1.1';
  // RFC 9112 §6.1: a coding that is not understood is 501, and HTTP/1.0 has none. Several are one value with commas here.
  const coding = headers['transfer-encoding'];
  if (coding !== undefined && coding.trim().toLowerCase() !== 'chunked')
    return { status: 501, advice: 'Only the transfer coding "chunked" is understood.' };
  const isChunked = coding !== undefined;
  if (isOld && isChunked) return { status: 400, advice: 'HTTP/1.0 has no transfer codings.' };
  // Part of the path to some servers, cut off by others; it never belongs here (RFC 9112 §3.2).
  if (url.includes('#')) return { status: 400, advice: 'The request\u2019s target has a fragment.' };
  const target = requestTarget(url, method);
  if (target === undefined) return { status: 400, advice: 'The request\u2019s target is not understood.' };
  const host = target.host ?? headers.host ?? '';
  if (!HOST.test(host)) return { status: 400, advice: 'The Host field is malformed.' };
  const fields = fieldsPassedOn(raw, policy, { isOld, isChunked, host: host || policy.upstreamHost });
  // RFC 9112 §3.2
  if (fields === undefined) return { status: 400, advice: 'The request names several hosts.' };
  const path = target.path === '*' ? '*' : policy.pathPrefix + target.path;
  const own = ownFields(headers, isChunked, policy) + forwardingFields(raw, policy, remoteAddress, host);
  return { method, head: `${method} ${path} HTTP/1.1\r\n${fields}${own}\r\n`, isChunked };
}

const HOST = /^[\w.~!$&'()*+,;=:[\]%-]*$/;

interface Framing {
  readonly isOld: boolean;
  readonly isChunked: boolean;
  /** What Host says. */
  readonly host: string;
}

/**
 * The client's own fields: in their order, as often as they stand there, their names as they are written. Host (RFC 9110 §7.2) where it
 * stands, of what the target says (RFC 9112 §3.2.2); first where there was none. Undefined where there are several.
 */
function fieldsPassedOn(
  raw: IncomingMessage['rawHeaders'],
  policy: ForwardingPolicy,
  { isOld, isChunked, host }: Framing,
): string | undefined {
  const named = namedByConnection(raw);
  let lines = '';
  let hosts = 0;
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i]!;
    const normal = name.toLowerCase();
    if (normal === 'host') {
      hosts++;
      lines += `${name}: ${host}\r\n`;
      continue;
    }
    if (isHopByHop(normal) || named?.has(normal)) continue;
    // HTTP/1.0 has no 1xx that could come back (RFC 9110 §10.1.1).
    if (isOld && normal === 'expect') continue;
    // Fields behind the body are possible only in chunks (RFC 9110 §6.5.1).
    if (!isChunked && normal === 'trailer') continue;
    if (isRewritten(normal, policy)) continue;
    lines += `${name}: ${raw[i + 1]}\r\n`;
  }
  if (hosts > 1) return undefined;
  return hosts === 1 ? lines : `Host: ${host}\r\n${lines}`;
}

/** What frames the message on the way to the server behind, and what that may send back. */
function ownFields(
  { connection, te }: IncomingMessage['headers'],
  isChunked: boolean,
  { upgrade }: ForwardingPolicy,
): string {
  if (upgrade !== undefined) return `Connection: Upgrade\r\nUpgrade: ${upgrade}\r\n`;
  const coding = isChunked ? 'Transfer-Encoding: chunked\r\n' : '';
  // Trailers are passed back: who wants them may say so (RFC 9110 §10.1.4).
  const takesTrailers =
    te !== undefined &&
    /(^|[,\s])trailers($|[,;\s])/i.test(String(te)) &&
    /(^|[,\s])te($|[,\s])/i.test(connection ?? '');
  return takesTrailers
    ? `${coding}TE: trailers\r\nConnection: keep-alive, TE\r\n`
    : `${coding}Connection: keep-alive\r\n`;
}

/** Fields that the gateway writes itself, or that nobody else may have a say in. */
function isRewritten(normal: string, { trustForwarded }: ForwardingPolicy): boolean {
  if (!tellsOfTheClient(normal)) return false;
  return !trustForwarded || REPLACED.has(variableName(normal)) || normal.includes('_');
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
  raw: IncomingMessage['rawHeaders'],
  { trustForwarded }: ForwardingPolicy,
  remoteAddress: string,
  host: string,
): string {
  const address = remoteAddress.startsWith('::ffff:')
    ? remoteAddress.replace(/^::ffff:(?=\d+\.)/, '')
    : remoteAddress;
  // RFC 7239 §6: an IPv6 address has brackets and quotes.
  const node = isIPv6(address) ? `"[${address}]"` : address;
  const forwarded = `for=${node};proto=https${host === '' ? '' : `;host="${host}"`}`;
  if (!trustForwarded)
    return `X-Forwarded-For: ${address}\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: ${host}\r\nForwarded: ${forwarded}\r\n`;
  const before = (field: string): string[] => valuesOf(raw, field);
  return (
    `X-Forwarded-For: ${[...before('x-forwarded-for'), address].join(', ')}\r\n` +
    `X-Forwarded-Proto: ${before('x-forwarded-proto')[0] ?? 'https'}\r\n` +
    `X-Forwarded-Host: ${before('x-forwarded-host')[0] ?? host}\r\n` +
    `Forwarded: ${[...before('forwarded'), forwarded].join(', ')}\r\n`
  );
}
