import { type RenegotiationSettings, renegotiationSettings } from '../options/after-handshake.ts';
import type { ClientOptions } from '../options/client.ts';
import type { CommonOptions } from '../options/common.ts';
import type { CommonFeatureOptions } from '../options/features.ts';
import type { ServerOptions } from '../options/server.ts';
import { checkedProtocols } from './checks.ts';
import { MAX_REFUSED_RENEGOTIATIONS } from './defaults.ts';

// Options that a handshake reads as they were given, with their defaults in place. Names and meanings are those of the
// options; what is worked out of options stands beside them in the configuration.

/** Those of both sides. */
export interface CommonSettings
  extends Filled<
      CommonOptions & CommonFeatureOptions,
      | 'requireAlpn'
      | 'encryptThenMac'
      | 'dangerouslyAllowAnonymous'
      | 'requireSecureRenegotiation'
      | 'maxRefusedRenegotiations'
      | 'dangerouslyExportWithoutExtendedMasterSecret'
    >,
    AsGiven<CommonOptions & CommonFeatureOptions, 'dangerousCompression' | 'recordSizeLimit'> {
  /** Undefined where renegotiation is refused. */
  readonly renegotiation: RenegotiationSettings | undefined;
}

/** A client's. */
export interface ClientSettings
  extends Filled<
      ClientOptions,
      | 'requirePsk'
      | 'fallback'
      | 'sessionTickets'
      | 'requestOcsp'
      | 'requestOcspChain'
      | 'requestTimestamps'
      | 'postHandshakeAuth'
      | 'falseStart'
      | 'allowNoExtendedMasterSecret'
      | 'alpnProtocols'
      | 'certificateAuthorities'
    >,
    AsGiven<ClientOptions, 'extensionOrder' | 'helloPadding' | 'npn' | 'trustAnchors'> {}

/** A server's. */
export interface ServerSettings
  extends Filled<
      ServerOptions,
      | 'clientCertificate'
      | 'echBackend'
      | 'echTrialDecryption'
      | 'java11Workaround'
      | 'acknowledgeServerName'
      | 'grease'
      | 'oidFilters'
      | 'requestOcsp'
      | 'requestTimestamps'
      | 'renewTickets'
      | 'resumptionAcrossNames'
      | 'allowNoExtendedMasterSecret'
      | 'preferServerOrder'
      | 'tickets'
    >,
    AsGiven<
      ServerOptions,
      | 'retryCookies'
      | 'serverNames'
      | 'npn'
      | 'sessionStore'
      | 'pskIdentityHint'
      | 'certificateAuthorities'
      | 'ssl2Hello'
    > {
  /** Somebody chooses among the protocols that a client offers (ALPN). */
  readonly choosesProtocol: boolean;
}

/** Those that have a default. */
type Filled<O, K extends keyof O> = { readonly [P in K]-?: Exclude<O[P], undefined> };
/** Those that may be absent. */
type AsGiven<O, K extends keyof O> = { readonly [P in K]: O[P] | undefined };

function commonSettings(options: CommonOptions & CommonFeatureOptions): CommonSettings {
  return {
    requireAlpn: options.requireAlpn ?? false,
    encryptThenMac: options.encryptThenMac ?? true,
    dangerouslyAllowAnonymous: options.dangerouslyAllowAnonymous ?? false,
    requireSecureRenegotiation: options.requireSecureRenegotiation ?? false,
    maxRefusedRenegotiations: options.maxRefusedRenegotiations ?? MAX_REFUSED_RENEGOTIATIONS,
    dangerouslyExportWithoutExtendedMasterSecret:
      options.dangerouslyExportWithoutExtendedMasterSecret ?? false,
    dangerousCompression: options.dangerousCompression,
    recordSizeLimit: options.recordSizeLimit,
    renegotiation: renegotiationSettings(options),
  };
}

export function clientSettings(options: ClientOptions): CommonSettings & ClientSettings {
  return {
    ...commonSettings(options),
    requirePsk: options.requirePsk ?? false,
    fallback: options.fallback ?? false,
    sessionTickets: options.sessionTickets ?? true,
    requestOcsp: options.requestOcsp ?? true,
    requestOcspChain: options.requestOcspChain ?? false,
    requestTimestamps: options.requestTimestamps ?? false,
    postHandshakeAuth: options.postHandshakeAuth ?? false,
    falseStart: options.falseStart ?? false,
    allowNoExtendedMasterSecret: options.allowNoExtendedMasterSecret ?? true,
    alpnProtocols: checkedProtocols(options.alpnProtocols),
    certificateAuthorities: options.certificateAuthorities ?? [],
    extensionOrder: options.extensionOrder,
    helloPadding: options.helloPadding,
    npn: options.npn,
    trustAnchors: options.trustAnchors,
  };
}

export function serverSettings(options: ServerOptions): CommonSettings & ServerSettings {
  return {
    ...commonSettings(options),
    clientCertificate: options.clientCertificate ?? 'none',
    echBackend: options.echBackend ?? false,
    echTrialDecryption: options.echTrialDecryption ?? false,
    java11Workaround: options.java11Workaround ?? false,
    acknowledgeServerName: options.acknowledgeServerName ?? true,
    grease: options.grease ?? false,
    oidFilters: options.oidFilters ?? [],
    requestOcsp: options.requestOcsp ?? false,
    requestTimestamps: options.requestTimestamps ?? false,
    renewTickets: options.renewTickets ?? true,
    resumptionAcrossNames: options.resumptionAcrossNames ?? false,
    allowNoExtendedMasterSecret: options.allowNoExtendedMasterSecret ?? true,
    preferServerOrder: options.preferServerOrder ?? true,
    tickets: options.tickets ?? false,
    retryCookies: options.retryCookies,
    serverNames: options.serverNames,
    npn: options.npn,
    sessionStore: options.sessionStore,
    pskIdentityHint: options.pskIdentityHint,
    certificateAuthorities: options.certificateAuthorities,
    ssl2Hello: options.ssl2Hello,
    choosesProtocol: options.alpnProtocols !== undefined,
  };
}
