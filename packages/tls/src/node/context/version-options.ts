import { constants } from 'node:crypto';
import type { CommonConfig } from '../../config/config.ts';
import { type CipherSuite, isSuite13, suiteFits } from '../../suites/index.ts';
import { VERSIONS, type VersionName } from '../../versions.ts';
import { nodeTypeError } from '../errors/errors.ts';
import type { ContextTerms } from './option-table.ts';

/** The versions that are left; neither side can have a handshake without one. */
export interface EnabledVersions {
  /** Those that are next to each other, from the oldest on: a client names no others, as OpenSSL. */
  readonly client: readonly VersionName[];
  readonly server: readonly VersionName[];
}

/**
 * Reads `minVersion`, `maxVersion`, `secureProtocol` and the flags of `secureOptions` about versions. As with OpenSSL 3, a
 * context with none left is made, and its handshakes fail. Throws `ERR_TLS_INVALID_PROTOCOL_VERSION`,
 * `ERR_TLS_INVALID_PROTOCOL_METHOD`.
 *
 * @param allowsOld whether TLS 1.1 and older may be spoken: the list of ciphers says `@SECLEVEL=0`, or the option `legacy` is there.
 */
export function readVersions(
  terms: ContextTerms,
  suites: readonly CipherSuite[],
  allowsOld: boolean,
): EnabledVersions {
  const { minVersion, maxVersion } = askedVersions(terms);
  const isEnabled = (version: VersionName): boolean =>
    version >= minVersion &&
    version <= maxVersion &&
    (allowsOld || version >= 'TLSv1.2') &&
    ((terms.secureOptions ?? 0) & (FORBIDDING[version] ?? 0)) === 0;
  const first = VERSIONS_OF_NODE.findIndex(isEnabled);
  const end = VERSIONS_OF_NODE.findIndex((version, index) => index > first && !isEnabled(version));
  const enabled = {
    client: first === -1 ? [] : VERSIONS_OF_NODE.slice(first, end === -1 ? undefined : end),
    server: VERSIONS_OF_NODE.filter(isEnabled),
  };
  return withoutOldSuites(enabled, suites);
}

/** Those of Node. Their names sort by age. */
const VERSIONS_OF_NODE: readonly VersionName[] = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'];

const FORBIDDING: Readonly<Record<string, number>> = {
  TLSv1: constants.SSL_OP_NO_TLSv1,
  'TLSv1.1': constants.SSL_OP_NO_TLSv1_1,
  'TLSv1.2': constants.SSL_OP_NO_TLSv1_2,
  'TLSv1.3': constants.SSL_OP_NO_TLSv1_3,
};

interface VersionRange {
  readonly minVersion: VersionName;
  readonly maxVersion: VersionName;
}

function askedVersions({ secureProtocol, minVersion, maxVersion }: ContextTerms): VersionRange {
  const lowest = checkVersion(minVersion, 'minimum');
  if (secureProtocol !== undefined) return fromSecureProtocol(secureProtocol, lowest);
  return { minVersion: lowest, maxVersion: checkVersion(maxVersion, 'maximum') };
}

function checkVersion(version: string, which: string): VersionName {
  if ((VERSIONS_OF_NODE as readonly string[]).includes(version)) return version as VersionName;
  throw nodeTypeError(
    'ERR_TLS_INVALID_PROTOCOL_VERSION',
    `${JSON.stringify(version)} is not a valid ${which} TLS protocol version`,
  );
}

/** OpenSSL's methods. */
function fromSecureProtocol(name: string, minVersion: VersionName): VersionRange {
  const method = name.replace(/_(client|server)_method$/, '_method');
  if (method === 'TLS_method') return { minVersion: 'TLSv1', maxVersion: 'TLSv1.3' };
  if (method === 'SSLv23_method') return { minVersion, maxVersion: 'TLSv1.2' };
  const one = ONE_VERSION[method];
  if (one !== undefined) return { minVersion: one, maxVersion: one };
  const old = /^SSLv[23]_/.exec(name)?.[0].slice(0, -1);
  throw nodeTypeError(
    'ERR_TLS_INVALID_PROTOCOL_METHOD',
    old === undefined ? `Unknown method: ${name}` : `${old} methods disabled`,
  );
}

const ONE_VERSION: Readonly<Record<string, VersionName>> = {
  TLSv1_method: 'TLSv1',
  TLSv1_1_method: 'TLSv1.1',
  TLSv1_2_method: 'TLSv1.2',
};

/** As in Node: a list of TLS 1.3 suites alone switches 1.2 off, and one without any leaves those of 1.3 as they are. */
function withoutOldSuites(enabled: EnabledVersions, suites: readonly CipherSuite[]): EnabledVersions {
  if (!enabled.server.includes('TLSv1.3') || suites.some((suite) => !isSuite13(suite))) return enabled;
  return { client: enabled.client.filter(isNewest), server: enabled.server.filter(isNewest) };
}

const isNewest = (version: VersionName): boolean => version === 'TLSv1.3';

/** What the engine makes a configuration of. Where nothing is left for a handshake, any that has both suites and versions. */
export function rangeOf(
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
