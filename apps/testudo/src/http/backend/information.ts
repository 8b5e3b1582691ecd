import type { AnswerHead } from './answer-parser.ts';

/** 1xx answers of one exchange, and bytes of them: a server that reports for an hour, or hints at every file, has fewer. */
const MOST = { count: 200, bytes: 65_536 } as const;

/** The server behind sends 1xx answers without end, in the place of one that counts. */
export class InformationFlood extends Error {
  constructor() {
    super(`more than ${MOST.count} interim answers (1xx), or than ${MOST.bytes} bytes of them, and no other`);
  }
}

/**
 * Counts the 1xx answers of one exchange (RFC 9110 §15.2: any number may come before the answer that counts). Each of them shows
 * that the server is alive, so there is no time after which it has to answer.
 */
export class InformationBudget {
  #count = 0;
  #bytes = 0;

  /** The end of the exchange where there are too many. */
  take(information: AnswerHead): InformationFlood | undefined {
    this.#count++;
    this.#bytes += sizeOf(information);
    return this.#count <= MOST.count && this.#bytes <= MOST.bytes ? undefined : new InformationFlood();
  }
}

/** As it comes over the wire, about. */
function sizeOf({ statusMessage, rawHeaders }: AnswerHead): number {
  return rawHeaders.reduce((sum, text) => sum + text.length + 2, statusMessage.length + 17);
}
