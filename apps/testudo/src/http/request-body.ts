import type { ClientRequest, IncomingMessage } from 'node:http';
import { endToEndTrailers } from './header-fields.ts';

/** Whether a request has a body, be it an empty one (RFC 9112 §6). */
export function hasBody({ headers }: IncomingMessage): boolean {
  return headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined;
}

/**
 * Passes a request's body on, at the pace of who takes it, with the fields behind it. Where the server behind takes no
 * more, the rest is thrown away, so that the client gets to read the answer.
 */
export function passBody(request: IncomingMessage, outgoing: ClientRequest): void {
  if (!hasBody(request)) {
    outgoing.end();
    return;
  }
  // What stands in the header may be what the server behind waits for (RFC 9110 §10.1.1).
  outgoing.flushHeaders();
  const onEnd = (): void => {
    const trailers = endToEndTrailers(request.rawTrailers);
    if (trailers.length > 0) outgoing.addTrailers(trailers as [string, string][]);
    outgoing.end();
  };
  request.once('end', onEnd);
  // A client that goes away in the middle of its request ends ours, unfinished (RFC 9112 §8).
  request.once('close', () => {
    if (!request.complete) outgoing.destroy();
  });
  outgoing.once('close', () => {
    request.off('end', onEnd);
    request.unpipe(outgoing).resume();
  });
  request.pipe(outgoing, { end: false });
}
