import type { HashName } from '@testudo/crypto';

/** A key that both sides got by other means than TLS: of a device, or agreed on beforehand (RFC 9846 §2.2). */
export interface ExternalPsk {
  /** Names the key to the server, in the clear; 1 to 65,535 bytes. Up to TLS 1.2 it should be UTF-8 text. */
  readonly identity: Uint8Array;
  /** The key itself. At least 16 random bytes; a password is none (RFC 9257 §4.2). */
  readonly key: Uint8Array;
  /** TLS 1.3: the hash that it goes with (RFC 9846 §4.3.11). Default `sha256`. */
  readonly hash?: HashName | undefined;
  /** TLS 1.3: made by {@link importPsk}, which ties it to one protocol and hash. Default false. */
  readonly imported?: boolean | undefined;
}

/** What a client knows when it chooses its keys. */
export interface PskRequest {
  /** Which key the server wants (RFC 4279 §5.2); undefined when it did not say, and in TLS 1.3. */
  readonly hint: Uint8Array | undefined;
}

/** What a server knows of the client that names a key. */
export interface PskLookup {
  readonly identity: Uint8Array;
  /** On the wire: 0x0304 for TLS 1.3. */
  readonly version: number;
}
