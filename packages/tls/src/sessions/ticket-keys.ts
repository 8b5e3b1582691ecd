import { bytesEqual, concat, encode } from '@testudo/codec';
import { AEAD_NONCE_LENGTH, type Aead, type CryptoProvider } from '@testudo/crypto';
import { DEFAULT_SESSION_LIFETIME } from '../config/defaults.ts';
import { AbandonedSessions, type EndedSession } from './abandoned-sessions.ts';
import { decodeSession, type Session, sessionCodec } from './session.ts';

/** Seals sessions into tickets and opens them again; may be remote, so answers may come later. */
export interface TicketSealer {
  /** Empty for none: this session is not to be resumed by a ticket. */
  seal(session: Session): Uint8Array | Promise<Uint8Array>;
  /** Undefined for a ticket that is forged, too old or sealed under a key that is gone. */
  open(ticket: Uint8Array): Session | undefined | Promise<Session | undefined>;
  /**
   * From now on tickets with this session are not opened: its connection ended with a fatal alert. A sealer without it goes
   * on opening them.
   */
  revoke?(session: EndedSession): void | Promise<void>;
}

const NAME_LENGTH = 16;
const KEY_LENGTH = 32;

/** Length of one exported ticket key: its name and the AES-256 key, in bytes. */
export const TICKET_KEY_LENGTH: number = NAME_LENGTH + KEY_LENGTH;

interface TicketKey {
  readonly name: Uint8Array;
  readonly aead: Aead;
  readonly bytes: Uint8Array;
  readonly createdAt: number;
}

/**
 * Tickets under AES-256-GCM, as RFC 5077 §4 proposes with a newer cipher: key name, nonce, sealed session.
 * Keys rotate; an old one still opens tickets for as long as a ticket lives.
 */
export class TicketKeys implements TicketSealer {
  readonly #provider: CryptoProvider;
  readonly #now: () => number;
  readonly #rotateAfter: number;
  readonly #lifetime: number;
  #keys: TicketKey[] = [];
  readonly #abandoned: AbandonedSessions;

  /**
   * @param options.rotateAfter seconds for which a key seals. Default 43,200 (12 hours).
   * @param options.lifetime seconds for which a ticket can be used, so for which an old key is kept. Default 86,400.
   * @param options.now milliseconds since 1970. Default `Date.now`.
   */
  constructor(
    provider: CryptoProvider,
    options: { rotateAfter?: number; lifetime?: number; now?: () => number } = {},
  ) {
    this.#provider = provider;
    this.#now = options.now ?? Date.now;
    this.#abandoned = new AbandonedSessions({ now: this.#now });
    this.#rotateAfter = (options.rotateAfter ?? 43_200) * 1000;
    this.#lifetime = (options.lifetime ?? DEFAULT_SESSION_LIFETIME) * 1000;
  }

  /** The key that seals now and those that still open, newest first: to share among servers. Secret. */
  export(): Uint8Array[] {
    this.#current();
    return this.#keys.map((key) => key.bytes.slice());
  }

  /** Replaces all keys; the first seals. Throws `RangeError` unless each has {@link TICKET_KEY_LENGTH} bytes. */
  import(keys: readonly Uint8Array[]): void {
    if (keys.length === 0) throw new RangeError('at least one ticket key is needed');
    this.#keys = keys.map((bytes) => this.#key(bytes.slice()));
  }

  seal(session: Session): Uint8Array {
    const key = this.#current();
    const nonce = this.#provider.randomBytes(AEAD_NONCE_LENGTH);
    const plaintext = encode(sessionCodec, session);
    const ticket = new Uint8Array(NAME_LENGTH + nonce.length + plaintext.length + key.aead.tagLength);
    ticket.set(key.name);
    ticket.set(nonce, NAME_LENGTH);
    key.aead.seal(nonce, key.name, plaintext, ticket, NAME_LENGTH + nonce.length);
    plaintext.fill(0);
    return ticket;
  }

  open(ticket: Uint8Array): Session | undefined {
    const name = ticket.subarray(0, NAME_LENGTH);
    const key = this.#keys.find((candidate) => bytesEqual(candidate.name, name));
    const start = NAME_LENGTH + AEAD_NONCE_LENGTH;
    if (key === undefined || ticket.length < start + key.aead.tagLength) return undefined;
    if (this.#now() - key.createdAt > this.#rotateAfter + this.#lifetime) return undefined;
    const plaintext = key.aead.open(ticket.subarray(NAME_LENGTH, start), name, ticket.subarray(start));
    const session = plaintext === undefined ? undefined : decodeSession(plaintext);
    return session === undefined || this.#abandoned.has(this.#provider, session) ? undefined : session;
  }

  /** Remembers 10,000 sessions at most, each until its lifetime is over. Other servers with these keys know nothing of it. */
  revoke(session: EndedSession): void {
    this.#abandoned.add(this.#provider, session);
  }

  #current(): TicketKey {
    const now = this.#now();
    const newest = this.#keys[0];
    if (newest !== undefined && now - newest.createdAt <= this.#rotateAfter) return newest;
    const fresh = this.#key(
      concat(this.#provider.randomBytes(NAME_LENGTH), this.#provider.randomBytes(KEY_LENGTH)),
    );
    this.#keys = [
      fresh,
      ...this.#keys.filter((key) => now - key.createdAt <= this.#rotateAfter + this.#lifetime),
    ];
    return fresh;
  }

  #key(bytes: Uint8Array): TicketKey {
    if (bytes.length !== TICKET_KEY_LENGTH) {
      throw new RangeError(`a ticket key has ${TICKET_KEY_LENGTH} bytes, not ${bytes.length}`);
    }
    const aead = this.#provider.aead('aes-256-gcm', bytes.subarray(NAME_LENGTH))!;
    return { name: bytes.subarray(0, NAME_LENGTH), aead, bytes, createdAt: this.#now() };
  }
}
