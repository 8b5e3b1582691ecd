import type { CryptoProvider } from '@testudo/crypto';
import type { StreamCipher } from '../suites/index.ts';
import type { Protection, Terms } from '../tls12/terms.ts';
import type { VersionRules } from '../tls12/version-rules.ts';

/** A client's Next Protocol Negotiation: {@link npnClient}. */
export interface NpnClient {
  /** The protocol, by what the server offers; an empty one for none. */
  select(offered: readonly string[]): string;
}

/** A server's Next Protocol Negotiation: {@link npnServer}. */
export interface NpnServer {
  /** By preference. */
  readonly protocols: readonly string[];
}

/**
 * What TLS 1.2 and 1.3 left behind, as `@testudo/tls/legacy` brings it: SSL 3.0 to TLS 1.1, suites without secrecy or
 * authentication, RC4. With it these can be named in the options; nothing of it is ever a default.
 */
export interface Legacy {
  /** SSL 3.0, TLS 1.0, TLS 1.1. */
  readonly rules: readonly VersionRules[];
  /** RC4 and no cipher at all. */
  streamProtection(provider: CryptoProvider, terms: Terms, cipher: StreamCipher): Protection;
}
