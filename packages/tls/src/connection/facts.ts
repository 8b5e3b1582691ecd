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

/**
 * What is known of a connection whose handshake is complete, and what can be derived from it; described at {@link Connection}.
 */
export class ConnectionFacts {
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

  get info(): ConnectionInfo | undefined {
    return this.#info;
  }

  exportKeyingMaterial(length: number, label: string, context?: Uint8Array): Uint8Array {
    if (this.#exporter !== undefined) return this.#exporter(label, context, length);
    if (this.#established === undefined) throw new TlsError('not-connected', 'the handshake is not complete');
    return this.#established.exportKeyingMaterial(label, context, length);
  }

  channelBinding(type: ChannelBindingType): Uint8Array | undefined {
    if (this.#info === undefined) throw new TlsError('not-connected', 'the handshake is not complete');
    // RFC 9266 §4.2: not defined where the next renegotiation would change it.
    if (type === 'tls-exporter' && this.#established?.canRenegotiate === true) return undefined;
    return channelBinding(type, this.#provider, this.#info, this.exportKeyingMaterial.bind(this));
  }

  get secrets(): ConnectionSecrets | undefined {
    const secrets = this.#exposesSecrets ? this.#established?.secrets() : undefined;
    if (secrets === undefined || this.#info === undefined) return undefined;
    const { sent, received } = this.#records!.sequences;
    const write = new DirectionSecrets(secrets.write, sent);
    const read = new DirectionSecrets(secrets.read, received);
    const [client, server] = this.#info.role === 'client' ? [write, read] : [read, write];
    return new ConnectionSecrets(secrets.masterSecret, client, server);
  }

  /** What a false start lets be derived; undefined when it is over. */
  exportWith(exporter: Established['exportKeyingMaterial'] | undefined): void {
    this.#exporter = exporter;
  }

  /** Something else is known. */
  learn(
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
