import type { CryptoProvider } from '@testudo/crypto';
import type { AfterHandshakeOptions, ClientAfterHandshakeOptions } from './after-handshake-options.ts';
import type { CertificateVerifier } from './certificate-verdict.ts';
import type { Credential } from './credential.ts';
import * as defaults from './defaults.ts';
import type { Services } from './driver.ts';
import { type ClientEchConfig, clientEchConfig, type EchOptions } from './ech/client-config.ts';
import { type EchKey, type EchServerKeys, echServerKeys } from './ech/keys.ts';
import type { EchOutcome } from './ech/outcome.ts';
import { TlsError } from './errors.ts';
import {
  type ClientFeatureOptions,
  type ClientFeatures,
  type CommonFeatures,
  clientFeatures,
  type ServerFeatureOptions,
  type ServerFeatures,
  serverFeatures,
} from './features/options.ts';
import { type FiniteField, type Group, groupByName, groupFits } from './groups.ts';
import type { Legacy } from './legacy-feature.ts';
import type { ExternalPsk, PskLookup, PskRequest } from './psk/external-psk.ts';
import { insistsOnPsk } from './psk/required-psk.ts';
import type { RecordCompression } from './record/compression.ts';
import type { CredentialRequest } from './requests.ts';
import { clientServices, serverServices } from './services.ts';
import type { ReplayGuard } from './sessions/replay-guard.ts';
import type { SessionStore } from './sessions/session-store.ts';
import type { TicketSealer } from './sessions/ticket-keys.ts';
import { type SignatureScheme, signatureSchemeByName } from './signature-schemes.ts';
import { type CipherSuite, cipherSuiteByName, suiteAvailable, suiteFits } from './suites.ts';
import { finiteFieldsOf } from './tls12/key-exchange/dhe.ts';
import { rules12, type VersionRules } from './tls12/version-rules.ts';
import { TLS12, TLS13, type Version, type VersionName, versionName, versionsBetween } from './versions.ts';

/** What client and server have in common. Names are those of IANA or OpenSSL. */
export interface CommonOptions extends AfterHandshakeOptions {
  readonly provider: CryptoProvider;
  /** Makes dangerous old versions and suites available to those who name them. Default: none. */
  readonly legacy?: Legacy | undefined;
  /** Default `TLSv1.2`. Older ones need `legacy`. */
  readonly minVersion?: VersionName | undefined;
  /** Default `TLSv1.3`. */
  readonly maxVersion?: VersionName | undefined;
  /**
   * Take suites in which nobody shows who he is (DH_anon, ECDH_anon), so that anyone may sit between the two sides. They
   * must be named in `cipherSuites`, and need `legacy`. Default false.
   */
  readonly dangerouslyAllowAnonymous?: boolean | undefined;
  /** By preference. Default: see `defaults.ts`. */
  readonly cipherSuites?: readonly string[] | undefined;
  /**
   * By preference. Default: X25519MLKEM768, x25519, secp256r1, secp384r1, secp521r1; x25519 first where the provider
   * has no native ML-KEM.
   */
  readonly groups?: readonly string[] | undefined;
  /** By preference. Default: ECDSA, EdDSA, RSA-PSS, and RSA PKCS#1 v1.5 for TLS 1.2. */
  readonly signatureSchemes?: readonly string[] | undefined;
  /** Milliseconds since 1970. Default `Date.now`. */
  readonly now?: (() => number) | undefined;
  /** Zeros to add to a record of this many bytes (TLS 1.3 only, RFC 9846 §5.4); they are cut to what fits. Default: none. */
  readonly padding?: ((length: number) => number) | undefined;
  /** Most plaintext bytes in a record that is sent, 64 to 16,384. Default 16,384. */
  readonly maxFragmentLength?: number | undefined;
  /**
   * TLS 1.0 and SSL 3.0 with CBC: do not send the first byte of application data in a record of its own. That opens the
   * door to BEAST, and is for those who show it. Default false.
   */
  readonly dangerouslyNoRecordSplitting?: boolean | undefined;
  /**
   * Compress records with peers that know how (RFC 3749), which lets who sees their lengths guess what is in them (CRIME):
   * `deflate` of `@testudo/tls/legacy/compression`. Only with a `maxVersion` up to TLS 1.2; such sessions are not resumed.
   * Default: never.
   */
  readonly dangerousCompression?: RecordCompression | undefined;
  /** Use encrypt_then_mac (RFC 7366) with peers that know it. Default true. */
  readonly encryptThenMac?: boolean | undefined;
  /** Longest Certificate message that is taken, in bytes. Default 102,400. */
  readonly maxCertificateMessage?: number | undefined;
  /**
   * Memory for records that are sent, of this many bytes; it need not be zeroed, all of it is written. Default
   * `new Uint8Array`.
   */
  readonly allocate?: ((length: number) => Uint8Array) | undefined;
  /** Records after which a key is replaced by a KeyUpdate, if the AEAD's own limit is not lower. Default: that limit. */
  readonly keyUpdateAfter?: number | undefined;
}

