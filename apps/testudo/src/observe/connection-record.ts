import {
  contentTypeName,
  type Direction,
  handshakeTypeName,
  type Observer,
  type RawMessage,
} from '@testudo/tls';

/** Something that happened on a connection, as the engine saw it. */
export interface SeenEvent {
  readonly kind: 'message' | 'change-cipher-spec' | 'alert';
  readonly direction: Direction;
  /** `client_hello`; for an alert its description. */
  readonly name: string;
  /** Bytes, the handshake header included. */
  readonly size: number;
  /** Milliseconds since the record was started. */
  readonly time: number;
  /** Whether it was encrypted on the wire. */
  readonly encrypted: boolean;
  /** The message itself, where bytes are kept. */
  readonly message: RawMessage | undefined;
}

export interface Traffic {
  readonly records: number;
  /** Bytes on the wire, record headers included. */
  readonly bytes: number;
}

/** An honest handshake has about ten; what a peer adds beyond this is only counted. */
const MOST_EVENTS = 64;

/** Collects what an engine reports about one connection, within bounds: for the welcome page and `testudo connect`. */
export class ConnectionRecord implements Observer {
  readonly startedAt: number;
  readonly #now: () => number;
  readonly #keepBytes: boolean;
  readonly #events: SeenEvent[] = [];
  readonly #encrypted = { sent: false, received: false };
  readonly #traffic = { sent: { records: 0, bytes: 0 }, received: { records: 0, bytes: 0 } };
  #omitted = 0;

  /**
   * @param options.keepBytes keep the messages themselves. Default false.
   * @param options.now milliseconds of a steady clock. Default `performance.now`.
   */
  constructor(options: { keepBytes?: boolean; now?: () => number } = {}) {
    this.#now = options.now ?? (() => performance.now());
    this.#keepBytes = options.keepBytes ?? false;
    this.startedAt = this.#now();
  }

  /** In order of time. */
  get events(): readonly SeenEvent[] {
    return this.#events;
  }

  /** Events that were too many to keep. */
  get omitted(): number {
    return this.#omitted;
  }

  get sent(): Traffic {
    return this.#traffic.sent;
  }

  get received(): Traffic {
    return this.#traffic.received;
  }

  record(direction: Direction, _type: number, _length: number, wireLength: number): void {
    this.#traffic[direction].records++;
    this.#traffic[direction].bytes += wireLength;
  }

  message(direction: Direction, message: RawMessage): void {
    const kept = this.#keepBytes ? { type: message.type, raw: message.raw.slice() } : undefined;
    this.#add('message', direction, handshakeTypeName(message.type), message.raw.length, kept);
  }

  changeCipherSpec(direction: Direction): void {
    this.#add('change-cipher-spec', direction, contentTypeName(CHANGE_CIPHER_SPEC), 1);
  }

  keys(direction: Direction, _epoch: string): void {
    this.#encrypted[direction] = true;
  }

  alert(direction: Direction, level: string, description: string): void {
    this.#add('alert', direction, `${level} ${description}`, 2);
  }

  #add(
    kind: SeenEvent['kind'],
    direction: Direction,
    name: string,
    size: number,
    message?: RawMessage,
  ): void {
    if (this.#events.length >= MOST_EVENTS) {
      this.#omitted++;
      return;
    }
    const time = this.#now() - this.startedAt;
    // ChangeCipherSpec is never encrypted: it says that what follows is.
    const encrypted = kind !== 'change-cipher-spec' && this.#encrypted[direction];
    this.#events.push({ kind, direction, name, size, time, encrypted, message });
  }
}

const CHANGE_CIPHER_SPEC = 20;
