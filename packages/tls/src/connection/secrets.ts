/** What the records of one direction are protected with: a connection state (RFC 5246 §6.1, RFC 9846 §7.3). */
export interface WriteState {
  /** TLS 1.3: the traffic secret that key and IV come from; undefined before. */
  readonly trafficSecret: Uint8Array | undefined;
  /** MAC key; empty with an AEAD. */
  readonly macSecret: Uint8Array;
  readonly key: Uint8Array;
  /** Of the whole key, or, with CBC up to TLS 1.0, of its first record; empty where each record brings its own. */
  readonly iv: Uint8Array;
  /** Of the next record. */
  readonly sequenceNumber: number;
}

/** The keys of one direction. */
export interface TrafficKeys {
  readonly trafficSecret: Uint8Array | undefined;
  readonly mac: Uint8Array;
  readonly key: Uint8Array;
  readonly iv: Uint8Array;
}

/** As an established connection tells them. */
export interface EstablishedSecrets {
  readonly masterSecret: Uint8Array | undefined;
  readonly read: TrafficKeys;
  readonly write: TrafficKeys;
}

/**
 * The secrets of an open connection, to show how TLS works, or to hand a connection over: whoever has them can read
 * and forge all of it. Nothing of it is an enumerable property, so that no log, `JSON.stringify` or spread takes it along.
 */
export class ConnectionSecrets {
  readonly #masterSecret: Uint8Array | undefined;
  readonly #client: WriteState;
  readonly #server: WriteState;

  /** @internal */
  constructor(masterSecret: Uint8Array | undefined, client: WriteState, server: WriteState) {
    this.#masterSecret = masterSecret;
    this.#client = client;
    this.#server = server;
  }

  /** 48 bytes up to TLS 1.2; undefined in TLS 1.3, which has none that is kept. */
  get masterSecret(): Uint8Array | undefined {
    return this.#masterSecret;
  }

  /** What the client writes with. */
  get client(): WriteState {
    return this.#client;
  }

  /** What the server writes with. */
  get server(): WriteState {
    return this.#server;
  }

  toString(): string {
    return '[ConnectionSecrets]';
  }
}

/** As {@link ConnectionSecrets}, for one direction. */
export class DirectionSecrets implements WriteState {
  readonly #keys: TrafficKeys;
  readonly #sequenceNumber: number;

  constructor(keys: TrafficKeys, sequenceNumber: number) {
    this.#keys = keys;
    this.#sequenceNumber = sequenceNumber;
  }

  get trafficSecret(): Uint8Array | undefined {
    return this.#keys.trafficSecret;
  }

  get macSecret(): Uint8Array {
    return this.#keys.mac;
  }

  get key(): Uint8Array {
    return this.#keys.key;
  }

  get iv(): Uint8Array {
    return this.#keys.iv;
  }

  get sequenceNumber(): number {
    return this.#sequenceNumber;
  }
}
