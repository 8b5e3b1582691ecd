import type { CipherSuite } from '../suites.ts';
import type { VersionRules } from './version-rules.ts';

/** What the hellos of TLS 1.2 and older agreed on, and what every derivation needs. */
export interface Terms {
  readonly rules: VersionRules;
  readonly suite: CipherSuite;
  readonly randoms: Randoms;
  /** Extended master secret (RFC 7627). */
  readonly extended: boolean;
  /** Encrypt-then-MAC (RFC 7366); only CBC suites have it. */
  readonly encryptThenMac: boolean;
}

export interface Randoms {
  readonly client: Uint8Array;
  readonly server: Uint8Array;
}
