import { TlsError } from '../../errors.ts';
import type { CipherSuite } from '../../suites.ts';
import { ecdhe } from './ecdhe.ts';
import type { KeyExchange } from './key-exchange.ts';

/** Every key exchange there is up to TLS 1.2. */
export const KEY_EXCHANGES: readonly KeyExchange[] = [ecdhe];

const BY_NAME = new Map<string, KeyExchange>(KEY_EXCHANGES.map((exchange) => [exchange.name, exchange]));

/** The key exchange that a suite names. */
export function keyExchangeOf(suite: CipherSuite): KeyExchange {
  const exchange = BY_NAME.get(suite.keyExchange);
  if (exchange !== undefined) return exchange;
  throw new TlsError('internal-error', `no key exchange for ${suite.name}`);
}
