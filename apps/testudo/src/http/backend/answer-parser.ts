import { http } from '../node-http.ts';

/** What stands before an answer's body. */
export interface AnswerHead {
  readonly statusCode: number;
  readonly statusMessage: string;
  /** Name, value, name, value, …; one character is one byte. Free of control characters, line ends and folds. */
  readonly rawHeaders: readonly string[];
}

/** Gets what a parser reads, in order, while it reads. */
export interface AnswerReceiver {
  /** A 1xx, which is not 101: any number may come before the head (RFC 9110 §15.2). */
  onInformation(head: AnswerHead): void;
  onHead(head: AnswerHead): void;
  onBody(chunk: Buffer): void;
  /** The answer is whole. `trailers` as `rawHeaders`. */
  onEnd(trailers: readonly string[]): void;
  /** A 101: what follows, `rest` first, is another protocol, and no business of the parser's. */
  onSwitch(head: AnswerHead, rest: Buffer): void;
}

/** The server behind does not speak HTTP/1.1, or says where its answer ends in two ways. */
export class MalformedAnswer extends Error {}

/** Bytes of a head or of trailers while their end is not there; what fields hold is limited as in Node, beyond line ends. */
const MOST_HEAD: number = 2 * http.maxHeaderSize;
/** Bytes of a chunk's size and its extensions. */
const MOST_LINE = 4_096;

type Part = 'nothing' | 'head' | 'length' | 'size' | 'chunk' | 'line-end' | 'trailers' | 'all' | 'stopped';

/**
 * Reads the answers of an HTTP/1.1 server on one connection: one for each {@link begin}. As strict as Node's parser: lines end with
 * CRLF, no field is folded, no name has a space behind it (RFC 9112 §5.1, §5.2), a length stands there once, and not
 * beside a coding (§6.3). Everything else throws a {@link MalformedAnswer}; the parser is of no use after it.
 */
export class AnswerParser {
  readonly #receiver: AnswerReceiver;
  #part: Part = 'nothing';
  /** What has come of a part that is read as a whole. */
  #begun: Buffer | undefined;
  /** Bytes of the body, or of the chunk, that are still to come. */
  #left = 0;
  #isToHead = false;
  #isKept = true;

  constructor(receiver: AnswerReceiver) {
    this.#receiver = receiver;
  }

  /** An answer may come. `isToHead`: to a HEAD request, so that it has no body (RFC 9112 §6.3). */
  begin(isToHead: boolean): void {
    this.#part = 'head';
    this.#isToHead = isToHead;
  }

  /** Whether no answer is owed. */
  get isIdle(): boolean {
    return this.#part === 'nothing';
  }

  /** Whether another answer may come on this connection: the last one was whole, said nothing else, and nothing came behind it. */
  get isReusable(): boolean {
    return this.#part === 'nothing' && this.#isKept && this.#begun === undefined;
  }

  /** Nothing more is read, and nobody told. */
  stop(): void {
    this.#part = 'stopped';
    this.#begun = undefined;
  }

