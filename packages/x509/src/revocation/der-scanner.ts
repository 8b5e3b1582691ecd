import { DecodeError, Tag, tagName } from '@testudo/codec';

/**
 * Walks over DER without making an object for each value: for lists with millions of them. As strict as `DerReader`
 * about tags and lengths. Throws {@link DecodeError} only.
 */
export class DerScanner {
  /** Where the next value begins. */
  at: number;
  /** Where the content of the value begins that was entered or skipped last. */
  contentAt = 0;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array, at = 0) {
    this.#bytes = bytes;
    this.at = at;
  }

  get isAtEnd(): boolean {
    return this.at === this.#bytes.length;
  }

  peek(): number | undefined {
    return this.#bytes[this.at];
  }

  /** Moves to the content of the next value, which must have this tag and end before `limit`. Gives its end. */
  enter(tag: number, limit: number = this.#bytes.length): number {
    const bytes = this.#bytes;
    let at = this.at;
    if (at + 2 > limit) throw this.error('truncated', `${tagName(tag)} is missing`);
    if (bytes[at] !== tag)
      throw this.error('bad-value', `${tagName(bytes[at]!)} where ${tagName(tag)} was expected`);
    let length = bytes[at + 1]!;
    at += 2;
    if (length >= 0x80) {
      const width = length & 0x7f;
      if (width === 0 || width > 4 || at + width > limit || bytes[at] === 0)
        throw this.error('bad-length', 'a length that is not DER');
      length = 0;
      for (let i = 0; i < width; i++) length = length * 256 + bytes[at++]!;
      if (length < 0x80) throw this.error('bad-length', 'a length with needless bytes');
    }
    if (length > limit - at) throw this.error('truncated', `needs ${length} bytes, ${limit - at} are left`);
    this.contentAt = at;
    this.at = at;
    return at + length;
  }

  /** Moves past the next value. Gives its end. */
  skip(tag: number, limit?: number): number {
    this.at = this.enter(tag, limit);
    return this.at;
  }

  /** An INTEGER with the fewest bytes. */
  skipInteger(): void {
    const end = this.skip(Tag.integer);
    const first = this.#bytes[this.contentAt];
    const second = this.#bytes[this.contentAt + 1]!;
    const length = end - this.contentAt;
    if (length === 0) throw this.error('bad-length', 'an INTEGER without bytes');
    if (length > 1 && ((first === 0 && second < 0x80) || (first === 0xff && second >= 0x80)))
      throw this.error('bad-value', 'an INTEGER with needless leading bytes');
  }

  /** A UTCTime or GeneralizedTime to the second; its digits are looked at when the value is read. */
  skipTime(): void {
    const tag = this.peek() === Tag.generalizedTime ? Tag.generalizedTime : Tag.utcTime;
    const end = this.skip(tag);
    if (end - this.contentAt !== (tag === Tag.utcTime ? 13 : 15) || this.#bytes[end - 1] !== 0x5a)
      throw this.error('bad-value', `a ${tagName(tag)} that is not in UTC with whole seconds`);
  }

  /** A BOOLEAN; gives its value. */
  skipTrue(limit: number): boolean {
    const end = this.skip(Tag.boolean, limit);
    const value = this.#bytes[this.contentAt];
    if (end - this.contentAt !== 1 || (value !== 0 && value !== 0xff))
      throw this.error('bad-value', 'not a BOOLEAN');
    return value === 0xff;
  }

  /** Throws unless the next value would begin at `end`. */
  expectAt(end: number): void {
    if (this.at !== end) throw this.error('trailing-bytes', `${end - this.at} bytes too many`);
  }

  error(code: DecodeError['code'], detail: string): DecodeError {
    return new DecodeError(code, detail, this.at);
  }
}
