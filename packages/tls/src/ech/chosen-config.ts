import { CryptoError, type CryptoProvider, type HpkeSuite } from '@testudo/crypto';
import { TlsError } from '../errors.ts';
import { type EchConfig, parseEchConfigList } from './config-list.ts';
import { echInfo, echSuite } from './hpke.ts';

/** How a client hides the name that it wants. */
export interface EchOptions {
  /** ECHConfigList of the server: from its DNS record of type HTTPS (RFC 9848), or from a `TlsError`'s `retryConfigs`. */
  readonly configs: Uint8Array;
  /**
   * ALPN for all to see, beside the public name. The real protocols are hidden: they may tell more than it seems.
   * Default: none.
   */
  readonly outerAlpnProtocols?: readonly string[] | undefined;
}

/** The configuration that a client encrypts for. */
export interface EchOffer {
  readonly config: EchConfig;
  readonly suite: HpkeSuite;
  readonly outerAlpnProtocols: readonly string[];
}

/**
 * The first configuration that may be used and that this side can do. Throws `bad-option` where there is none: going on
 * would show the name that is to be hidden.
 */
export function clientEchOffer(
  provider: CryptoProvider,
  options: EchOptions | 'grease' | undefined,
): EchOffer | 'grease' | undefined {
  if (options === undefined || options === 'grease') return options;
  const configs = readConfigs(options.configs);
  for (const config of configs) {
    const suite = config.problem === undefined ? usableSuite(provider, config) : undefined;
    if (suite !== undefined) return { config, suite, outerAlpnProtocols: options.outerAlpnProtocols ?? [] };
  }
  const problem = configs.find((config) => config.problem !== undefined)?.problem;
  throw new TlsError(
    'bad-option',
    `ech.configs: no configuration can be used${problem === undefined ? '' : `: ${problem}`}`,
  );
}

function readConfigs(bytes: Uint8Array): EchConfig[] {
  try {
    return parseEchConfigList(bytes);
  } catch (error) {
    throw new TlsError('bad-option', `ech.configs is not an ECHConfigList: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

/** The server's first suite that this side can do, if the key is one. */
function usableSuite(provider: CryptoProvider, config: EchConfig): HpkeSuite | undefined {
  for (const pair of config.cipherSuites) {
    const suite = echSuite(provider, config.kem, pair);
    if (suite === undefined) continue;
    try {
      suite.setupSender(config.publicKey, echInfo(config.bytes));
      return suite;
    } catch (error) {
      if (!(error instanceof CryptoError)) throw error;
      return undefined;
    }
  }
  return undefined;
}