  push(bytes: Buffer): void {
    let all = bytes;
    if (this.#begun !== undefined) {
      all = Buffer.concat([this.#begun, bytes]);
      this.#begun = undefined;
    }
    let at = 0;
    while (at < all.length) {
      const next = this.#read(all, at);
      if (this.#part === 'stopped') return;
      if (next < 0) {
        this.#begun = at === 0 ? all : all.subarray(at);
        return;
      }
      at = next;
    }
  }

  /** The server has closed its side. Whether that was in its place: at the end of an answer that ends with its connection. */
  end(): boolean {
    if (this.#part !== 'all') return this.#part === 'nothing' || this.#part === 'stopped';
    this.#finish([]);
    return true;
  }

  /** Reads the part that is due. Answers where the next one begins; -1 where it is not there as a whole. */
  #read(all: Buffer, at: number): number {
    switch (this.#part) {
      case 'head':
        return this.#readHead(all, at);
      case 'length':
      case 'chunk':
        return this.#readBody(all, at);
      case 'size':
        return this.#readSize(all, at);
      case 'line-end':
        return this.#readLineEnd(all, at);
      case 'trailers':
        return this.#readTrailers(all, at);
      case 'all':
        this.#receiver.onBody(at === 0 ? all : all.subarray(at));
        return all.length;
      // What came behind an answer.
      case 'nothing':
      case 'stopped':
        return -1;
    }
  }

  #readHead(all: Buffer, start: number): number {
    let at = start;
    // As Node's parser does, which forgives a line end too many.
    while (all[at] === CR || all[at] === LF) at++;
    const end = all.indexOf(HEAD_END, at, 'latin1');
    if (end < 0) return incomplete(all, start, MOST_HEAD);
    const head = headOf(all.toString('latin1', at, end));
    const next = end + HEAD_END.length;
    if (head.statusCode === 101) {
      this.#part = 'stopped';
      this.#receiver.onSwitch(head, all.subarray(next));
    } else if (head.statusCode >= 100 && head.statusCode < 200) this.#receiver.onInformation(head);
    else {
      this.#frame(head);
      this.#receiver.onHead(head);
      if (this.#part === 'nothing') this.#receiver.onEnd([]);
    }
    return next;
  }

  /** Where the answer ends: RFC 9112 §6.3, in its order. */
  #frame({ statusCode, isOld, framing }: ParsedHead): void {
    const { length, isCoded, isChunked, closes, keeps } = framing;
    // RFC 9112 §6.1: a coding in HTTP/1.0 is none to build upon.
    this.#isKept = isOld ? keeps && !closes && !isCoded : !closes;
    if (this.#isToHead || statusCode === 204 || statusCode === 304) this.#part = 'nothing';
    else if (isChunked) this.#part = 'size';
    else if (isCoded || length === undefined) {
      this.#part = 'all';
      this.#isKept = false;
    } else {
      this.#left = length;
      this.#part = length === 0 ? 'nothing' : 'length';
    }
  }

  #readBody(all: Buffer, at: number): number {
    const next = Math.min(at + this.#left, all.length);
    this.#left -= next - at;
    this.#receiver.onBody(at === 0 && next === all.length ? all : all.subarray(at, next));
    if (this.#left > 0 || this.#part === 'stopped') return next;
    if (this.#part === 'chunk') this.#part = 'line-end';
    else this.#finish([]);
    return next;
  }

  /** RFC 9112 §7.1; extensions are thrown away (§7.1.1). */
  #readSize(all: Buffer, at: number): number {
    const end = all.indexOf(LINE_END, at, 'latin1');
    if (end < 0 || end - at > MOST_LINE) return incomplete(all, at, MOST_LINE);
    const [, size] = CHUNK_SIZE.exec(all.toString('latin1', at, end)) ?? [];
    if (size === undefined) throw new MalformedAnswer('a chunk\u2019s size is none');
    this.#left = Number.parseInt(size, 16);
    this.#part = this.#left === 0 ? 'trailers' : 'chunk';
    return end + LINE_END.length;
  }

  #readLineEnd(all: Buffer, at: number): number {
    if (all.length - at < LINE_END.length) return -1;
    if (all[at] !== CR || all[at + 1] !== LF) throw new MalformedAnswer('a chunk is longer than its size');
    this.#part = 'size';
    return at + LINE_END.length;
  }

  /** RFC 9112 §7.1.2 */
  #readTrailers(all: Buffer, at: number): number {
    if (all.length - at < LINE_END.length) return -1;
    if (all[at] === CR && all[at + 1] === LF) {
      this.#finish([]);
      return at + LINE_END.length;
    }
    const end = all.indexOf(HEAD_END, at, 'latin1');
    if (end < 0) return incomplete(all, at, MOST_HEAD);
    const text = all.toString('latin1', at, end);
    const trailers: string[] = [];
    checkText(text);
    const { length, isCoded } = readFields(text, 0, trailers);
    // RFC 9110 §6.5.1
    if (length !== undefined || isCoded) throw new MalformedAnswer('a length or a coding behind the body');
    this.#finish(trailers);
    return end + HEAD_END.length;
  }

  #finish(trailers: readonly string[]): void {
    this.#part = 'nothing';
    this.#receiver.onEnd(trailers);
  }
}

const CR = 13;
const LF = 10;
const LINE_END = '\r\n';
const HEAD_END = '\r\n\r\n';

function incomplete(all: Buffer, at: number, most: number): -1 {
  if (all.length - at > most) throw new MalformedAnswer('a head or a line of it without end');
  return -1;
}

interface ParsedHead extends AnswerHead {
  /** HTTP/1.0 */
  readonly isOld: boolean;
  readonly framing: Framing;
}

/** What fields say of where an answer ends. */
interface Framing {
  length: number | undefined;
  isCoded: boolean;
  isChunked: boolean;
  closes: boolean;
  keeps: boolean;
}

function headOf(text: string): ParsedHead {
  checkText(text);
  const firstEnd = text.indexOf(LINE_END);
  const line = firstEnd < 0 ? text : text.slice(0, firstEnd);
  // RFC 9112 §4; the space before an empty reason is missing in the answers of many.
  const [, minor, status, reason = ''] = /^HTTP\/1\.([01]) (\d{3})(?: (.*))?$/.exec(line) ?? [];
  if (status === undefined) throw new MalformedAnswer('the answer is not HTTP/1.1');
  const rawHeaders: string[] = [];
  const framing = readFields(text, firstEnd < 0 ? text.length : firstEnd + LINE_END.length, rawHeaders);
  return { statusCode: Number(status), statusMessage: reason, rawHeaders, isOld: minor === '0', framing };
}

/** No control characters but tabs, and no half of a line end. */
function checkText(text: string): void {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (/[\0-\x08\x0b\x0c\x0e-\x1f\x7f]|\r(?!\n)|(?<!\r)\n/.test(text))
    throw new MalformedAnswer('a control character in a head');
}

/** Reads the lines from `start` on into `fields`. */
function readFields(text: string, start: number, fields: string[]): Framing {
  const framing: Framing = {
    length: undefined,
    isCoded: false,
    isChunked: false,
    closes: false,
    keeps: false,
  };
  let size = 0;
  for (let at = start; at < text.length; ) {
    const found = text.indexOf(LINE_END, at);
    const end = found < 0 ? text.length : found;
    const colon = text.indexOf(':', at);
    if (colon < 0 || colon >= end) throw new MalformedAnswer('a field without a colon');
    const name = text.slice(at, colon);
    if (!TOKEN.test(name)) throw new MalformedAnswer('a field\u2019s name is none');
    const value = trimmed(text, colon + 1, end);
    fields.push(name, value);
    size += name.length + value.length;
    if (MATTERING.has(name.length)) note(framing, name.toLowerCase(), value);
    at = end + LINE_END.length;
  }
  if (size > http.maxHeaderSize) throw new MalformedAnswer('a head that is too large');
  if (framing.isCoded && framing.length !== undefined)
    throw new MalformedAnswer('the answer has a length and a transfer coding');
  return framing;
}

/** With extensions, `;name` or `;name=value`, the value a token or quoted. */
const CHUNK_SIZE =
  /^([0-9a-f]{1,13})(?:;[!#$%&'*+\-.^_`|~\w]+(?:=(?:[!#$%&'*+\-.^_`|~\w]+|"(?:[\t\x20\x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t\x20-\x7e\x80-\xff])*"))?)*$/i;

/** RFC 9110 §5.6.2 */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** How long the names are that {@link note} knows. */
const MATTERING: ReadonlySet<number> = new Set(
  ['connection', 'content-length', 'transfer-encoding'].map(({ length }) => length),
);

function note(framing: Framing, name: string, value: string): void {
  if (name === 'content-length') {
    if (framing.length !== undefined || !/^\d{1,15}$/.test(value))
      throw new MalformedAnswer('several lengths, or one that is none');
    framing.length = Number(value);
  } else if (name === 'transfer-encoding') {
    // A coding before or after it is refused by who passes the answer back.
    framing.isChunked = !framing.isCoded && value.toLowerCase() === 'chunked';
    framing.isCoded = true;
  } else if (name === 'connection') {
    for (const option of value.toLowerCase().split(',')) {
      const said = option.trim();
      if (said === 'close') framing.closes = true;
      else if (said === 'keep-alive') framing.keeps = true;
    }
  }
}

/** Without spaces and tabs around it (RFC 9112 §5.1). */
function trimmed(text: string, from: number, to: number): string {
  let [start, end] = [from, to];
  while (start < end && isBlank(text.charCodeAt(start))) start++;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}
