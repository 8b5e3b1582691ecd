import { TlsError } from '../../errors.ts';
import type { CipherSuite } from '../../suites/index.ts';
import { dheExchange } from './dhe.ts';
import { ecdheExchange } from './ecdhe.ts';
import type { KeyExchange } from './key-exchange.ts';
import { dhePsk, ecdhePsk, psk, rsaPsk } from './psk.ts';
import { rsaExchange } from './rsa.ts';

/** Every key exchange there is up to TLS 1.2. */
export const KEY_EXCHANGES: readonly KeyExchange[] = [
  ecdheExchange,
  dheExchange,
  rsaExchange,
  psk,
  ecdhePsk,
  dhePsk,
  rsaPsk,
];

const BY_NAME = new Map<string, KeyExchange>(KEY_EXCHANGES.map((exchange) => [exchange.name, exchange]));

/** The key exchange that a suite names. */
export function keyExchangeOf(suite: CipherSuite): KeyExchange {
  const exchange = BY_NAME.get(suite.keyExchange);
  if (exchange !== undefined) return exchange;
  throw new TlsError('internal-error', `no key exchange for ${suite.name}`);
}
