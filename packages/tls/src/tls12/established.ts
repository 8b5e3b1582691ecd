import { concat } from '@testudo/codec';
import type { CryptoProvider } from '@testudo/crypto';
import { TlsError } from '../errors.ts';
import type { Established } from '../handshake/result.ts';
import { HANDSHAKE_TYPE, handshakeTypeName, type RawMessage } from '../messages/handshake-type.ts';
import type { CipherSuite } from '../suites.ts';
import { prf } from './prf.ts';
import type { Randoms } from './secrets.ts';

/** A TLS 1.2 connection after its handshake: no message may come any more; renegotiation is refused. */
export class Established12 implements Established {
  readonly canUpdateKeys = false;
  readonly #provider: CryptoProvider;
  readonly #suite: CipherSuite;
  readonly #master: Uint8Array;
  readonly #randoms: Randoms;
  #wiped = false;

  constructor(provider: CryptoProvider, suite: CipherSuite, master: Uint8Array, randoms: Randoms) {
    this.#provider = provider;
    this.#suite = suite;
    this.#master = master;
    this.#randoms = randoms;
  }

  receive(message: RawMessage): void {
    if (message.type === HANDSHAKE_TYPE.hello_request || message.type === HANDSHAKE_TYPE.client_hello) {
      throw new TlsError('renegotiation-refused', 'the peer wants to renegotiate, which is refused');
    }
    throw new TlsError('unexpected-message', `${handshakeTypeName(message.type)} after the handshake`);
  }

  prepareToSend(): void {}

  updateKeys(): void {
    throw new TlsError('not-connected', 'TLS 1.2 has no key update');
  }

  /** RFC 5705 §4: no context and an empty one differ. */
  exportKeyingMaterial(label: string, context: Uint8Array | undefined, length: number): Uint8Array {
    if (this.#wiped) throw new TlsError('not-connected', 'the connection is over and its secrets are wiped');
    const { client, server } = this.#randoms;
    const seed =
      context === undefined
        ? concat(client, server)
        : concat(client, server, Uint8Array.of(context.length >> 8, context.length), context);
    return prf(this.#provider, this.#suite.hash, this.#master, label, seed, length);
  }

  wipe(): void {
    this.#wiped = true;
    this.#master.fill(0);
  }
}