export interface ClientOptions extends CommonOptions, ClientAfterHandshakeOptions, ClientFeatureOptions {
  /** Decides on the server's certificate. */
  readonly verifyCertificate: CertificateVerifier;
  /** Application protocols by preference (ALPN). Default: none. */
  readonly alpnProtocols?: readonly string[] | undefined;
  /**
   * Groups for which ClientHello holds a share; with none the server has to ask for one, which costs a round trip.
   * Default: the first of `groups`, and x25519 if that is the hybrid.
   */
  readonly keyShareGroups?: readonly string[] | undefined;
  /** What to show a server that asks for a certificate; the first that fits is used. Default: none. */
  readonly credentials?:
    | readonly Credential[]
    | ((request: CredentialRequest) => readonly Credential[] | Promise<readonly Credential[]>)
    | undefined;
  /** Keys that this client shares with the server (PSK), by preference; chosen when the server's hint is known. Default: none. */
  readonly psks?:
    | readonly ExternalPsk[]
    | ((request: PskRequest) => readonly ExternalPsk[] | Promise<readonly ExternalPsk[]>)
    | undefined;
  /**
   * Say that this is another try with an older `maxVersion` than this client knows, after one that failed: a server that
   * knows a newer one then refuses, since somebody else may have made the first one fail (RFC 7507). Default false.
   */
  readonly fallback?: boolean | undefined;
  /**
   * Encrypted Client Hello (RFC 9849): hides the name and the rest of the hello from everyone but the server; TLS 1.3 only.
   * A server that cannot read it ends the connection with `ech-rejected`, never with a name in the clear. `grease` sends
   * something that only looks like it. Default: neither.
   */
  readonly ech?: EchOptions | 'grease' | undefined;
  /** Ask for a stapled OCSP response. Default true. */
  readonly requestOcsp?: boolean | undefined;
  /** Take a TLS 1.2 server without extended master secret (RFC 7627). Default true: some are left. */
  readonly allowNoExtendedMasterSecret?: boolean | undefined;
}

/** What a server knows of a client when it chooses a certificate and a protocol. */
export interface ClientHelloInfo {
  /** The name in SNI, lower case; undefined when there was none. */
  readonly serverName: string | undefined;
  readonly alpnProtocols: readonly string[];
  /** Numbers, in the client's order. */
  readonly cipherSuites: readonly number[];
  readonly signatureSchemes: readonly number[];
  /** What it can verify in certificates (signature_algorithms_cert); as `signatureSchemes` when it does not say. */
  readonly certificateSignatureSchemes: readonly number[];
  readonly supportedVersions: readonly number[];
  /**
   * What became of Encrypted Client Hello. `accepted`: all this is from the inner hello, but for `message` and the
   * fingerprints, which are those of the outer one.
   */
  readonly ech: EchOutcome;
  /** Distinguished names (DER) of the CAs it trusts; empty when it does not say. */
  readonly certificateAuthorities: readonly Uint8Array[];
  /** The first ClientHello as it came, handshake header included. */
  readonly message: Uint8Array;
  /** JA3 fingerprint, worked out when it is asked for. */
  readonly ja3: string;
  /** JA4 fingerprint, worked out when it is asked for. */
  readonly ja4: string;
}

