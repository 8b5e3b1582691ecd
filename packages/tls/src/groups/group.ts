import type { CryptoProvider } from '@testudo/crypto';
import { TlsError } from '../errors.ts';
import type { Version } from '../versions.ts';

/**
 * A key exchange group. The client starts, the server responds, the client finishes; a Diffie-Hellman group and
 * a KEM look the same from here (RFC 9846 §4.3.8, draft-ietf-tls-ecdhe-mlkem for the hybrids).
 */
export interface Group {
  /** NamedGroup on the wire; 0 for a finite field that a server made itself, which has no number. */
  readonly id: number;
  /** As IANA has it. */
  readonly name: string;
  /** Other names users know it by: NIST's and OpenSSL's. */
  readonly aliases: readonly string[];
  /** Up to TLS 1.2 a curve is for ECDHE, a finite field for DHE; the others are for TLS 1.3 only. */
  readonly kind: 'curve' | 'finite-field' | 'kem' | 'hybrid';
  /** The versions that have it: Brainpool curves have one number up to TLS 1.2, and another from TLS 1.3 on. */
  readonly minVersion: Version;
  readonly maxVersion: Version;
  available(provider: CryptoProvider): boolean;
  /** The client's half. */
  start(provider: CryptoProvider): KeyShare;
  /** The server's half: its share, and the shared secret. Throws `bad-key-share`. */
  respond(provider: CryptoProvider, clientShare: Uint8Array): { share: Uint8Array; secret: Uint8Array };
}

/** A private key that waits for the peer's share. */
export interface KeyShare {
  readonly group: Group;
  readonly share: Uint8Array;
  /** The shared secret. Throws `bad-key-share` when the peer's share is no valid key. */
  finish(peerShare: Uint8Array): Uint8Array;
}

/** Whether this version has this group. */
export function groupFits(group: Group, version: Version): boolean {
  return version >= group.minVersion && version <= group.maxVersion;
}

/** The share when it is as long as it must be. Throws `bad-key-share`. */
export function checkLength(group: Group, share: Uint8Array, length: number): Uint8Array {
  if (share.length === length) return share;
  throw new TlsError('bad-key-share', `a ${group.name} key share has ${length} bytes, not ${share.length}`);
}
