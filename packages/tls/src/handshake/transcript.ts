import { concat } from '@testudo/codec';
import type { CryptoProvider, Hash, HashName } from '@testudo/crypto';
import { HANDSHAKE_TYPE } from '../messages/handshake-type.ts';

/** The hash over a handshake; before TLS 1.2 both of MD5 and SHA-1, one after the other (RFC 2246 §7.4.9). */
export type TranscriptHash = HashName | 'md5-sha1';

/**
 * The handshake so far (RFC 9846 §4.1). Messages are kept until the suite tells which hash to use. While they are few,
 * each digest hashes all of them anew: that costs less than a hash with a state, and a copy of it for each digest.
 */
export class Transcript {
  readonly #provider: CryptoProvider;
  #hash: Hash | undefined;
  #messages: Uint8Array[] | undefined = [];
  /** Of everything so far; two secrets or more are often derived from the same. */
  #digest: Uint8Array | undefined;

  constructor(provider: CryptoProvider) {
    this.#provider = provider;
  }

  /** Adds a whole message, header included. */
  add(message: Uint8Array): void {
    this.#hash?.update(message);
    this.#messages?.push(message);
    this.#digest = undefined;
  }

  /** Puts a message in the place of the last one; only while messages are kept. */
  replaceLast(message: Uint8Array): void {
    this.#messages!.splice(-1, 1, message);
    this.#digest = undefined;
  }

  /** Chooses the hash. Messages go on being kept until {@link forgetMessages}. */
  useHash(name: TranscriptHash): void {
    const hash = name === 'md5-sha1' ? md5AndSha1(this.#provider) : new MessagesHash(this.#provider, name);
    for (const message of this.#messages ?? []) hash.update(message);
    this.#hash = hash;
    this.#digest = undefined;
  }

  /** Transcript-Hash of everything so far. */
  digest(): Uint8Array {
    this.#digest ??= this.#hash!.digest();
    return this.#digest;
  }

  /** The hash of everything so far but the last `tail` bytes: what a PSK binder covers (RFC 9846 §4.3.11.2). */
  digestWithoutTail(hashName: HashName, tail: number): Uint8Array {
    const messages = this.messages();
    return this.#provider.digest(hashName, messages.subarray(0, messages.length - tail));
  }

  /** Every message as it was, for TLS 1.2's CertificateVerify, which may use a hash of its own. */
  messages(): Uint8Array {
    return concat(...(this.#messages ?? []));
  }

  forgetMessages(): void {
    this.#messages = undefined;
  }

  /** Replaces ClientHello1, the first message, by message_hash, so that a server can retry without state (RFC 9846 §4.1). Gives the hash. */
  replaceClientHello(hashName: HashName): Uint8Array {
    const [first, ...later] = this.#messages!;
    const digest = this.#provider.digest(hashName, first!);
    this.#messages = [messageHash(digest), ...later];
    return digest;
  }

  /** Puts a first hello, by its hash, and the retry that answered it before what came since. */
  restoreRetry(helloHash: Uint8Array, retry: Uint8Array): void {
    this.#messages = [messageHash(helloHash), retry, ...this.#messages!];
  }
}

/** Keeps messages while they fit into {@link SHORT}, and hashes them for each digest; has a state when they no longer do. */
class MessagesHash implements Hash {
  readonly #provider: CryptoProvider;
  readonly #name: HashName;
  #messages: Uint8Array[] = [];
  #length = 0;
  #state: Hash | undefined;

  constructor(provider: CryptoProvider, name: HashName) {
    this.#provider = provider;
    this.#name = name;
  }

  update(message: Uint8Array): void {
    this.#length += message.length;
    if (this.#length > SHORT.length) this.#state ??= this.#begin();
    if (this.#state === undefined) this.#messages.push(message);
    else this.#state.update(message);
  }

  digest(): Uint8Array {
    if (this.#state !== undefined) return this.#state.digest();
    let at = 0;
    for (const message of this.#messages) {
      SHORT.set(message, at);
      at += message.length;
    }
    return this.#provider.digest(this.#name, SHORT.subarray(0, at));
  }

  #begin(): Hash {
    const state = this.#provider.hash(this.#name);
    for (const message of this.#messages) state.update(message);
    this.#messages = [];
    return state;
  }
}

/** Room for a transcript with two certificates; over it, hashing everything for each digest costs more than a state. */
const SHORT = new Uint8Array(4096);

function messageHash(digest: Uint8Array): Uint8Array {
  return Uint8Array.of(HANDSHAKE_TYPE.message_hash, 0, 0, digest.length, ...digest);
}

function md5AndSha1(provider: CryptoProvider): Hash {
  const both = [provider.hash('md5'), provider.hash('sha1')];
  return {
    update(data) {
      for (const hash of both) hash.update(data);
    },
    digest: () => concat(...both.map((hash) => hash.digest())),
  };
}
