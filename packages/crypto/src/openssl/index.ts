import { nodeCrypto } from '../node/index.ts';
import type { CryptoProvider } from '../provider.ts';
import { openOpenssl } from './provider.ts';

/** What {@link systemCrypto} gives, and why not the other. */
export interface CryptoChoice {
  readonly provider: CryptoProvider;
  /** One line that says why OpenSSL is not called straight; undefined when it is. */
  readonly whyNotOpenssl: string | undefined;
}

/**
 * The provider for programs on Node: `openssl` where koffi is installed, loads, and finds an OpenSSL that passes a self-test;
 * `node` otherwise. Decided once for each thread, at the first call, which then takes some 20 ms. The environment variable
 * `TESTUDO_CRYPTO` decides instead: `node`, or `openssl` for those who would rather fail.
 * Throws an Error where it asks for what is not there.
 */
export function systemCrypto(): CryptoProvider {
  return cryptoChoice().provider;
}

/** As {@link systemCrypto}, with the reason. */
export function cryptoChoice(): CryptoChoice {
  chosen ??= choose(process.env['TESTUDO_CRYPTO']);
  return chosen;
}

/** OpenSSL called straight. Throws an Error, with the reason in one line, where that cannot be. */
export function opensslCrypto(): CryptoProvider {
  const choice = cryptoChoice();
  if (choice.provider.name === 'openssl') return choice.provider;
  opened ??= openOpenssl();
  return opened;
}

let chosen: CryptoChoice | undefined;
let opened: CryptoProvider | undefined;

function choose(wanted: string | undefined): CryptoChoice {
  switch (wanted) {
    case 'node':
      return { provider: nodeCrypto, whyNotOpenssl: 'TESTUDO_CRYPTO is "node"' };
    case 'openssl':
      return { provider: demanded(), whyNotOpenssl: undefined };
    case undefined:
    case '':
      break;
    default:
      throw new Error(`TESTUDO_CRYPTO is "${wanted}": it takes "node" or "openssl"`);
  }
  try {
    return { provider: openOpenssl(), whyNotOpenssl: undefined };
  } catch (error) {
    return { provider: nodeCrypto, whyNotOpenssl: firstLine(error) };
  }
}

function demanded(): CryptoProvider {
  try {
    return openOpenssl();
  } catch (error) {
    throw new Error(`TESTUDO_CRYPTO is "openssl", which cannot be had: ${firstLine(error)}`, {
      cause: error,
    });
  }
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n', 1)[0]!;
}