export type CredentialChooser = (
  hello: ClientHelloInfo,
) => readonly Credential[] | Promise<readonly Credential[]>;

export interface ServerOptions extends CommonOptions, ServerFeatureOptions {
  /** The credentials, or what chooses them by name. The first that fits the client is used. */
  readonly credentials: readonly Credential[] | CredentialChooser;
  /** The key that a client names (PSK). Default: none is known. */
  readonly findPsk?:
    | ((lookup: PskLookup) => ExternalPsk | undefined | Promise<ExternalPsk | undefined>)
    | undefined;
  /** Up to TLS 1.2: tells a client which of its keys to name (RFC 4279 §5.2). Default: nothing. */
  readonly pskIdentityHint?: Uint8Array | undefined;
  /**
   * Keys for Encrypted Client Hello (RFC 9849): new ones, and old ones that clients may still have. `credentials` must hold
   * a certificate for each public name. Default: none; then what clients send of it is passed over.
   */
  readonly echKeys?: readonly EchKey[] | undefined;
  /** Try all keys, whatever key the client says that it used: for clients that hide it. Costs time. Default false. */
  readonly echTrialDecryption?: boolean | undefined;
  /**
   * Take inner hellos as they are: for a server behind another one that decrypts them (split mode, RFC 9849 §7.2). Default
   * false: nobody else may send them.
   */
  readonly echBackend?: boolean | undefined;
  /**
   * Application protocols by preference (ALPN); or a chooser. Without a common one the handshake fails; a chooser that
   * answers null goes on without a protocol. Default: none.
   */
  readonly alpnProtocols?:
    | readonly string[]
    | ((hello: ClientHelloInfo) => string | null | undefined | Promise<string | null | undefined>)
    | undefined;
  /** `none`, `request`, or `require`: then a client without one is refused. Default `none`. */
  readonly clientCertificate?: 'none' | 'request' | 'require' | undefined;
  /** Decides on the client's certificate; this or `verifyRawPublicKey` is needed unless `clientCertificate` is `none`. */
  readonly verifyCertificate?: CertificateVerifier | undefined;
  /** Distinguished names (DER) of the CAs that may have issued the client's certificate. Default: not said. */
  readonly certificateAuthorities?: readonly Uint8Array[] | undefined;
  /** Seals tickets; false for none. Default: none is given, no tickets. */
  readonly tickets?: TicketSealer | false | undefined;
  /**
   * Take early data (0-RTT). It has no forward secrecy, and a copy of it may reach another server that shares the ticket
   * keys (RFC 9846 §8). Default: refused.
   */
  readonly earlyData?: EarlyDataOptions | undefined;
  /** Tickets after a full TLS 1.3 handshake, 0 to 8. Default 2. One that resumes is followed by one at most. */
  readonly ticketCount?: number | undefined;
  /**
   * A client that resumes gets a ticket for the one that it has used up. False leaves it with those it has, and sessions then
   * end with the lifetime of the first. Default true.
   */
  readonly renewTickets?: boolean | undefined;
  /** Keeps TLS 1.2 sessions by ID. Default: none. */
  readonly sessionStore?: SessionStore | undefined;
  /** Seconds for which a session can be resumed, at most 604,800. Default 86,400. */
  readonly sessionLifetime?: number | undefined;
  /** Follow our order of suites and groups rather than the client's. Default true. */
  readonly preferServerOrder?: boolean | undefined;
  /** Serve a TLS 1.2 client without extended master secret. Default true. */
  readonly allowNoExtendedMasterSecret?: boolean | undefined;
}

export interface EarlyDataOptions {
  /** Most bytes in one connection, 1 to 2^32 - 1. Default 16,384. */
  readonly maxBytes?: number | undefined;
  /** Default: a {@link MemoryReplayGuard} of this configuration. Servers that share ticket keys must share one. */
  readonly replayGuard?: ReplayGuard | undefined;
  /**
   * Milliseconds by which the age of a ticket, as the client states it, may differ from what we see (RFC 9846 §8.3), up to
   * 600,000: a replay guard has to remember for twice as long. Default 10,000.
   */
  readonly ageTolerance?: number | undefined;
  /** Decides for one connection. Default: accepted. */
  readonly accept?: ((hello: ClientHelloInfo) => boolean | Promise<boolean>) | undefined;
}

