import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';

/**
 * What HTTP makes of a connection that ended without close_notify (RFC 9112 §9.8, RFC 9113 §5.4.1). It may be an
 * ordinary end, because the protocol tells by itself when something is missing (`told`):
 *
 * - HTTP/2, whose streams have an end of their own;
 * - an HTTP/1 server, since requests always say how long they are;
 * - an HTTP/1 client, unless its answer ends where the connection does. Then nobody can tell whether it is whole: it
 *   is `incomplete`, and its reader gets the error.
 *
 * Undefined where it is not HTTP.
 */
export function endInHttp(socket: Socket, error: Error): 'told' | 'incomplete' | undefined {
  const http = socket as HttpSocket;
  if (http.alpnProtocol === 'h2') return 'told';
  // Where node:http reads the connection; not after an upgrade.
  if (!http.parser) return undefined;
  const answer = http._httpMessage?.res;
  if (!answer || answer.complete || hasKnownLength(answer)) return 'told';
  // The parser would take the end of the connection for the end of the answer: it is not to find the answer any more.
  http.parser.incoming = null;
  answer.destroy(error);
  return 'incomplete';
}

/**
 * Whether a socket that is destroyed without an error may say that this was all: HTTP is between two messages on it, or
 * tells the end of each by itself. Clients and servers of HTTP owe each other that closure alert (RFC 9112 §9.8), and
 * Node's destroy idle connections.
 */
export function isBetweenMessages(socket: Socket): boolean {
  const http = socket as HttpSocket;
  if (http.alpnProtocol === 'h2') return true;
  // Null after a message, and also after an upgrade: then neither a parser nor an agent has it any more.
  return http._httpMessage === null && (Boolean(http.parser) || socket.listenerCount('agentRemove') > 0);
}

type HttpSocket = Socket & {
  readonly alpnProtocol?: unknown;
  readonly parser?: { incoming: unknown } | null;
  readonly _httpMessage?: (ClientRequest & { readonly res?: IncomingMessage | null }) | null;
};

function hasKnownLength({ headers }: IncomingMessage): boolean {
  return headers['content-length'] !== undefined || /\bchunked\s*$/i.test(headers['transfer-encoding'] ?? '');
}
