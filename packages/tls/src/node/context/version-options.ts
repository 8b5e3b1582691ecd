import { constants } from 'node:crypto';
import type { VersionName } from '../../versions.ts';
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
export function readVersions(terms: ContextTerms, allowsOld: boolean): EnabledVersions {
  const { minVersion, maxVersion } = askedVersions(terms);
  const isEnabled = (version: VersionName): boolean =>
    version >= minVersion &&
    version <= maxVersion &&
    (allowsOld || version >= 'TLSv1.2') &&
    ((terms.secureOptions ?? 0) & (FORBIDDING[version] ?? 0)) === 0;
  const first = VERSIONS_OF_NODE.findIndex(isEnabled);
  const end = VERSIONS_OF_NODE.findIndex((version, index) => index > first && !isEnabled(version));
  return {
    client: first === -1 ? [] : VERSIONS_OF_NODE.slice(first, end === -1 ? undefined : end),
    server: VERSIONS_OF_NODE.filter(isEnabled),
  };
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
