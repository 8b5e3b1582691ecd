import { constants } from 'node:crypto';
import type { SecureContextOptions as NodeSecureContextOptions, SecureVersion } from 'node:tls';
import { isSuite13 } from '../suites.ts';
import type { VersionName } from '../versions.ts';
import {
  checkBytes,
  checkInt32,
  checkNumber,
  checkString,
  checkTextOrBytes,
  invalidValue,
} from './arguments.ts';
import {
  DEFAULT_CIPHERS,
  POLICY_CIPHERS,
  parseCiphers,
  parseCurves,
  parseSignatureAlgorithms,
} from './ciphers.ts';
import { nodeTypeError, opensslError, unsupportedOption } from './errors.ts';
import { live, nodeOriginals } from './live.ts';

/** What `createSecureContext` takes: as `node:tls`. */
export interface SecureContextOptions extends NodeSecureContextOptions {}

/** The lowest version that is spoken unless an option says more; Node's flags (`--tls-min-v1.3`) count. */
export const DEFAULT_MIN_VERSION: SecureVersion = nodeOriginals.DEFAULT_MIN_VERSION as SecureVersion;
/** The highest version that is spoken unless an option says less. */
export const DEFAULT_MAX_VERSION: SecureVersion = nodeOriginals.DEFAULT_MAX_VERSION as SecureVersion;

/** The options that have a default which programs may replace (`tls.DEFAULT_MIN_VERSION = …`), with it. */
export function withDefaults(
  options: SecureContextOptions,
): Pick<SecureContextOptions, 'ciphers' | 'ecdhCurve' | 'minVersion' | 'maxVersion'> {
  const defaults = live.tls;
  const ciphers = defaults?.DEFAULT_CIPHERS ?? DEFAULT_CIPHERS;
  return {
    ciphers: options.ciphers ?? (ciphers === POLICY_CIPHERS ? undefined : ciphers),
    ecdhCurve: options.ecdhCurve ?? defaults?.DEFAULT_ECDH_CURVE,
    minVersion: options.minVersion ?? (defaults?.DEFAULT_MIN_VERSION as SecureVersion) ?? DEFAULT_MIN_VERSION,
    maxVersion: options.maxVersion ?? (defaults?.DEFAULT_MAX_VERSION as SecureVersion) ?? DEFAULT_MAX_VERSION,
  };
}

/** What the options say about versions and algorithms, in the engine's terms. */
export interface Negotiation {
  readonly minVersion: VersionName;
  readonly maxVersion: VersionName;
  readonly cipherSuites: readonly string[] | undefined;
  readonly groups: readonly string[] | undefined;
  readonly signatureSchemes: readonly string[] | undefined;
  readonly usesTickets: boolean;
}

/** Reads versions, ciphers, curves and signature algorithms. Throws with the codes of `node:tls`. */
export function readNegotiation(options: SecureContextOptions): Negotiation {
  const { sigalgs } = options;
  const { ciphers, ecdhCurve } = withDefaults(options);
  const secureOptions = options.secureOptions ?? 0;
  let { minVersion, maxVersion } = readVersions(options);
  if (secureOptions & constants.SSL_OP_NO_TLSv1_3) maxVersion = 'TLSv1.2';
  if (secureOptions & constants.SSL_OP_NO_TLSv1_2) minVersion = 'TLSv1.3';
  const suites = ciphers ? parseCiphers(ciphers) : undefined;
  // As in Node: a list of TLS 1.3 suites alone switches 1.2 off, and one without any leaves those of 1.3 as they are.
  if (suites !== undefined && !suites.some((suite) => !isSuite13(suite))) minVersion = 'TLSv1.3';
  if (minVersion > maxVersion) {
    throw nodeTypeError(
      'ERR_TLS_INVALID_PROTOCOL_VERSION',
      `no TLS version is left from ${minVersion} to ${maxVersion}: change minVersion, maxVersion or ciphers`,
    );
  }
  return {
    minVersion,
    maxVersion,
    cipherSuites: suites?.map((suite) => suite.name),
    groups: ecdhCurve ? parseCurves(ecdhCurve) : undefined,
    signatureSchemes: sigalgs ? parseSignatureAlgorithms(sigalgs) : undefined,
    usesTickets: (secureOptions & constants.SSL_OP_NO_TICKET) === 0,
  };
}

