import { concat, utf8 } from '@testudo/codec';
import { type CryptoProvider, HpkeAead, type HpkeSuite, hpkeSuite } from '@testudo/crypto';
import type { EchCipherSuite } from './config-list.ts';

/** The HPKE suite of a configuration's KEM with one of its pairs; undefined where it is not known, or cannot encrypt. */
export function echSuite(
  provider: CryptoProvider,
  kem: number,
  { kdf, aead }: EchCipherSuite,
): HpkeSuite | undefined {
  return aead === HpkeAead.exportOnly ? undefined : hpkeSuite(provider, { kem, kdf, aead });
}

/** HPKE's `info` for a whole ECHConfig (RFC 9849 §6.1). */
export function echInfo(config: Uint8Array): Uint8Array {
  return concat(PREFIX, config);
}

const PREFIX = utf8('tls ech\0');
