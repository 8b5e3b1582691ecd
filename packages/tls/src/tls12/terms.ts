import { MAX_EXPANSION, type RecordCompression } from '../record/compression.ts';
import { MAX_PLAINTEXT } from '../record/content-type.ts';
import type { RecordOpener, RecordSealer } from '../record/protection.ts';
import type { CipherSuite } from '../suites/index.ts';
import type { VersionRules } from './version-rules.ts';

/** What the hellos of TLS 1.2 and older agreed on, and what every derivation needs. */
export interface Terms {
  readonly rules: VersionRules;
  readonly suite: CipherSuite;
  readonly randoms: Randoms;
  /** Extended master secret (RFC 7627). */
  readonly extended: boolean;
  /** How content is compressed; undefined for not at all. */
  readonly compression?: RecordCompression | undefined;
  /** Encrypt-then-MAC (RFC 7366); only CBC suites have it. */
  readonly encryptThenMac: boolean;
}

/** Most bytes of content in a record before it is decompressed (RFC 5246 §6.2.2). */
export function longestContent({ compression }: Terms): number {
  return compression === undefined ? MAX_PLAINTEXT : MAX_PLAINTEXT + MAX_EXPANSION;
}

export interface Randoms {
  readonly client: Uint8Array;
  readonly server: Uint8Array;
}

/**
 * How a suite protects records up to TLS 1.2 (RFC 5246 §6.2.3): what it takes from the key block (§6.3), and what it makes of
 * it. In bytes.
 */
export interface Protection {
  readonly macKeyLength: number;
  readonly keyLength: number;
  readonly ivLength: number;
  sealer(keys: DirectionKeys): RecordSealer;
  opener(keys: DirectionKeys): RecordOpener;
}

/** The keys of one direction, as the key block gives them. */
export interface DirectionKeys {
  readonly mac: Uint8Array;
  readonly key: Uint8Array;
  readonly iv: Uint8Array;
}
