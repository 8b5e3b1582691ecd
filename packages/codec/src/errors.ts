/** Why bytes could not be decoded. Stable: programs may match on it. */
export type DecodeErrorCode =
  /** The input ended before the field did. */
  | 'truncated'
  /** Bytes were left where the format allows none. */
  | 'trailing-bytes'
  /** A length or a count is outside the range the format allows. */
  | 'bad-length'
  /** A field holds a value that the format forbids. */
  | 'bad-value';

/** The only exception that a codec throws on hostile input. */
export class DecodeError extends Error {
  override readonly name = 'DecodeError';
  readonly code: DecodeErrorCode;
  /** Where in the outermost buffer, in bytes. */
  readonly offset: number;
  /** The field, as a path from the outermost structure: `extensions.[2].data`. Empty at the top. */
  path: string;
  readonly #detail: string;

  constructor(code: DecodeErrorCode, detail: string, offset: number) {
    super(detail);
    this.code = code;
    this.offset = offset;
    this.path = '';
    this.#detail = detail;
  }

  /** Prefixes the path with the structure's field that was being read. */
  within(field: string): this {
    this.path = this.path === '' ? field : `${field}.${this.path}`;
    this.message = `${this.path}: ${this.#detail}`;
    return this;
  }
}

/** A value that its wire format cannot carry: a mistake of the caller, never of the peer. */
export class EncodeError extends Error {
  override readonly name = 'EncodeError';
}
