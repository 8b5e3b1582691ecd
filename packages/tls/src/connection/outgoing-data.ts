import type { Established } from '../handshake/result.ts';
import { APPLICATION_DATA } from '../record/content-type.ts';
import type { RecordLayer } from '../record/record-layer.ts';

/** Application data on its way into records: cut where the keys must be replaced, held back while they change. */
export class OutgoingData {
  readonly #records: RecordLayer;
  #established: Established | undefined;
  #held: Uint8Array[] | undefined;
  readonly #renew: () => void;
  #isRenewed = false;

  /** @param renew called once for a key that wears out and cannot be updated: up to TLS 1.2, another handshake may do it. */
  constructor(records: RecordLayer, renew: () => void) {
    this.#records = records;
    this.#renew = renew;
  }

  send(data: Uint8Array): void {
    // A copy: the owner may use the bytes again after its call.
    if (this.#held !== undefined) this.#held.push(data.slice());
    else if (this.#established === undefined) this.#records.write(APPLICATION_DATA, data);
    else this.#sendInParts(data, this.#established);
  }

  /** Bytes that wait. */
  get heldLength(): number {
    return this.#held?.reduce((sum, { length }) => sum + length, 0) ?? 0;
  }

  /** From now on data waits. */
  hold(): void {
    this.#held ??= [];
  }

  /** Sends what was held back. */
  release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const data of held) this.send(data);
  }

  /** A handshake is complete: data goes under its keys, and what was held back goes now. */
  use(established: Established): void {
    this.#established = established;
    this.#isRenewed = false;
    this.release();
  }

  #sendInParts(data: Uint8Array, established: Established): void {
    let rest = data;
    while (rest.length > 0) {
      established.prepareToSend();
      // The key is replaced before its limit, so that alerts and KeyUpdates always have room (RFC 9846 §5.5).
      const records = established.canUpdateKeys ? this.#records.sealsBeforeUpdate : Number.MAX_SAFE_INTEGER;
      if (records <= 0) {
        established.updateKeys(false);
        continue;
      }
      const most = records * this.#records.fragmentLength;
      const part = rest.length > most ? rest.subarray(0, most) : rest;
      this.#records.write(APPLICATION_DATA, part);
      rest = rest.subarray(part.length);
    }
    if (established.canUpdateKeys || this.#isRenewed || !this.#records.keyWearsOut) return;
    this.#isRenewed = true;
    this.#renew();
  }
}
