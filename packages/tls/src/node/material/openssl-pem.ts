import { DecodeError } from '@testudo/codec';
import { CertificateError } from '@testudo/x509';

/**
 * Reads the blocks of a PEM text one after the other, as OpenSSL does for Node's options, with its liberties and its
 * limits: text between blocks and blocks of other kinds are passed over, a byte order mark at the start of a line
 * that may begin a block is too, spaces at the end of a line do not count, lines may have any length; but a BEGIN line
 * stands at the start of its line, and lines end with LF.
 */
export class PemReader {
  readonly #lines: readonly string[];
  #next = 0;

  /** Text is taken as UTF-8. */
  constructor(input: string | ArrayBufferView) {
    const text = bytesOf(input).toString('latin1');
    this.#lines = text === '' ? [] : text.replace(/\n$/, '').split('\n');
  }

  /** The next block under one of these labels; undefined when there is none. Throws {@link PemError}. */
  next(labels: readonly string[]): Uint8Array | undefined {
    for (let block = this.#block(); block !== undefined; block = this.#block()) {
      if (!labels.includes(block.label)) continue;
      // A header says that the block is encrypted, for which these have no passphrase.
      if (block.header !== '') throw new PemError('not proc type');
      return block.bytes;
    }
    return undefined;
  }

  #block(): { readonly label: string; readonly header: string; readonly bytes: Uint8Array } | undefined {
    const label = this.#label();
    if (label === undefined) return undefined;
    // Up to an empty line what came is the header; without one it was the data.
    let header: string | undefined;
    let text = '';
    let isLast = false;
    for (;;) {
      const line = this.#line();
      if (line === undefined) throw new PemError('bad end line');
      if (line === '') {
        if (header !== undefined) throw new PemError('bad end line');
        header = text;
        text = '';
      } else if (line.startsWith(END)) {
        if (!line.startsWith(`${label}${DASHES}`, END.length)) throw new PemError('bad end line');
        return { label, header: header ?? '', bytes: fromBase64(text) };
      } else {
        if (isLast || (header !== undefined && line.length > 64)) throw new PemError('bad end line');
        // After a header only the last line may be short.
        isLast = header !== undefined && line.length < 64;
        text += `${line}\n`;
      }
    }
  }

  #label(): string | undefined {
    for (let isFirst = true; ; isFirst = false) {
      let line = this.#line();
      if (line === undefined) return undefined;
      if (isFirst) line = line.replace(BYTE_ORDER_MARK, '');
      if (line.startsWith(BEGIN) && line.endsWith(DASHES) && line.length >= BEGIN.length + DASHES.length)
        return line.slice(BEGIN.length, -DASHES.length);
    }
  }

  /** Without what OpenSSL cuts off at its end: spaces, control characters, bytes above 127. */
  #line(): string | undefined {
    const line = this.#lines[this.#next];
    if (line === undefined) return undefined;
    this.#next++;
    let end = line.length;
    while (end > 0 && isCutOff(line.charCodeAt(end - 1))) end--;
    return line.slice(0, end);
  }
}

/** A block that cannot be read, in OpenSSL's words. */
export class PemError extends Error {
  override readonly name = 'PemError';
}

/** Whether the fault lies in what was to be read. */
export function isUnreadable(error: unknown): boolean {
  return error instanceof PemError || error instanceof CertificateError || error instanceof DecodeError;
}

/** The bytes of an option: text as UTF-8, and whatever a view shows. */
export function bytesOf(input: string | ArrayBufferView): Buffer {
  return typeof input === 'string'
    ? Buffer.from(input)
    : Buffer.from(input.buffer, input.byteOffset, input.byteLength);
}

const BEGIN = '-----BEGIN ';
const END = '-----END ';
const DASHES = '-----';
/** In UTF-8, one character for each byte. */
const BYTE_ORDER_MARK = /^\xef\xbb\xbf(?=.)/s;

function isCutOff(code: number): boolean {
  return code <= 0x20 || code >= 0x80;
}

/** White space is passed over, and a hyphen ends the data. */
function fromBase64(text: string): Uint8Array {
  const [base64 = ''] = text.replaceAll(/[ \t\r\n]/g, '').split('-', 1);
  if (base64.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(base64))
    throw new PemError('bad base64 decode');
  return new Uint8Array(Buffer.from(base64, 'base64'));
}
