import { constants } from 'node:crypto';
import { systemCrypto } from '@testudo/crypto/openssl';
import type { SecurityLevel } from '@testudo/x509';
import type { CommonConfig } from '../../config/config.ts';
import { defaultGroups } from '../../config/defaults.ts';
import { legacy } from '../../legacy/index.ts';
import type { ClientOptions } from '../../options/client.ts';
import type { ServerOptions } from '../../options/server.ts';
import { type CipherSuite, isSuite13, suiteFits } from '../../suites/index.ts';
import { VERSIONS, type VersionName } from '../../versions.ts';
import { DEFAULT_SECURITY_LEVEL, TAKES_NO_CURVES } from '../as-node/running-node.ts';
import { invalidValue } from '../errors/arguments.ts';
import { parseCipherList } from './cipher-list.ts';
import { isDefaultList, isForServers, parseCurves, parseSignatureAlgorithms } from './ciphers.ts';
import type { SecureContextOptions } from './context-options.ts';
import { finiteFieldFor } from './dh-parameters.ts';
import { readCompressions, readRenegotiation } from './engine-options.ts';
import type { ContextTerms } from './option-table.ts';
import { strictnessOf } from './strictness.ts';
import { type EnabledVersions, readVersions } from './version-options.ts';

/** What the options that are read say, in the engine's terms. */
export interface Negotiation {
  /** What is left of the versions: see {@link enabledOnly}. */
  readonly enabled: EnabledVersions;
  /** OpenSSL's, for certificates. */
  readonly securityLevel: SecurityLevel;
  readonly usesTickets: boolean;
  /** For a client's configuration. */
  readonly client: Partial<ClientOptions>;
  /** For a server's configuration. */
  readonly server: Partial<ServerOptions>;
}

/** Reads versions, ciphers, curves, signature algorithms and the like. Throws for what cannot be read. */
export function readNegotiation(options: ContextTerms): Negotiation {
  const { ciphers, ecdhCurve, sigalgs } = options;
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
  const enabled = withoutOldSuites(readVersions(options, allowsOld), list.suites);
  const cipherSuites = suites(list.suites, {
    isDefault: isDefaultList(ciphers) && !enabled.server.some((version) => version < 'TLSv1.2'),
    isStrict: strictness.cipherSuites,
  });
  const both = {
    ...rangeOf(enabled, list.suites),
    groups: groups(ecdhCurve, options.dhparam),
    signatureSchemes: sigalgs ? parseSignatureAlgorithms(sigalgs, allowsOld) : undefined,
    certificateCompression: readCompressions(options.certificateCompression),
    encryptThenMac: (secureOptions & constants.SSL_OP_NO_ENCRYPT_THEN_MAC) === 0,
    legacy: old,
  };
  const side = <Side extends 'client' | 'server'>(name: Side) => ({
    ...both,
    cipherSuites: cipherSuites[name],
    renegotiation: renegotiation[name],
  });
  return {
    enabled,
    securityLevel: list.securityLevel ?? DEFAULT_SECURITY_LEVEL,
    usesTickets: (secureOptions & constants.SSL_OP_NO_TICKET) === 0,
    client: side('client'),
    server: side('server'),
  };
}

/** Both sides' suites by name; undefined for the engine's own policy. */
function suites(
  all: readonly CipherSuite[],
  { isDefault, isStrict }: { readonly isDefault: boolean; readonly isStrict: boolean },
): Readonly<Record<'client' | 'server', readonly string[] | undefined>> {
  if (isDefault && isStrict) return { client: undefined, server: undefined };
  const client = all.map(({ name }) => name);
  return { client, server: isDefault ? all.filter(isForServers).map(({ name }) => name) : client };
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
): { readonly minVersion: VersionName; readonly maxVersion: VersionName } {
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
  return [...(curves ?? defaultGroups(systemCrypto()).map(({ name }) => name)), field];
}
