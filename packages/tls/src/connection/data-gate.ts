import { TlsError } from '../errors.ts';
import type { Exporter } from '../handshake/context.ts';

type Flowing = 'none' | 'early' | 'all';

/** Which application data may flow: all when the peer's Finished is verified, and before that early data at most. */
export class DataGate {
  #incoming: Flowing = 'none';
  #outgoing: Flowing = 'none';
  /** Bytes of early data that may still come, or still be sent. */
  #earlyLeft = 0;
  #exporter: Exporter | undefined;
  /** Client: a false start; it stays so. */
  isFalselyOpen = false;

  /** Whether {@link Connection.send} may be used. A server that takes early data may answer it (RFC 9846 §2.3). */
  get maySend(): boolean {
    return this.#outgoing === 'all';
  }

  /** Client: bytes of early data that may be sent now. */
  get earlyLeft(): number {
    return this.#outgoing === 'early' ? this.#earlyLeft : 0;
  }

  /** Counts early data that is sent. Throws `not-connected` over the limit. */
  sendsEarly(length: number): void {
    if (length > this.earlyLeft) {
      throw new TlsError('not-connected', `only ${this.earlyLeft} more bytes of early data may be sent`);
    }
    this.#earlyLeft -= length;
  }

  /** What data that came now is. Throws `unexpected-message`, or `too-much-early-data` over the limit (RFC 9846 §4.7.1). */
  receives(length: number): 'data' | 'early data' {
    if (this.#incoming === 'all') return 'data';
    if (this.#incoming === 'none') {
      throw new TlsError('unexpected-message', 'application data before the handshake was complete');
    }
    if (length > this.#earlyLeft) {
      throw new TlsError('too-much-early-data', 'the client sent more early data than it was allowed');
    }
    this.#earlyLeft -= length;
    return 'early data';
  }

  /** Other keys for what comes, which are not yet proven to be the peer's. */
  closeIncoming(): void {
    this.#incoming = 'none';
  }

  /** Server: early data comes. */
  takeEarly(limit: number, exporter: Exporter): void {
    this.#incoming = 'early';
    this.#earlyLeft = limit;
    this.#exporter = exporter;
  }

  /** Client: early data may be sent. */
  offerEarly(limit: number, exporter: Exporter): void {
    this.#outgoing = 'early';
    this.#earlyLeft = limit;
    this.#exporter = exporter;
  }

  /** Client: no more early data. */
  endEarly(): void {
    if (this.#outgoing === 'early') this.#outgoing = 'none';
  }

  /** Our own application keys are in use, while early data may still come. */
  mayAnswerEarly(): void {
    if (this.#incoming === 'early') this.#outgoing = 'all';
  }

  /** Client: what is sent may go before the peer's Finished has come; what comes still waits for it (RFC 7918 §4). */
  startFalsely(): void {
    this.#outgoing = 'all';
    this.isFalselyOpen = true;
  }

  /** The handshake is complete. */
  open(): void {
    this.#incoming = 'all';
    this.#outgoing = 'all';
  }

  /** Keying material that goes with early data. Throws `not-connected` where there is none. */
  exportEarly(label: string, context: Uint8Array, length: number): Uint8Array {
    if (this.#exporter === undefined) throw new TlsError('not-connected', 'there is no early data');
    return this.#exporter(label, context, length);
  }
}
