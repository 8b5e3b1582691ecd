import type { CryptoProvider } from '@testudo/crypto';
import type { CommonConfig } from '../config/config.ts';
import { TlsError } from '../errors.ts';
import type { ConnectionInfo, Established } from '../handshake/result.ts';
import { type ChannelBindingType, channelBinding } from './channel-bindings.ts';
import { ConnectionSecrets, DirectionSecrets } from './secrets.ts';

/** How many records the keys have protected. */
interface Records {
  readonly sequences: { readonly sent: number; readonly received: number };
}

/** What is known of a connection whose handshake is complete, and what can be derived from it. */
export abstract class ConnectionFacts {
  readonly #provider: CryptoProvider;
  readonly #exposesSecrets: boolean;
  #info: ConnectionInfo | undefined;
  #established: Established | undefined;
  #records: Records | undefined;
  #exporter: Established['exportKeyingMaterial'] | undefined;

  constructor({ provider, exposesSecrets }: Pick<CommonConfig, 'provider' | 'exposesSecrets'>) {
    this.#provider = provider;
    this.#exposesSecrets = exposesSecrets;
  }

  /** What was agreed on; undefined until the handshake is complete. */
  get info(): ConnectionInfo | undefined {
    return this.#info;
  }

  /**
   * Keying material for another protocol (RFC 5705 §4, RFC 9846 §7.5); `length` in bytes. Throws `not-connected` before the
   * handshake is complete, `export-refused` up to TLS 1.2 without extended master secret; after a false start it may be had, and is as good as what is sent then.
   */
  exportKeyingMaterial(length: number, label: string, context?: Uint8Array): Uint8Array {
    if (this.#exporter !== undefined) return this.#exporter(label, context, length);
    if (this.#established === undefined) throw new TlsError('not-connected', 'the handshake is not complete');
    return this.#established.exportKeyingMaterial(label, context, length);
  }

  /**
   * What binds an authentication above to this connection (RFC 5929, RFC 9266), as SCRAM-PLUS wants it. Undefined where it
   * could be that of another connection, too, or is not defined: `tls-unique` in TLS 1.3, and after a resumption or
   * renegotiation without extended master secret; `tls-exporter` without extended master secret, and where renegotiation is
   * enabled;
   * `tls-server-end-point` without certificate, with one that is signed with no hash (EdDSA), and on a server that resumed
   * a session. Throws `not-connected` before the handshake is complete, and for `tls-exporter` when the connection is over.
   */
  channelBinding(type: ChannelBindingType): Uint8Array | undefined {
    if (this.#info === undefined) throw new TlsError('not-connected', 'the handshake is not complete');
    // RFC 9266 §4.2: not defined where the next renegotiation would change it.
    if (type === 'tls-exporter' && this.#established?.canRenegotiate === true) return undefined;
    return channelBinding(type, this.#provider, this.#info, this.exportKeyingMaterial.bind(this));
  }

  /**
   * The keys that are in use, copied, and the sequence numbers: only with the option `exposeSecrets`, and only while the
   * connection is open. Otherwise undefined.
   */
  get secrets(): ConnectionSecrets | undefined {
    const secrets = this.#exposesSecrets ? this.#established?.secrets() : undefined;
    if (secrets === undefined || this.#info === undefined) return undefined;
    const { sent, received } = this.#records!.sequences;
    const write = new DirectionSecrets(secrets.write, sent);
    const read = new DirectionSecrets(secrets.read, received);
    const [client, server] = this.#info.role === 'client' ? [write, read] : [read, write];
    return new ConnectionSecrets(secrets.masterSecret, client, server);
  }

  /** @internal What a false start lets be derived; undefined when it is over. */
  protected exportWith(exporter: Established['exportKeyingMaterial'] | undefined): void {
    this.#exporter = exporter;
  }

  /** @internal Something else is known. */
  protected learn(
    info: ConnectionInfo,
    established: Established | undefined = this.#established,
    records: Records | undefined = this.#records,
  ): void {
    this.#info = info;
    this.#exporter = undefined;
    this.#established = established;
    this.#records = records;
  }
}
