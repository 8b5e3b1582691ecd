import type { HashName } from '@testudo/crypto';
import type { KeyShare } from '../groups/index.ts';
import type { ClientHello } from '../messages/client-hello.ts';
import type { Session } from '../sessions/session.ts';
import type { BinderLabel } from '../tls13/key-schedule.ts';

/** A PSK with what its binder is made of. */
export interface BoundPsk {
  readonly key: Uint8Array;
  readonly hash: HashName;
  /** Where the key comes from: a ticket, outside, or an import (RFC 9846 §4.3.11.2, RFC 9258 §5.2). */
  readonly binderLabel: BinderLabel;
}

/** A PSK as a client offers it. */
export interface OfferedPsk extends BoundPsk {
  readonly identity: Uint8Array;
  /** Milliseconds, hidden; 0 for an external key. */
  readonly obfuscatedTicketAge: number;
  /** The session it resumes; undefined for an external key. */
  readonly session: Session | undefined;
}

/** What a client offered, and the secrets that go with it. */
export interface Offer {
  hello: ClientHello;
  /** Private keys for the shares in the hello. */
  shares: readonly KeyShare[];
  /** The session it offers to resume: a 1.3 one is among the PSKs, an older one goes by ticket or ID. */
  readonly session: Session | undefined;
  /** The PSKs of TLS 1.3, in the hello's order. */
  readonly psks: readonly OfferedPsk[];
  /** Early data follows the first hello. */
  readonly offersEarlyData: boolean;
}