/** Options after checking, with everything that does not change from one connection to the next worked out. */
export interface CommonConfig {
  readonly provider: CryptoProvider;
  readonly versions: readonly Version[];
  /** What each version up to 1.2 has of its own. */
  readonly rules: ReadonlyMap<Version, VersionRules>;
  readonly legacy: Legacy | undefined;
  readonly cipherSuites: readonly CipherSuite[];
  readonly groups: readonly Group[];
  /** Those for key shares of TLS 1.3. */
  readonly groups13: readonly Group[];
  /** For DHE, by preference. */
  readonly finiteFields: readonly FiniteField[];
  /** Whether there may be shared keys. */
  readonly hasPsks: boolean;
  readonly signatureSchemes: readonly SignatureScheme[];
  readonly signatureSchemeIds: readonly number[];
  /** Those that TLS 1.2 has. */
  readonly signatureSchemes12: readonly SignatureScheme[];
  /** Those that may sign a handshake of TLS 1.3. */
  readonly signatureSchemes13: readonly SignatureScheme[];
  /** Those of them with which servers may sign. */
  readonly serverSchemes13: readonly SignatureScheme[];
  readonly now: () => number;
  readonly padding: ((length: number) => number) | undefined;
  readonly allocate: (length: number) => Uint8Array;
  readonly splitsRecords: boolean;
  readonly fragmentLength: number;
  readonly limits: { readonly handshakeMessage: number; readonly certificateMessage: number };
  readonly keyUpdateAfter: number;
  readonly exposesSecrets: boolean;
  readonly features: CommonFeatures;
}

export interface ClientConfig extends CommonConfig {
  readonly options: ClientOptions;
  readonly services: Services;
  readonly keyShareGroups: readonly Group[];
  readonly features: ClientFeatures;
  readonly ech: ClientEchConfig | undefined;
}

export interface ServerConfig extends CommonConfig {
  readonly options: ServerOptions;
  readonly services: Services;
  readonly features: ServerFeatures;
  readonly ticketCount: number;
  readonly sessionLifetime: number;
  /** Undefined without keys. */
  readonly ech: EchServerKeys | undefined;
  /** Bytes; 0 where none is taken. */
  readonly maxEarlyData: number;
  /** Milliseconds. */
  readonly earlyDataAgeTolerance: number;
}

/** Checks a client's options once, for many connections. Throws `bad-option`. */
export function clientConfig(options: ClientOptions): ClientConfig {
  const common = commonConfig(
    insistsOnPsk(options) ? { ...options, minVersion: 'TLSv1.3' } : options,
    options.psks !== undefined,
  );
  const keyShareGroups =
    options.keyShareGroups === undefined
      ? defaults.defaultKeyShareGroups(common.groups13)
      : options.keyShareGroups.length === 0
        ? []
        : named('group', options.keyShareGroups, groupByName);
  if (keyShareGroups.some((group) => !common.groups13.includes(group))) {
    throw new TlsError('bad-option', 'keyShareGroups must be among groups, and known to TLS 1.3');
  }
  const known = common.versions.includes(TLS13) ? common.signatureSchemes : common.signatureSchemes12;
  const toVerify = known.filter(({ isForClients }) => isForClients !== true);
  if (toVerify.length === 0)
    throw new TlsError('bad-option', 'signatureSchemes has none that servers sign with');
  checkProtocols(options.alpnProtocols);
  const ech = clientEchConfig(options.provider, options.ech);
  if (typeof ech === 'object') {
    checkProtocols(ech.outerAlpnProtocols);
    needTls13('ech', common);
  }
  return {
    ...common,
    signatureSchemeIds: toVerify.map(({ id }) => id),
    options,
    services: clientServices(options),
    keyShareGroups,
    features: clientFeatures(options),
    ech,
  };
}

