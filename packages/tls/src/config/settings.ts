import { TlsError } from '../errors.ts';
import type { AfterHandshakeOptions } from '../options/after-handshake.ts';
import type { ClientOptions } from '../options/client.ts';
import type { CommonOptions } from '../options/common.ts';
import type { CommonFeatureOptions } from '../options/features.ts';
import type { ServerOptions } from '../options/server.ts';
import { checkedProtocols, flag, oneOf } from './checks.ts';
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

/** The option `renegotiation`. */
export interface RenegotiationSettings {
  readonly byPeer: boolean;
  readonly limit: number;
  readonly window: number;
  readonly allowsOtherPeer: boolean;
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
    requireAlpn: flag(options, 'requireAlpn', false),
    encryptThenMac: flag(options, 'encryptThenMac', true),
    dangerouslyAllowAnonymous: flag(options, 'dangerouslyAllowAnonymous', false),
    requireSecureRenegotiation: flag(options, 'requireSecureRenegotiation', false),
    maxRefusedRenegotiations: options.maxRefusedRenegotiations ?? MAX_REFUSED_RENEGOTIATIONS,
    dangerouslyExportWithoutExtendedMasterSecret: flag(
      options,
      'dangerouslyExportWithoutExtendedMasterSecret',
      false,
    ),
    dangerousCompression: options.dangerousCompression,
    recordSizeLimit: options.recordSizeLimit,
    renegotiation: renegotiationSettings(options),
  };
}

/** Undefined where renegotiation is refused. */
function renegotiationSettings({ renegotiation }: AfterHandshakeOptions): RenegotiationSettings | undefined {
  if (renegotiation === undefined || renegotiation === false) return undefined;
  const options = renegotiation === true ? {} : renegotiation;
  return {
    byPeer: options.byPeer ?? true,
    // Asked for each time: whoever gives them may change his mind.
    get limit() {
      return options.limit ?? 3;
    },
    get window() {
      return options.window ?? 600;
    },
    allowsOtherPeer: options.dangerouslyAllowOtherPeer ?? false,
  };
}

/** Throws `bad-option`. */
export function clientSettings(options: ClientOptions): CommonSettings & ClientSettings {
  return {
    ...commonSettings(options),
    requirePsk: flag(options, 'requirePsk', false),
    fallback: flag(options, 'fallback', false),
    sessionTickets: flag(options, 'sessionTickets', true),
    requestOcsp: flag(options, 'requestOcsp', true),
    requestOcspChain: flag(options, 'requestOcspChain', false),
    requestTimestamps: flag(options, 'requestTimestamps', false),
    postHandshakeAuth: flag(options, 'postHandshakeAuth', false),
    falseStart: oneOf('falseStart', options.falseStart, [true, false, 'any-server'], false),
    allowNoExtendedMasterSecret: flag(options, 'allowNoExtendedMasterSecret', true),
    alpnProtocols: checkedProtocols(options.alpnProtocols),
    certificateAuthorities: options.certificateAuthorities ?? [],
    extensionOrder: options.extensionOrder,
    helloPadding: options.helloPadding,
    npn: options.npn,
    trustAnchors: options.trustAnchors,
  };
}

/** Throws `bad-option`. */
export function serverSettings(options: ServerOptions): CommonSettings & ServerSettings {
  return {
    ...commonSettings(options),
    clientCertificate: oneOf(
      'clientCertificate',
      options.clientCertificate,
      ['none', 'request', 'require'],
      'none',
    ),
    echBackend: flag(options, 'echBackend', false),
    echTrialDecryption: flag(options, 'echTrialDecryption', false),
    java11Workaround: flag(options, 'java11Workaround', false),
    acknowledgeServerName: flag(options, 'acknowledgeServerName', true),
    grease: flag(options, 'grease', false),
    oidFilters: options.oidFilters ?? [],
    requestOcsp: flag(options, 'requestOcsp', false),
    requestTimestamps: flag(options, 'requestTimestamps', false),
    renewTickets: flag(options, 'renewTickets', true),
    resumptionAcrossNames: flag(options, 'resumptionAcrossNames', false),
    allowNoExtendedMasterSecret: flag(options, 'allowNoExtendedMasterSecret', true),
    preferServerOrder: flag(options, 'preferServerOrder', true),
    tickets: ticketSealer(options.tickets),
    retryCookies: options.retryCookies,
    serverNames: options.serverNames,
    npn: options.npn,
    pskIdentityHint: options.pskIdentityHint,
    ssl2Hello: options.ssl2Hello,
    ...askedSettings(options),
  };
}

/** A server's that follow from whom it asks, which may be each connection's own. */
export function askedSettings({
  sessionStore,
  certificateAuthorities,
  alpnProtocols,
}: ServerOptions): Pick<ServerSettings, 'sessionStore' | 'certificateAuthorities' | 'choosesProtocol'> {
  return { sessionStore, certificateAuthorities, choosesProtocol: alpnProtocols !== undefined };
}

/** Throws `bad-option` for what seals nothing. */
function ticketSealer(tickets: ServerOptions['tickets']): ServerSettings['tickets'] {
  if (tickets === undefined || tickets === false) return false;
  if (typeof tickets === 'object' && typeof tickets?.seal === 'function') return tickets;
  throw new TlsError('bad-option', 'tickets must be false, or what seals them: new TicketKeys(provider)');
}
