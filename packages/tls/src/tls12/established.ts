import { concat } from '@testudo/codec';
import type { CryptoProvider } from '@testudo/crypto';
import { TlsError } from '../errors.ts';
import type { Flow } from '../flow.ts';
import type { AfterHandshake, Established } from '../handshake/result.ts';
import { HANDSHAKE_TYPE, handshakeTypeName, type RawMessage } from '../messages/handshake-type.ts';
import type { Terms } from './terms.ts';

/** A TLS 1.2 connection after its handshake: no message may come any more; renegotiation is refused. */
export class Established12 implements Established {
  readonly canUpdateKeys = false;
  readonly #provider: CryptoProvider;
  readonly #terms: Terms;
  readonly #master: Uint8Array;
  #wiped = false;

  constructor(provider: CryptoProvider, terms: Terms, master: Uint8Array) {
    this.#provider = provider;
    this.#terms = terms;
    this.#master = master;
  }

  receive(message: RawMessage): Flow<AfterHandshake> | undefined {
    if (message.type === HANDSHAKE_TYPE.hello_request || message.type === HANDSHAKE_TYPE.client_hello) {
      throw new TlsError('renegotiation-refused', 'the peer wants to renegotiate, which is refused');
    }
    throw new TlsError('unexpected-message', `${handshakeTypeName(message.type)} after the handshake`);
  }

  renegotiate(): Flow<AfterHandshake> | undefined {
    throw new TlsError('not-connected', 'renegotiation is not allowed here');
  }

  requestClientCertificate(): undefined {
    throw new TlsError('not-connected', 'before TLS 1.3 a certificate is asked for by renegotiation');
  }

  prepareToSend(): void {}

  updateKeys(): void {
    throw new TlsError('not-connected', 'TLS 1.2 has no key update');
  }

  /** RFC 5705 §4: no context and an empty one differ. */
  exportKeyingMaterial(label: string, context: Uint8Array | undefined, length: number): Uint8Array {
    if (this.#wiped) throw new TlsError('not-connected', 'the connection is over and its secrets are wiped');
    const { rules, suite, randoms } = this.#terms;
    const { client, server } = randoms;
    const seed =
      context === undefined
        ? concat(client, server)
        : concat(client, server, Uint8Array.of(context.length >> 8, context.length), context);
    return rules.prf(this.#provider, suite, this.#master, label, seed, length);
  }

  wipe(): void {
    this.#wiped = true;
    this.#master.fill(0);
  }
}
