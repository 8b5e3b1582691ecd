import { fromBase64, toBase64 } from './base64.ts';
import { DecodeError, EncodeError } from './errors.ts';

/** One `-----BEGIN label-----` block (RFC 7468). */
export interface PemBlock {
  /** `CERTIFICATE`, `PRIVATE KEY`, `EC PRIVATE KEY`, … */
  readonly label: string;
  readonly bytes: Uint8Array;
  /** Header lines of the old format of RFC 1421, which encrypted PKCS#1 and SEC 1 keys carry: `Proc-Type`, … */
  readonly headers: ReadonlyMap<string, string>;
}

/** RFC 7468 §3: printable characters without hyphen at the ends; words separated by one space or hyphen. */
const LABEL = /^[\x21-\x2c\x2e-\x7e]+(?:[- ][\x21-\x2c\x2e-\x7e]+)*$/;
const BEGIN = '-----BEGIN ';
const END = '-----END ';
const DASHES = '-----';

/**
 * All blocks of a PEM text, in order. Text before, between and after blocks is skipped; inside a block,
 * nothing but base64 in lines of any length is accepted. A text without a block gives an empty list.
 * Throws {@link DecodeError}; its offset counts characters.
 */
export function decodePem(text: string): PemBlock[] {
  const blocks: PemBlock[] = [];
  const lines = new Lines(text);
  for (let line = lines.next(); line !== undefined; line = lines.next()) {
    if (line.startsWith(BEGIN)) blocks.push(readBlock(lines, labelOf(line, BEGIN, lines.start)));
    else if (line.startsWith(END))
      throw new DecodeError('bad-value', 'an END line without its BEGIN line', lines.start);
  }
  return blocks;
}

/** A block in strict form: lines of 64 characters ending in LF (RFC 7468 §2). Throws {@link EncodeError} on a bad label. */
export function encodePem(label: string, bytes: Uint8Array): string {
  if (!LABEL.test(label)) throw new EncodeError(`"${label}" cannot be a PEM label`);
  const base64 = toBase64(bytes);
  let text = `${BEGIN}${label}${DASHES}\n`;
  for (let i = 0; i < base64.length; i += 64) text += `${base64.slice(i, i + 64)}\n`;
  return `${text}${END}${label}${DASHES}\n`;
}

function readBlock(lines: Lines, label: string): PemBlock {
  const begin = lines.start;
  const headers = new Map<string, string>();
  const parts: string[] = [];
  let lastHeader: string | undefined;
  for (let line = lines.next(); line !== undefined; line = lines.next()) {
    if (line.startsWith(END)) {
      const endLabel = labelOf(line, END, lines.start);
      if (endLabel !== label)
        throw new DecodeError('bad-value', `BEGIN ${label} is closed by END ${endLabel}`, lines.start);
      return { label, headers, bytes: decodeBody(parts.join(''), label, begin) };
    }
    if (line.startsWith(DASHES))
      throw new DecodeError('bad-value', `BEGIN ${label} is not closed by an END line`, lines.start);
    const colon = parts.length === 0 ? line.indexOf(':') : -1;
    if (colon > 0) {
      lastHeader = line.slice(0, colon);
      headers.set(lastHeader, line.slice(colon + 1).trim());
    } else if (lastHeader !== undefined && parts.length === 0 && /^[ \t]+\S/.test(line)) {
      headers.set(lastHeader, `${headers.get(lastHeader)}${line.trim()}`);
    } else if (line.trim() !== '') parts.push(line.replace(/[ \t]/g, ''));
    else lastHeader = undefined;
  }
  throw new DecodeError('truncated', `BEGIN ${label} has no END line`, begin);
}

function decodeBody(base64: string, label: string, begin: number): Uint8Array {
  try {
    return fromBase64(base64);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw new DecodeError(error.code, `the ${label} block: ${error.message}`, begin);
  }
}

function labelOf(line: string, prefix: string, offset: number): string {
  const trimmed = line.trimEnd();
  const label = trimmed.slice(prefix.length, -DASHES.length);
  if (!trimmed.endsWith(DASHES) || !LABEL.test(label))
    throw new DecodeError('bad-value', 'a malformed BEGIN or END line', offset);
  return label;
}

/** Lines of a text, ended by LF, CR LF or CR. */
class Lines {
  /** Where the current line starts, in characters. */
  start = 0;
  readonly #text: string;
  readonly #ends = /\r\n?|\n/g;
  #next = 0;

  constructor(text: string) {
    this.#text = text;
  }

  next(): string | undefined {
    if (this.#next >= this.#text.length) return undefined;
    this.start = this.#next;
    this.#ends.lastIndex = this.start;
    const end = this.#ends.exec(this.#text);
    this.#next = end === null ? this.#text.length : this.#ends.lastIndex;
    return this.#text.slice(this.start, end === null ? undefined : end.index);
  }
}
