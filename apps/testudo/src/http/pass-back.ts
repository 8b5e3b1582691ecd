import {
  type IncomingMessage,
  type InformationEvent,
  type ServerResponse,
  validateHeaderName,
  validateHeaderValue,
} from 'node:http';
import { pipeline } from 'node:stream';
import { endToEnd, endToEndTrailers, type Field, flat, valuesOf } from './header-fields.ts';
import { replyWithError } from './reply.ts';

/**
 * Passes an answer of the server behind back as it is: its status, its fields in their order, its body, the fields behind
 * it. `own` are added where it has none of that name.
 */
export function passBack(answer: IncomingMessage, response: ServerResponse, own: readonly Field[]): void {
  if (response.destroyed) {
    answer.destroy();
    return;
  }
  const fields = passedBack(answer, response);
  if (!isUnderstood(answer) || !canBeWritten(fields, answer.statusMessage ?? '')) {
    // What the parser let through and the writer does not.
    answer.destroy();
    replyWithError(response, 502, 'The server behind this gateway answered with something malformed.', own);
    return;
  }
  response.writeHead(
    answer.statusCode ?? 502,
    answer.statusMessage ?? '',
    flat([...fields, ...missing(own, fields)]) as never,
  );
  response.flushHeaders();
  answer.once('end', () => {
    const trailers = endToEndTrailers(answer.rawTrailers);
    if (trailers.length > 0 && canBeWritten(trailers, ''))
      response.addTrailers(trailers as [string, string][]);
  });
  // When the answer breaks off, so does ours: half an answer must not look whole (RFC 9112 §8).
  pipeline(answer, response, (error) => {
    if (error) response.destroy();
  });
}

/**
 * Whether an answer can be passed back: its status is one that ends an exchange, not `099`, and not 101 with no protocol to
 * switch to (RFC 9110 §15), and its body has no coding that is lost on the way (RFC 9112 §6.1).
 */
export function isUnderstood({ statusCode = 0, rawHeaders }: IncomingMessage): boolean {
  const codings = valuesOf(rawHeaders, 'transfer-encoding').map((value) => value.trim().toLowerCase());
  const isWhole = codings.length === 0 || (codings.length === 1 && codings[0] === 'chunked');
  return statusCode >= 200 && statusCode <= 999 && isWhole;
}

/** Passes a 1xx of the server behind back (RFC 9110 §15.2); HTTP/1.0 knows none. */
export function passInformation(information: InformationEvent, response: ServerResponse): void {
  const { socket, req, headersSent } = response;
  if (socket === null || headersSent || req.httpVersion !== '1.1') return;
  const { statusCode, statusMessage, rawHeaders } = information;
  const fields = endToEnd(rawHeaders).filter(([name]) => name.toLowerCase() !== 'content-length');
  // Node knows by it that the client's body follows, and that the connection can be kept.
  if (statusCode === 100 && fields.length === 0) response.writeContinue();
  else if (canBeWritten(fields, statusMessage)) {
    const lines = fields.map(([name, value]) => `${name}: ${value}\r\n`).join('');
    socket.write(`HTTP/1.1 ${statusCode} ${statusMessage}\r\n${lines}\r\n`, 'latin1');
  }
}

function passedBack(answer: IncomingMessage, { req }: ServerResponse): Field[] {
  const { statusCode = 502, headers } = answer;
  // RFC 9112 §6.3, rule 1: these have no body, whatever their fields say. The other rules are those of Node's parser.
  const bodiless = req.method === 'HEAD' || statusCode === 204 || statusCode === 304;
  const isChunked = !bodiless && req.httpVersion === '1.1' && headers['content-length'] === undefined;
  return endToEnd(answer.rawHeaders).filter(([name]) => {
    const normal = name.toLowerCase();
    // RFC 9110 §8.6: a client that believed it would wait for a body that does not come.
    if (normal === 'content-length') return statusCode !== 204;
    return normal !== 'trailer' || isChunked;
  });
}

function missing(own: readonly Field[], fields: readonly Field[]): Field[] {
  const present = new Set(fields.map(([name]) => name.toLowerCase()));
  return own.filter(([name]) => !present.has(name.toLowerCase()));
}

function canBeWritten(fields: readonly Field[], reason: string): boolean {
  try {
    validateHeaderValue('reason', reason);
    for (const [name, value] of fields) {
      validateHeaderName(name);
      validateHeaderValue(name, value);
    }
    return true;
  } catch {
    return false;
  }
}
