import { echServerKeys } from '../ech/keys.ts';
import { TlsError } from '../errors.ts';
import type { EarlyDataOptions, ServerOptions } from '../options/server.ts';
import { checkedProtocols, inRange, needTls13 } from './checks.ts';
import { commonConfig } from './common.ts';
import type { ServerConfig } from './config.ts';
import * as defaults from './defaults.ts';
import { serverFeatures } from './features.ts';
import { serverServices } from './services.ts';
import { askedSettings, serverSettings } from './settings.ts';

/** Checks a server's options once, for many connections. Throws `bad-option`. */
export function serverConfig(options: ServerOptions): ServerConfig {
  const { credentials, findPsk } = options;
  const settings = serverSettings(options);
  const needsNone = findPsk !== undefined || options.dangerouslyAllowAnonymous === true;
  if (typeof credentials !== 'function' && credentials.length === 0 && !needsNone) {
    throw new TlsError(
      'bad-option',
      'a server needs a certificate with its key: give credentials, or findPsk',
    );
  }
  const verifies = options.verifyCertificate !== undefined || options.verifyRawPublicKey !== undefined;
  if (settings.clientCertificate !== 'none' && !verifies) {
    throw new TlsError('bad-option', 'a server that asks for client certificates needs verifyCertificate');
  }
  if (typeof options.alpnProtocols !== 'function') checkedProtocols(options.alpnProtocols);
  const common = commonConfig(options, findPsk !== undefined);
  const { echKeys } = options;
  if (echKeys !== undefined) needTls13('echKeys', common);
  return {
    ...common,
    ...settings,
    options,
    services: serverServices(options),
    features: serverFeatures(options, settings),
    echServerKeys: echKeys === undefined ? undefined : echServerKeys(options.provider, echKeys),
    maxEarlyData: maxEarlyData(options.earlyData),
    earlyDataAgeTolerance: ageTolerance(options.earlyData),
    ticketCount: inRange('ticketCount', options.ticketCount ?? defaults.DEFAULT_TICKET_COUNT, 0, 8),
    sessionLifetime: inRange(
      'sessionLifetime',
      options.sessionLifetime ?? defaults.DEFAULT_SESSION_LIFETIME,
      0,
      defaults.MAX_SESSION_LIFETIME,
    ),
  };
}

/**
 * The same configuration for one connection, where others are asked: who chooses the credentials, the protocol and the key, keeps
 * sessions, and judges. What is negotiated stays as it is.
 */
export function withOthersAsked(config: ServerConfig, others: AskedOptions): ServerConfig {
  const options = { ...config.options, ...others };
  return { ...config, ...askedSettings(options), options, services: serverServices(options) };
}

/** The options that ask somebody. */
export type AskedOptions = Partial<
  Pick<
    ServerOptions,
    | 'credentials'
    | 'alpnProtocols'
    | 'findPsk'
    | 'sessionStore'
    | 'verifyCertificate'
    | 'certificateAuthorities'
  >
>;

function maxEarlyData(options: EarlyDataOptions | undefined): number {
  if (options === undefined) return 0;
  const most = options.maxBytes ?? defaults.DEFAULT_MAX_EARLY_DATA;
  return inRange('earlyData.maxBytes', most, 1, 2 ** 32 - 1);
}

function ageTolerance(options: EarlyDataOptions | undefined): number {
  const tolerance = options?.ageTolerance ?? defaults.EARLY_DATA_AGE_TOLERANCE;
  return inRange('earlyData.ageTolerance', tolerance, 0, 600_000);
}
