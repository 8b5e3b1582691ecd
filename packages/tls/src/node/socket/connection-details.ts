import { X509Certificate } from 'node:crypto';
import type {
  CipherNameAndProtocol,
  DetailedPeerCertificate,
  EphemeralKeyInfo,
  PeerCertificate,
} from 'node:tls';
import { isFiniteField } from '../../groups/index.ts';
import type { ConnectionInfo } from '../../handshake/result.ts';
import { signatureScheme } from '../../signature-schemes.ts';
import { versionName } from '../../versions.ts';
import { nodeError } from '../errors/errors.ts';
import { legacyCertificate } from '../verification/identity.ts';
import { detailedCertificate } from '../verification/peer-certificate.ts';

/** What was agreed on, in the shapes of `node:tls`. All take undefined for a handshake that is not complete. */

/** `version` is the first that had the suite. */
export function cipher(info: ConnectionInfo | undefined): CipherNameAndProtocol {
  if (info === undefined) return {} as CipherNameAndProtocol;
  const { opensslName, name } = info.cipherSuite;
  return {
    name: opensslName,
    standardName: name,
    version: versionName(info.cipherSuite.minVersion),
  } as CipherNameAndProtocol;
}

export function ephemeralKey(
  info: ConnectionInfo | undefined,
  isServer: boolean,
): EphemeralKeyInfo | object | null {
  if (isServer) return null;
  const group = info?.group;
  if (group === undefined) return {};
  if (isFiniteField(group)) return { type: 'DH', size: 8 * group.prime.length };
  // As Node 24 and newer: what is no curve has no size.
  if (group.kind !== 'curve') return { type: 'TLSGroup', name: group.name };
  return { type: 'ECDH', name: OPENSSL_GROUPS[group.name] ?? group.name, size: curveBits(group.name) };
}

/** Node's error for a server's finite field with fewer bits than the client wants; undefined when all is well. */
export function tooSmallField(info: ConnectionInfo, minimum: number | undefined): Error | undefined {
  const { group } = info;
  if (minimum === undefined || group === undefined || !isFiniteField(group)) return undefined;
  const size = 8 * group.prime.length;
  if (size >= minimum) return undefined;
  return nodeError('ERR_TLS_DH_PARAM_SIZE', `DH parameter size ${size} is less than ${minimum}`);
}

export function peerCertificate(
  info: ConnectionInfo | undefined,
  detailed: boolean,
): PeerCertificate | DetailedPeerCertificate {
  const chain = info?.verifiedPath?.map(({ der }) => der) ?? info?.peerCertificates ?? [];
  const leaf = chain[0];
  if (leaf === undefined) return {} as PeerCertificate;
  const shown = detailed ? detailedCertificate(chain) : legacyCertificate(leaf);
  return shown ?? ({} as PeerCertificate);
}

export function localCertificate(info: ConnectionInfo | undefined): PeerCertificate | object {
  const leaf = info?.localCertificates[0];
  return leaf === undefined ? {} : (legacyCertificate(leaf) ?? {});
}

/** The leaf, as `node:crypto` has it; those above it, as far as the peer sent them, are its `issuerCertificate`. */
export function x509(chain: readonly Uint8Array[] | undefined): X509Certificate | undefined {
  const found: X509Certificate[] = [];
  for (const der of chain ?? []) {
    const one = tryX509(der);
    const below = found.at(-1);
    if (one === undefined || (below !== undefined && !below.checkIssued(one))) break;
    // A class of Node's own, which learns of issuers from OpenSSL only.
    if (below !== undefined)
      Object.defineProperty(below, 'issuerCertificate', { value: one, configurable: true });
    found.push(one);
  }
  return found[0];
}

function tryX509(der: Uint8Array): X509Certificate | undefined {
  try {
    return new X509Certificate(der);
  } catch {
    return undefined;
  }
}

export function buffer(bytes: Uint8Array | undefined): Buffer<ArrayBuffer> | undefined {
  return bytes === undefined ? undefined : Buffer.from(bytes);
}

/** In OpenSSL's old notation, which `getSharedSigalgs` has: `ECDSA+SHA256`. */
export function signatureAlgorithms(ids: readonly number[]): string[] {
  return ids.map((id) => {
    const algorithm = signatureScheme(id)?.algorithm;
    if (algorithm === undefined) return `0x${id.toString(16)}`;
    if (!('hash' in algorithm)) return EDWARDS[algorithm.name] ?? algorithm.name.toUpperCase();
    const key = { dsa: 'DSA', ecdsa: 'ECDSA', 'rsa-pss': 'RSA-PSS', 'rsa-pkcs1': 'RSA' }[algorithm.name];
    return `${key}+${algorithm.hash.toUpperCase()}`;
  });
}

const EDWARDS: Readonly<Record<string, string>> = { ed25519: 'Ed25519', ed448: 'Ed448' };

const OPENSSL_GROUPS: Readonly<Record<string, string>> = {
  x25519: 'X25519',
  x448: 'X448',
  secp256r1: 'prime256v1',
};

/** Size of a curve's key, as OpenSSL counts. */
function curveBits(name: string): number {
  if (name === 'x25519') return 253;
  return Number(/\d{3}/.exec(name)?.[0]);
}
