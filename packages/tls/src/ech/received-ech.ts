import type { HpkeReceiver } from '@testudo/crypto';
import type { OuterEch } from '../extensions/encrypted-client-hello.ts';
import type { EchOutcome } from './outcome.ts';

/** What a server knows of ECH in one handshake. */
export interface ReceivedEch {
  readonly outcome: EchOutcome;
  /** What opened the first hello; undefined where none did, or a client-facing server in front of this one did it. */
  readonly opened?: OpenedEch;
}

export interface OpenedEch {
  readonly ech: OuterEch;
  readonly context: HpkeReceiver;
}