/** Throws `ERR_INVALID_ARG_TYPE` and the like, as Node, for what is no value for the option. */
export function checkOptions(options: SecureContextOptions): void {
  const { ciphers, ecdhCurve, sigalgs, passphrase, sessionIdContext, secureOptions } = options;
  const texts = { ciphers, ecdhCurve, sigalgs, passphrase, sessionIdContext };
  for (const [name, value] of Object.entries(texts)) {
    if (value !== undefined && value !== null) checkString(`options.${name}`, value);
  }
  if (sigalgs === '') throw invalidValue('options.sigalgs', 'is invalid', '');
  if ((sessionIdContext?.length ?? 0) > MAX_SESSION_ID_CONTEXT) {
    throw opensslError('ssl session id context too long');
  }
  for (const name of ['ca', 'cert', 'crl'] as const) {
    for (const one of [options[name]].flat()) if (one) checkTextOrBytes(`options.${name}`, one);
  }
  for (const one of [options.key].flat()) {
    if (!one) continue;
    const isPair = typeof one === 'object' && !ArrayBuffer.isView(one) && 'pem' in one;
    checkTextOrBytes('options.key', isPair ? one.pem : one);
  }
  if (options.dhparam) checkTextOrBytes('options.dhparam', options.dhparam);
  if (options.sessionTimeout) checkInt32('options.sessionTimeout', options.sessionTimeout, 0);
  if (options.ticketKeys) {
    checkBytes('options.ticketKeys', options.ticketKeys);
    const { length } = options.ticketKeys;
    if (length !== 48) throw invalidValue('options.ticketKeys', 'must be exactly 48 bytes', length);
  }
  if (secureOptions) checkNumber('secureOptions', secureOptions);
}

/** Bytes, as in OpenSSL. */
const MAX_SESSION_ID_CONTEXT = 32;

/** Throws for what we do not have and what the user would miss. */
export function refuseUnsupported(options: SecureContextOptions): void {
  if (options.privateKeyEngine !== undefined || options.clientCertEngine !== undefined) {
    throw unsupportedOption(
      'privateKeyEngine/clientCertEngine',
      'give a Credential with a sign function instead',
    );
  }
}

/** Versions that OpenSSL knows; what is older than 1.2 is not spoken here. */
const OPENSSL_VERSIONS = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'];

function readVersions(options: SecureContextOptions): { minVersion: VersionName; maxVersion: VersionName } {
  const { secureProtocol } = options;
  if (secureProtocol) {
    const given = options.minVersion ?? options.maxVersion;
    if (given != null) {
      throw nodeTypeError(
        'ERR_TLS_PROTOCOL_VERSION_CONFLICT',
        `TLS protocol version "${given}" conflicts with secureProtocol "${secureProtocol}"`,
      );
    }
    return fromSecureProtocol(secureProtocol);
  }
  const { minVersion, maxVersion } = withDefaults(options);
  const low = checkVersion(minVersion!, 'minimum');
  const high = checkVersion(maxVersion!, 'maximum');
  if (high < 'TLSv1.2') {
    throw nodeTypeError(
      'ERR_TLS_INVALID_PROTOCOL_VERSION',
      `maxVersion ${high}: TLS 1.1 and older are broken (RFC 8996) and not spoken here`,
    );
  }
  return { minVersion: low < 'TLSv1.2' ? 'TLSv1.2' : (low as VersionName), maxVersion: high as VersionName };
}

function checkVersion(version: string, which: string): string {
  if (OPENSSL_VERSIONS.includes(version)) return version;
  throw nodeTypeError(
    'ERR_TLS_INVALID_PROTOCOL_VERSION',
    `${JSON.stringify(version)} is not a valid ${which} TLS protocol version`,
  );
}

/** The methods of OpenSSL that leave a version that we speak. */
function fromSecureProtocol(name: string): { minVersion: VersionName; maxVersion: VersionName } {
  const method = name.replace(/_(client|server)_method$/, '_method');
  if (method === 'TLS_method' || method === 'SSLv23_method') {
    return { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.3' };
  }
  if (method === 'TLSv1_2_method') return { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' };
  const old = /^SSLv[23]_/.exec(name)?.[0].slice(0, -1);
  const problem = old === undefined ? `Unknown method: ${name}` : `${old} methods disabled`;
  throw nodeTypeError('ERR_TLS_INVALID_PROTOCOL_METHOD', problem);
}
