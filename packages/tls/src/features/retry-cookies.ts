import { concat, decode, encode, opaque, struct, uint16, uint64 } from '@testudo/codec';
import type { CryptoProvider } from '@testudo/crypto';
import { TlsError } from '../errors.ts';

/** What a server must know of a client's first hello when the second one comes. */
export interface RetryState {
  /** Transcript-Hash of the first ClientHello. */
  readonly helloHash: Uint8Array;
  readonly cipherSuite: number;
  /** The group a share was asked for; 0 when none was. */
  readonly group: number;
}

/** Seals and opens cookies (RFC 9846 §4.3.2). */
export interface RetryCookieSealer {
  /** `now` in milliseconds since 1970. */
  seal(state: RetryState, now: number): Uint8Array;
  /** Undefined for a cookie that is forged, changed or too old. */
  open(cookie: Uint8Array, now: number): RetryState | undefined;
}

const MAC_LENGTH = 32;
/** Length of the key, in bytes. */
export const COOKIE_KEY_LENGTH: number = 32;

const codec = struct({ issuedAt: uint64, cipherSuite: uint16, group: uint16, helloHash: opaque(1, 32, 48) });

/**
 * Cookies that hold the state of a retry under an HMAC, so that the server itself need keep none: a client proves with its
 * second hello that it gets what is sent to it, and that hello may even come on another connection, or to another server
 * with the same key.
 */
export class RetryCookies implements RetryCookieSealer {
  readonly #provider: CryptoProvider;
  readonly #key: Uint8Array;
  readonly #lifetime: number;

  /**
   * @param options.key 32 secret bytes, to share among servers. Default: random.
   * @param options.lifetime seconds in which the second hello must come. Default 30.
   */
  constructor(provider: CryptoProvider, options: { key?: Uint8Array; lifetime?: number } = {}) {
    this.#provider = provider;
    this.#key = options.key?.slice() ?? provider.randomBytes(COOKIE_KEY_LENGTH);
    this.#lifetime = (options.lifetime ?? 30) * 1000;
    if (this.#key.length !== COOKIE_KEY_LENGTH) {
      throw new TlsError(
        'bad-option',
        `a cookie key has ${COOKIE_KEY_LENGTH} bytes, not ${this.#key.length}`,
      );
    }
  }

  seal(state: RetryState, now: number): Uint8Array {
    const body = encode(codec, { ...state, issuedAt: BigInt(Math.floor(now)) });
    return concat(body, this.#mac(body));
  }

  open(cookie: Uint8Array, now: number): RetryState | undefined {
    const body = cookie.subarray(0, -MAC_LENGTH);
    if (!this.#provider.equal(cookie.subarray(body.length), this.#mac(body))) return undefined;
    const { issuedAt, ...state } = decode(codec, body);
    const age = now - Number(issuedAt);
    return age >= 0 && age <= this.#lifetime ? state : undefined;
  }

  #mac(body: Uint8Array): Uint8Array {
    return this.#provider.hmac('sha256', this.#key, body);
  }
}