/** Checks a server's options once, for many connections. Throws `bad-option`. */
export function serverConfig(options: ServerOptions): ServerConfig {
  const { credentials, findPsk } = options;
  const needsNone = findPsk !== undefined || options.dangerouslyAllowAnonymous === true;
  if (typeof credentials !== 'function' && credentials.length === 0 && !needsNone) {
    throw new TlsError(
      'bad-option',
      'a server needs a certificate with its key: give credentials, or findPsk',
    );
  }
  const verifies = options.verifyCertificate !== undefined || options.verifyRawPublicKey !== undefined;
  if ((options.clientCertificate ?? 'none') !== 'none' && !verifies) {
    throw new TlsError('bad-option', 'a server that asks for client certificates needs verifyCertificate');
  }
  if (typeof options.alpnProtocols !== 'function') checkProtocols(options.alpnProtocols);
  const common = commonConfig(options, findPsk !== undefined);
  const { echKeys } = options;
  if (echKeys !== undefined) needTls13('echKeys', common);
  return {
    ...common,
    options,
    services: serverServices(options),
    features: serverFeatures(options),
    ech: echKeys === undefined ? undefined : echServerKeys(options.provider, echKeys),
    maxEarlyData: maxEarlyData(options.earlyData),
    earlyDataAgeTolerance: ageTolerance(options.earlyData),
    ticketCount: inRange('ticketCount', options.ticketCount ?? defaults.DEFAULT_TICKET_COUNT, 0, 8),
    sessionLifetime: inRange(
      'sessionLifetime',
      options.sessionLifetime ?? defaults.DEFAULT_SESSION_LIFETIME,
      0,
      604_800,
    ),
  };
}

function commonConfig(options: CommonOptions, hasPsks: boolean): Omit<CommonConfig, 'features'> {
  const { provider, legacy } = options;
  const rules = new Map([rules12, ...(legacy?.rules ?? [])].map((each) => [each.version, each]));
  const { versions, cipherSuites } = versionsAndSuites(options, rules);
  const groups =
    options.groups === undefined
      ? defaults.defaultGroups(provider)
      : named('group', options.groups, groupByName);
  // A group that none of the versions has would only show what this side could do otherwise.
  const fitting = groups.filter((group) => versions.some((version) => groupFits(group, version)));
  const usableGroups = fitting.length > 0 ? fitting : groups;
  const missing = groups.find((group) => !group.available(provider));
  if (missing !== undefined) {
    throw new TlsError('bad-option', `the ${provider.name} provider cannot do ${missing.name}: leave it out`);
  }
  const signatureSchemes =
    options.signatureSchemes === undefined
      ? defaults.defaultSignatureSchemes()
      : named('signature scheme', options.signatureSchemes, signatureSchemeByName);
  const legacyScheme = signatureSchemes.find((scheme) => scheme.isLegacy);
  if (legacyScheme !== undefined && legacy === undefined) {
    throw new TlsError(
      'bad-option',
      `${legacyScheme.name} can be forged: to accept it anyway, give legacy from @testudo/tls/legacy`,
    );
  }
  return {
    provider,
    versions,
    rules,
    legacy,
    cipherSuites,
    groups: usableGroups,
    groups13: groups.filter((group) => groupFits(group, TLS13)),
    finiteFields: finiteFieldsOf(groups).filter((field) => field.available(provider)),
    hasPsks,
    signatureSchemes,
    signatureSchemeIds: signatureSchemes.map((scheme) => scheme.id),
    signatureSchemes12: signatureSchemes.filter((scheme) => scheme.tls12),
    signatureSchemes13: signatureSchemes.filter((scheme) => scheme.tls13),
    serverSchemes13: signatureSchemes.filter((scheme) => scheme.tls13 && scheme.isForClients !== true),
    now: options.now ?? Date.now,
    padding: options.padding,
    allocate: options.allocate ?? zeroed,
    splitsRecords: options.dangerouslyNoRecordSplitting !== true,
    fragmentLength: inRange('maxFragmentLength', options.maxFragmentLength ?? 16_384, 64, 16_384),
    limits: {
      handshakeMessage: defaults.MAX_HANDSHAKE_MESSAGE,
      certificateMessage: inRange(
        'maxCertificateMessage',
        options.maxCertificateMessage ?? defaults.MAX_CERTIFICATE_MESSAGE,
        1024,
        0xffffff,
      ),
    },
    exposesSecrets: options.exposeSecrets === true,
    keyUpdateAfter: inRange('keyUpdateAfter', options.keyUpdateAfter ?? 2 ** 48, 1, 2 ** 48),
  };
}

