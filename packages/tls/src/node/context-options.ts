import { constants } from 'node:crypto';
import type { SecureContextOptions as NodeSecureContextOptions, SecureVersion } from 'node:tls';
import { TLS12, type VersionName } from '../versions.ts';
import { parseCiphers, parseCurves, parseSignatureAlgorithms } from './ciphers.ts';
import { nodeError, unsupportedOption } from './errors.ts';

/** What `createSecureContext` takes: as `node:tls`. */
export interface SecureContextOptions extends NodeSecureContextOptions {}

/** The lowest version that is spoken unless an option says more. */
export const DEFAULT_MIN_VERSION: SecureVersion = 'TLSv1.2';
/** The highest version that is spoken unless an option says less. */
export const DEFAULT_MAX_VERSION: SecureVersion = 'TLSv1.3';

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
  const { ciphers, ecdhCurve, sigalgs, secureOptions = 0 } = options;
  let { minVersion, maxVersion } = readVersions(options);
  if (secureOptions & constants.SSL_OP_NO_TLSv1_3) maxVersion = 'TLSv1.2';
  if (secureOptions & constants.SSL_OP_NO_TLSv1_2) minVersion = 'TLSv1.3';
  const suites = ciphers ? parseCiphers(ciphers) : undefined;
  // As in Node: a list of TLS 1.3 suites alone switches 1.2 off, and one without any leaves those of 1.3 as they are.
  if (suites !== undefined && !suites.some(({ version }) => version === TLS12)) minVersion = 'TLSv1.3';
  if (minVersion > maxVersion) {
    throw nodeError(
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

/** Throws for what we do not have and what the user would miss. */
export function refuseUnsupported(options: SecureContextOptions): void {
  if (options.pfx !== undefined) {
    throw unsupportedOption(
      'pfx',
      'convert it: openssl pkcs12 -in file.pfx -nodes -out file.pem, and give cert and key',
    );
  }
  if (options.privateKeyEngine !== undefined || options.clientCertEngine !== undefined) {
    throw unsupportedOption(
      'privateKeyEngine/clientCertEngine',
      'give a Credential with a sign function instead',
    );
  }
  if (options.crl !== undefined) {
    throw unsupportedOption('crl', 'revocation is checked by a verifier of your own, or not at all');
  }
}

/** Versions that OpenSSL knows; what is older than 1.2 is not spoken here. */
const OPENSSL_VERSIONS = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'];

function readVersions(options: SecureContextOptions): { minVersion: VersionName; maxVersion: VersionName } {
  const { secureProtocol, minVersion, maxVersion } = options;
  if (secureProtocol) {
    const given = minVersion ?? maxVersion;
    if (given != null) {
      throw nodeError(
        'ERR_TLS_PROTOCOL_VERSION_CONFLICT',
        `TLS protocol version "${given}" conflicts with secureProtocol "${secureProtocol}"`,
      );
    }
    return fromSecureProtocol(secureProtocol);
  }
  const low = checkVersion(minVersion ?? DEFAULT_MIN_VERSION, 'minimum');
  const high = checkVersion(maxVersion ?? DEFAULT_MAX_VERSION, 'maximum');
  if (high < 'TLSv1.2') {
    throw nodeError(
      'ERR_TLS_INVALID_PROTOCOL_VERSION',
      `maxVersion ${high}: TLS 1.1 and older are broken (RFC 8996) and not spoken here`,
    );
  }
  return { minVersion: low < 'TLSv1.2' ? 'TLSv1.2' : (low as VersionName), maxVersion: high as VersionName };
}

function checkVersion(version: string, which: string): string {
  if (OPENSSL_VERSIONS.includes(version)) return version;
  throw nodeError(
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
  throw nodeError('ERR_TLS_INVALID_PROTOCOL_METHOD', `Unknown method: ${name}`);
}
