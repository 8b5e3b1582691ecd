import { constants } from 'node:crypto';
import type { SecureContextOptions as NodeSecureContextOptions, SecureVersion } from 'node:tls';
import { nodeCrypto } from '@testudo/crypto/node';
import type { SecurityLevel } from '@testudo/x509';
import type { CommonConfig } from '../config/config.ts';
import { defaultGroups } from '../config/defaults.ts';
import { legacy } from '../legacy/index.ts';
import type { RenegotiationOptions } from '../options/after-handshake.ts';
import { type CipherSuite, isSuite13, suiteFits } from '../suites/index.ts';
import { VERSIONS, type VersionName } from '../versions.ts';
import { invalidValue } from './arguments.ts';
import { parseCipherList } from './cipher-list.ts';
import {
  DEFAULT_CIPHERS,
  isDefaultList,
  isForServers,
  parseCurves,
  parseSignatureAlgorithms,
} from './ciphers.ts';
import { finiteFieldFor } from './dh-parameters.ts';
import {
  type CommonEngineOptions,
  type EngineOptions,
  readCompressions,
  readRenegotiation,
} from './engine-options.ts';
import { live, nodeOriginals } from './live.ts';
import { DEFAULT_SECURITY_LEVEL, TAKES_NO_CURVES } from './running-node.ts';
import { type StrictOption, strictnessOf } from './strictness.ts';
import { type EnabledVersions, readVersions, type VersionOptions } from './version-options.ts';

/** What `createSecureContext` takes: as `node:tls`. */
export interface SecureContextOptions
  extends Omit<NodeSecureContextOptions, keyof NewerContextOptions>,
    NewerContextOptions,
    EngineOptions {}

/** Those that older types of Node do not have. */
export interface NewerContextOptions {
  /** Take certificates in `ca` that are no roots for the end of a path. Default false: they only help to find one. */
  allowPartialTrustChain?: boolean | undefined;
  /** Names of algorithms for certificates in TLS 1.3 (RFC 8879), by preference. Default: none. */
  certificateCompression?: readonly string[] | null | undefined;
  /**
   * Where to be stricter than `node:tls`: everywhere, or by single switches. Default: nowhere, or as `TESTUDO_STRICT` in
   * the environment says. Not in `node:tls`.
   */
  strict?: StrictOption | undefined;
}

/** The lowest version that is spoken unless an option says more; Node's flags (`--tls-min-v1.3`) count. */
export const DEFAULT_MIN_VERSION: SecureVersion = nodeOriginals.DEFAULT_MIN_VERSION as SecureVersion;
/** The highest version that is spoken unless an option says less. */
export const DEFAULT_MAX_VERSION: SecureVersion = nodeOriginals.DEFAULT_MAX_VERSION as SecureVersion;

/** The options that have a default which programs may replace (`tls.DEFAULT_MIN_VERSION = …`), with it. */
export function withDefaults(
  options: SecureContextOptions,
): Pick<SecureContextOptions, 'ecdhCurve' | 'minVersion' | 'maxVersion'> & { ciphers: string } {
  const defaults = live.tls;
  return {
    ciphers: options.ciphers || (defaults?.DEFAULT_CIPHERS ?? DEFAULT_CIPHERS),
    ecdhCurve: options.ecdhCurve ?? (defaults?.DEFAULT_ECDH_CURVE || 'auto'),
    minVersion: options.minVersion ?? (defaults?.DEFAULT_MIN_VERSION as SecureVersion) ?? DEFAULT_MIN_VERSION,
    maxVersion: options.maxVersion ?? (defaults?.DEFAULT_MAX_VERSION as SecureVersion) ?? DEFAULT_MAX_VERSION,
  };
}

/** What the options say about versions and algorithms, in the engine's terms. */
export interface Negotiation extends CommonEngineOptions {
  readonly minVersion: VersionName;
  readonly maxVersion: VersionName;
  /** What is left of that range: see {@link enabledOnly}. */
  readonly enabled: EnabledVersions;
  /** A client's; undefined for the engine's own policy. */
  readonly cipherSuites: readonly string[] | undefined;
  readonly serverCipherSuites: readonly string[] | undefined;
  /** A client's; undefined where there is none. */
  readonly renegotiation: RenegotiationOptions | undefined;
  readonly serverRenegotiation: RenegotiationOptions | undefined;
  readonly groups: readonly string[] | undefined;
  readonly signatureSchemes: readonly string[] | undefined;
  /** OpenSSL's, for certificates. */
  readonly securityLevel: SecurityLevel;
  readonly usesTickets: boolean;
  readonly encryptThenMac: boolean;
}

