import type { HpkeExporter } from '@testudo/crypto';
import type { Handshake } from '../handshake/context.ts';
import type { EchConfig } from './config-list.ts';

/** Tells the observer what decrypts the inner hello, under the outer hello's random (RFC 9850 §2.3). */
export function logEch(
  { observer }: Handshake,
  outerRandom: Uint8Array,
  config: EchConfig,
  { sharedSecret }: HpkeExporter,
): void {
  observer?.secret?.('ECH_SECRET', outerRandom, sharedSecret);
  observer?.secret?.('ECH_CONFIG', outerRandom, config.bytes);
}
