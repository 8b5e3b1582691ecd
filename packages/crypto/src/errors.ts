export type CryptoErrorCode =
  /** A key, point or encapsulation key is malformed or does not fit the algorithm. */
  | 'bad-key'
  /** An input has a length that the algorithm does not take. */
  | 'bad-length'
  /** The provider does not have the algorithm. */
  | 'unsupported';

/** What a provider throws; messages never hold secret bytes. */
export class CryptoError extends Error {
  override readonly name = 'CryptoError';
  readonly code: CryptoErrorCode;

  constructor(code: CryptoErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
