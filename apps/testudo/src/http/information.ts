import type { ClientRequest, InformationEvent } from 'node:http';

/** 1xx answers of one exchange, and bytes of them: a server that reports for an hour, or hints at every file, has fewer. */
const MOST = { count: 200, bytes: 65_536 } as const;

/** The server behind sends 1xx answers without end, in the place of one that counts. */
export class InformationFlood extends Error {
  constructor() {
    super(`more than ${MOST.count} interim answers (1xx), or than ${MOST.bytes} bytes of them, and no other`);
  }
}

/**
 * Hands each 1xx answer of the server behind to `pass` (RFC 9110 §15.2: any number may come before the answer that counts).
 * Each of them shows that the server is alive, so there is no time after which it has to answer: where there are too many
 * the request ends with an {@link InformationFlood}.
 */
export function whenInformed(outgoing: ClientRequest, pass: (information: InformationEvent) => void): void {
  let count = 0;
  let bytes = 0;
  outgoing.on('information', (information) => {
    // One read may bring more of them than are taken.
    if (outgoing.destroyed) return;
    count++;
    bytes += sizeOf(information);
    if (count <= MOST.count && bytes <= MOST.bytes) return pass(information);
    // Where a switch of protocols follows in the same read, Node takes its own listener off.
    outgoing.socket?.on('error', () => undefined);
    outgoing.destroy(new InformationFlood());
  });
}

/** As it comes over the wire, about. */
function sizeOf({ statusMessage, rawHeaders }: InformationEvent): number {
  return rawHeaders.reduce((sum, text) => sum + text.length + 2, statusMessage.length + 17);
}