function versionsAndSuites(
  options: CommonOptions,
  rules: ReadonlyMap<Version, VersionRules>,
): Pick<CommonConfig, 'versions' | 'cipherSuites'> {
  const { provider, legacy } = options;
  const min = options.minVersion ?? defaults.DEFAULT_MIN_VERSION;
  const between = versionsBetween(min, options.maxVersion ?? defaults.DEFAULT_MAX_VERSION);
  const old = between.find((version) => version < TLS12 && !rules.has(version));
  if (old !== undefined) {
    throw new TlsError(
      'bad-option',
      `${versionName(old)} is broken: to use it anyway, give legacy from @testudo/tls/legacy`,
    );
  }
  const cipherSuites =
    options.cipherSuites === undefined
      ? defaults.defaultCipherSuites(provider)
      : named('cipher suite', options.cipherSuites, cipherSuiteByName);
  for (const suite of cipherSuites) {
    if (suite.isLegacy && legacy === undefined) {
      throw new TlsError(
        'bad-option',
        `${suite.name} protects nothing: to use it anyway, give legacy from @testudo/tls/legacy`,
      );
    }
    if (suite.authentication === 'anon' && options.dangerouslyAllowAnonymous !== true) {
      throw new TlsError('bad-option', `${suite.name} needs dangerouslyAllowAnonymous`);
    }
    if (!suiteAvailable(suite, provider)) {
      throw new TlsError('bad-option', `the ${provider.name} provider cannot do ${suite.name}: leave it out`);
    }
  }
  if (options.dangerousCompression !== undefined && between.includes(TLS13))
    throw new TlsError('bad-option', 'dangerousCompression needs a maxVersion of TLSv1.2: TLS 1.3 has none');
  const versions = between.filter((version) => cipherSuites.some((suite) => suiteFits(suite, version)));
  if (versions.length === 0) {
    throw new TlsError('bad-option', 'none of the cipher suites belongs to one of the versions');
  }
  const usable = (suite: CipherSuite) => versions.some((version) => suiteFits(suite, version));
  return { versions, cipherSuites: cipherSuites.filter(usable) };
}

function maxEarlyData(options: EarlyDataOptions | undefined): number {
  if (options === undefined) return 0;
  const most = options.maxBytes ?? defaults.DEFAULT_MAX_EARLY_DATA;
  return inRange('earlyData.maxBytes', most, 1, 2 ** 32 - 1);
}

function ageTolerance(options: EarlyDataOptions | undefined): number {
  const tolerance = options?.ageTolerance ?? defaults.EARLY_DATA_AGE_TOLERANCE;
  return inRange('earlyData.ageTolerance', tolerance, 0, 600_000);
}

function needTls13(option: string, { versions }: Pick<CommonConfig, 'versions'>): void {
  if (!versions.includes(TLS13)) throw new TlsError('bad-option', `${option} needs TLS 1.3`);
}

function zeroed(length: number): Uint8Array {
  return new Uint8Array(length);
}

function named<T>(what: string, names: readonly string[], find: (name: string) => T | undefined): T[] {
  if (names.length === 0) throw new TlsError('bad-option', `at least one ${what} is needed`);
  return names.map((name) => {
    const found = find(name);
    if (found === undefined) throw new TlsError('bad-option', `no ${what} is called ${name}`);
    return found;
  });
}

function inRange(name: string, value: number, min: number, max: number): number {
  if (value >= min && value <= max) return Math.floor(value);
  throw new TlsError('bad-option', `${name} must be from ${min} to ${max}, not ${value}`);
}

function checkProtocols(protocols: readonly string[] | undefined): void {
  for (const protocol of protocols ?? []) {
    if (protocol.length >= 1 && protocol.length <= 255) continue;
    throw new TlsError('bad-option', 'an ALPN protocol name has 1 to 255 bytes');
  }
}
