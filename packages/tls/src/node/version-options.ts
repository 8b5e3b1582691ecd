import { constants } from 'node:crypto';
import type { SecureVersion } from 'node:tls';
import type { VersionName } from '../versions.ts';
import { nodeTypeError } from './errors.ts';

/** The versions that the options allow. */
export interface VersionRange {
  readonly minVersion: VersionName;
  readonly maxVersion: VersionName;
}

/** What says something about versions, with the defaults of the module filled in. */
export interface VersionOptions {
  readonly minVersion: SecureVersion;
  readonly maxVersion: SecureVersion;
  /** As given, to find a conflict. */
  readonly given: SecureVersion | undefined;
  readonly secureProtocol: string | undefined;
  readonly secureOptions: number;
  /** Whether TLS 1.1 and older may be spoken: the list of ciphers says `@SECLEVEL=0`, or the option `legacy` is there. */
  readonly allowsOld: boolean;
}

/**
 * Reads `minVersion`, `maxVersion`, `secureProtocol` and the flags of `secureOptions` about versions. As with OpenSSL 3,
 * a minimum below TLS 1.2 alone is TLS 1.2. Throws `ERR_TLS_INVALID_PROTOCOL_VERSION`,
 * `ERR_TLS_PROTOCOL_VERSION_CONFLICT`, `ERR_TLS_INVALID_PROTOCOL_METHOD`.
 */
export function readVersions(options: VersionOptions): VersionRange {
  const asked = askedVersions(options);
  const versions = VERSIONS.filter(
    (version) =>
      version >= asked.minVersion &&
      version <= asked.maxVersion &&
      (options.secureOptions & (FORBIDDING[version] ?? 0)) === 0,
  );
  const allowed = versions.filter((version) => options.allowsOld || version >= 'TLSv1.2');
  const [minVersion] = allowed;
  if (minVersion !== undefined) return { minVersion, maxVersion: allowed.at(-1)! };
  throw invalidVersion(
    versions.length === 0
      ? `no TLS version is left from ${asked.minVersion} to ${asked.maxVersion}: change minVersion, maxVersion or secureOptions`
      : `${versions.at(-1)} is broken (RFC 8996): to speak it all the same, say so in ciphers: 'DEFAULT@SECLEVEL=0'`,
  );
}

/** A version that is refused. */
export function invalidVersion(message: string): Error {
  return nodeTypeError('ERR_TLS_INVALID_PROTOCOL_VERSION', message);
}

/** Those of Node. Their names sort by age. */
const VERSIONS: readonly VersionName[] = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'];

const FORBIDDING: Readonly<Record<string, number>> = {
  TLSv1: constants.SSL_OP_NO_TLSv1,
  'TLSv1.1': constants.SSL_OP_NO_TLSv1_1,
  'TLSv1.2': constants.SSL_OP_NO_TLSv1_2,
  'TLSv1.3': constants.SSL_OP_NO_TLSv1_3,
};

function askedVersions({ secureProtocol, given, minVersion, maxVersion }: VersionOptions): VersionRange {
  if (secureProtocol !== undefined) {
    if (given == null || secureProtocol === '') return fromSecureProtocol(secureProtocol);
    throw nodeTypeError(
      'ERR_TLS_PROTOCOL_VERSION_CONFLICT',
      `TLS protocol version "${given}" conflicts with secureProtocol "${secureProtocol}"`,
    );
  }
  return {
    minVersion: checkVersion(minVersion, 'minimum'),
    maxVersion: checkVersion(maxVersion, 'maximum'),
  };
}

function checkVersion(version: string, which: string): VersionName {
  if ((VERSIONS as readonly string[]).includes(version)) return version as VersionName;
  throw invalidVersion(`${JSON.stringify(version)} is not a valid ${which} TLS protocol version`);
}

/** OpenSSL's methods. */
function fromSecureProtocol(name: string): VersionRange {
  const method = name.replace(/_(client|server)_method$/, '_method');
  if (method === 'TLS_method') return { minVersion: 'TLSv1', maxVersion: 'TLSv1.3' };
  if (method === 'SSLv23_method') return { minVersion: 'TLSv1', maxVersion: 'TLSv1.2' };
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