/** Reads versions, ciphers, curves and signature algorithms. Throws for what cannot be read. */
export function readNegotiation(options: SecureContextOptions): Negotiation {
  const { sigalgs } = options;
  const { ciphers, ecdhCurve } = withDefaults(options);
  const secureOptions = options.secureOptions ?? 0;
  const names = ciphers.split(':');
  if (!names.some((name) => name !== '')) throw invalidValue('options.ciphers', 'is invalid', names);
  const list = parseCipherList(ciphers, options.legacy !== undefined);
  // With OpenSSL, too, level 0 lets old versions be named, and takes short primes and SHA-1.
  const old = options.legacy ?? (list.securityLevel === 0 ? legacy : undefined);
  const allowsOld = old !== undefined;
  const strictness = strictnessOf(options.strict);
  const renegotiation = readRenegotiation({
    given: options.renegotiation,
    isStrict: strictness.renegotiation,
    secureOptions,
  });
  const enabled = withoutOldSuites(
    readVersions({ ...versionOptions(options), secureOptions, allowsOld }),
    list.suites,
  );
  return {
    ...rangeOf(enabled, list.suites),
    enabled,
    ...suites(list.suites, {
      isDefault: isDefaultList(ciphers) && !enabled.server.some((version) => version < 'TLSv1.2'),
      isStrict: strictness.cipherSuites,
    }),
    groups: groups(ecdhCurve, options.dhparam),
    signatureSchemes: sigalgs ? parseSignatureAlgorithms(sigalgs, allowsOld) : undefined,
    heartbeat: options.heartbeat,
    requireAlpn: options.requireAlpn,
    applicationSettings: options.applicationSettings,
    dangerouslyExportWithoutExtendedMasterSecret: options.dangerouslyExportWithoutExtendedMasterSecret,
    renegotiation: renegotiation.client,
    serverRenegotiation: renegotiation.server,
    certificateCompression: readCompressions(options.certificateCompression),
    securityLevel: list.securityLevel ?? DEFAULT_SECURITY_LEVEL,
    usesTickets: (secureOptions & constants.SSL_OP_NO_TICKET) === 0,
    encryptThenMac: (secureOptions & constants.SSL_OP_NO_ENCRYPT_THEN_MAC) === 0,
    legacy: old,
  };
}

function suites(
  all: readonly CipherSuite[],
  { isDefault, isStrict }: { readonly isDefault: boolean; readonly isStrict: boolean },
): Pick<Negotiation, 'cipherSuites' | 'serverCipherSuites'> {
  if (isDefault && isStrict) return { cipherSuites: undefined, serverCipherSuites: undefined };
  const names = all.map(({ name }) => name);
  if (!isDefault) return { cipherSuites: names, serverCipherSuites: names };
  return { cipherSuites: names, serverCipherSuites: all.filter(isForServers).map(({ name }) => name) };
}

function versionOptions(options: SecureContextOptions): Omit<VersionOptions, 'secureOptions' | 'allowsOld'> {
  const { minVersion, maxVersion } = withDefaults(options);
  const given = options.minVersion ?? options.maxVersion;
  return {
    minVersion: minVersion!,
    maxVersion: maxVersion!,
    given,
    secureProtocol: options.secureProtocol,
  };
}

/** As in Node: a list of TLS 1.3 suites alone switches 1.2 off, and one without any leaves those of 1.3 as they are. */
function withoutOldSuites(enabled: EnabledVersions, suites: readonly CipherSuite[]): EnabledVersions {
  if (!enabled.server.includes('TLSv1.3') || suites.some((suite) => !isSuite13(suite))) return enabled;
  return { client: enabled.client.filter(isNewest), server: enabled.server.filter(isNewest) };
}

const isNewest = (version: VersionName): boolean => version === 'TLSv1.3';

/** What the engine makes a configuration of. Where nothing is left for a handshake, any that has both suites and versions. */
function rangeOf(
  { server }: EnabledVersions,
  suites: readonly CipherSuite[],
): Pick<Negotiation, 'minVersion' | 'maxVersion'> {
  const isUsable = server.some((version) => suites.some((suite) => suiteFits(suite, VERSIONS[version])));
  if (!isUsable) return { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.3' };
  return { minVersion: server[0]!, maxVersion: server.at(-1)! };
}

/** A side's configuration with what the options leave of it: without a version, or a suite, its handshakes fail, as in Node. */
export function enabledOnly<Config extends CommonConfig>(
  config: Config,
  enabled: readonly VersionName[],
): Config {
  const numbers = enabled.map((name) => VERSIONS[name]);
  const versions = config.versions.filter((version) => numbers.includes(version));
  const hasSuites = numbers.length === 0 || versions.length > 0;
  if (versions.length === config.versions.length && hasSuites) return config;
  return hasSuites ? { ...config, versions } : { ...config, cipherSuites: [] };
}

/** An empty list is none to the OpenSSL of newer versions of Node, and an error to older ones. */
function isCurveList(list: string | undefined): list is string {
  return list !== undefined && !(list === '' && TAKES_NO_CURVES);
}

function groups(
  ecdhCurve: string | undefined,
  dhparam: SecureContextOptions['dhparam'],
): readonly string[] | undefined {
  const curves = isCurveList(ecdhCurve) ? parseCurves(ecdhCurve) : undefined;
  const field = finiteFieldFor(dhparam);
  if (field === undefined) return curves;
  return [...(curves ?? defaultGroups(nodeCrypto).map(({ name }) => name)), field];
}
