import type { RawMessage } from './messages/handshake-type.ts';

export type Direction = 'sent' | 'received';

/**
 * Sees what happens on a connection: key logs, the explorer, `testudo connect` and metrics are observers.
 * Every method is optional, and costs nothing when it is missing. None may throw or change what it is given.
 */
export interface Observer {
  /** A record went or came: its content type, plaintext length, and length on the wire with its header. */
  record?(direction: Direction, type: number, length: number, wireLength: number): void;
  /** A handshake message went or came, whole, header included. */
  message?(direction: Direction, message: RawMessage): void;
  /**
   * A ClientHello went encrypted inside the one that goes next, or came inside the one that came last (RFC 9849): whole, header
   * included.
   */
  innerHello?(direction: Direction, raw: Uint8Array): void;
  /** ChangeCipherSpec went or came. */
  changeCipherSpec?(direction: Direction): void;
  /** Keys changed: `handshake`, `application`, `application 1` after the first KeyUpdate, and so on. */
  keys?(direction: Direction, epoch: string): void;
  alert?(direction: Direction, level: 'warning' | 'fatal', description: string): void;
  /** A secret under its NSS key log label (RFC 9850). Its holder can decrypt the connection. */
  secret?(label: string, clientRandom: Uint8Array, secret: Uint8Array): void;
}

/** Several observers as one. */
export function observers(...list: readonly (Observer | undefined)[]): Observer | undefined {
  const present = list.filter((observer) => observer !== undefined);
  if (present.length <= 1) return present[0];
  return {
    record: (...args) => present.forEach((observer) => void observer.record?.(...args)),
    message: (...args) => present.forEach((observer) => void observer.message?.(...args)),
    innerHello: (...args) => present.forEach((observer) => void observer.innerHello?.(...args)),
    changeCipherSpec: (...args) => present.forEach((observer) => void observer.changeCipherSpec?.(...args)),
    keys: (...args) => present.forEach((observer) => void observer.keys?.(...args)),
    alert: (...args) => present.forEach((observer) => void observer.alert?.(...args)),
    secret: (...args) => present.forEach((observer) => void observer.secret?.(...args)),
  };
}
