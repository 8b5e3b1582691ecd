import type { ServerResponse } from 'node:http';
import type { AnswerHead } from './backend/answer-parser.ts';
import { endToEnd, type Field, isHopByHop, namedByConnection, valuesOf } from './header-fields.ts';

/**
 * Writes the head of an answer of the server behind as it is: its status, its fields in their order. `own` are added where it has
 * none of that name. It leaves with the first of the body.
 */
export function passHead(answer: AnswerHead, response: ServerResponse, own: readonly Field[]): void {
  const { statusCode, statusMessage, rawHeaders: raw } = answer;
  const { req } = response;
  // RFC 9112 §6.3, rule 1: these have no body, whatever their fields say. The other rules are those of the parser.
  const isBodiless = req.method === 'HEAD' || statusCode === 204 || statusCode === 304;
  const isChunked = !isBodiless && req.httpVersion === '1.1' && !has(raw, 'content-length');
  const named = namedByConnection(raw);
  const fields: string[] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const normal = raw[i]!.toLowerCase();
    if (isHopByHop(normal) || named?.has(normal)) continue;
    // RFC 9110 §8.6: a client that believed it would wait for a body that does not come.
    if (statusCode === 204 && normal === 'content-length') continue;
    if (!isChunked && normal === 'trailer') continue;
    fields.push(raw[i]!, raw[i + 1]!);
  }
  for (const [name, value] of own) if (!has(fields, name.toLowerCase())) fields.push(name, value);
  response.writeHead(statusCode, statusMessage, fields as never);
}

/** Whether a field stands there; `normal` is its name in lower case. */
function has(fields: readonly string[], normal: string): boolean {
  for (let i = 0; i < fields.length; i += 2)
    if (fields[i]!.length === normal.length && fields[i]!.toLowerCase() === normal) return true;
  return false;
}

/**
 * Whether an answer can be passed back: its status is one that ends an exchange, not `099`, and not 101 with no protocol to
 * switch to (RFC 9110 §15), and its body has no coding that is lost on the way (RFC 9112 §6.1).
 */
export function isUnderstood({ statusCode, rawHeaders }: AnswerHead): boolean {
  if (statusCode < 200) return false;
  if (!has(rawHeaders, 'transfer-encoding')) return true;
  const codings = valuesOf(rawHeaders, 'transfer-encoding');
  return codings.length === 1 && codings[0]!.toLowerCase() === 'chunked';
}

/** Passes a 1xx of the server behind back (RFC 9110 §15.2); HTTP/1.0 knows none. */
export function passInformation(information: AnswerHead, response: ServerResponse): void {
  const { socket, req, headersSent } = response;
  if (socket === null || headersSent || req.httpVersion !== '1.1') return;
  const { statusCode, statusMessage, rawHeaders } = information;
  const fields = endToEnd(rawHeaders).filter(([name]) => name.toLowerCase() !== 'content-length');
  // Node knows by it that the client's body follows, and that the connection can be kept.
  if (statusCode === 100 && fields.length === 0) response.writeContinue();
  else {
    const lines = fields.map(([name, value]) => `${name}: ${value}\r\n`).join('');
    socket.write(`HTTP/1.1 ${statusCode} ${statusMessage}\r\n${lines}\r\n`, 'latin1');
  }
}
