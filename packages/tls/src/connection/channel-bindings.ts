import type { CryptoProvider, HashName } from '@testudo/crypto';
import { type AlgorithmIdentifier, signatureAlgorithmOf } from '@testudo/x509';
import type { ConnectionInfo } from '../handshake/result.ts';
import { verifiedCertificates } from '../handshake/verified-certificates.ts';

/** The channel bindings of the registry: tls-unique and tls-server-end-point (RFC 5929), tls-exporter (RFC 9266). */
export type ChannelBindingType = 'tls-unique' | 'tls-server-end-point' | 'tls-exporter';

/** What names this connection, and no other one, to both of its ends; undefined where there is none that can be trusted. */
export function channelBinding(
  type: ChannelBindingType,
  provider: CryptoProvider,
  info: ConnectionInfo,
  exporter: (length: number, label: string, context: Uint8Array) => Uint8Array,
): Uint8Array | undefined {
  if (type === 'tls-server-end-point') return serverEndPoint(provider, info);
  if (type === 'tls-unique') return unique(info);
  // Keying material is unique only where the master secret is (RFC 9266 §2, RFC 7627 §5.4), and must stay what it is.
  if (!info.extendedMasterSecret || info.renegotiated) return undefined;
  return exporter(32, 'EXPORTER-Channel-Binding', NOTHING);
}

/**
 * The first Finished of the last handshake (RFC 5929 §3): the client's, or the server's where a session was resumed. Without
 * the extended master secret another connection can have the same after a resumption, and lead to a renegotiation
 * (RFC 7627 §5.4). TLS 1.3 has none (RFC 9846 §C.5).
 */
function unique(info: ConnectionInfo): Uint8Array | undefined {
  const { version, extendedMasterSecret, resumed, renegotiated, role, finished } = info;
  if (version === 'TLSv1.3' || (!extendedMasterSecret && (resumed || renegotiated))) return undefined;
  const isOurs = (role === 'client') !== resumed;
  return (isOurs ? finished.sent : finished.received).slice();
}

/** The hash of the server's certificate (RFC 5929 §4). A server that resumed a session does not know which it was. */
function serverEndPoint(provider: CryptoProvider, info: ConnectionInfo): Uint8Array | undefined {
  const der = (info.role === 'client' ? info.peerCertificates : info.localCertificates)[0];
  const hash = der === undefined ? undefined : hashOf(der);
  return hash === undefined ? undefined : provider.digest(hash, der!);
}

/** The hash that the certificate is signed with, if it is one; SHA-256 for MD5 and SHA-1 (RFC 5929 §4.1). */
function hashOf(der: Uint8Array): HashName | undefined {
  let identifier: AlgorithmIdentifier;
  try {
    identifier = verifiedCertificates.parse(der).signatureAlgorithm;
  } catch {
    return undefined;
  }
  const verdict = signatureAlgorithmOf(identifier);
  if (verdict.kind !== 'supported') return OTHER_HASHES[identifier.oid];
  const { algorithm } = verdict;
  return 'hash' in algorithm ? (algorithm.hash as HashName) : undefined;
}

/** Signatures that no path may hold, and that name a server all the same. */
const OTHER_HASHES: Readonly<Record<string, HashName>> = {
  // RSA with MD5 and with SHA-1, DSA and ECDSA with SHA-1.
  '1.2.840.113549.1.1.4': 'sha256',
  '1.2.840.113549.1.1.5': 'sha256',
  '1.3.14.3.2.29': 'sha256',
  '1.2.840.10040.4.3': 'sha256',
  '1.2.840.10045.4.1': 'sha256',
  // RSA, DSA and ECDSA with SHA-224, and DSA with SHA-256.
  '1.2.840.113549.1.1.14': 'sha224',
  '2.16.840.1.101.3.4.3.1': 'sha224',
  '1.2.840.10045.4.3.1': 'sha224',
  '2.16.840.1.101.3.4.3.2': 'sha256',
};

const NOTHING = new Uint8Array(0);
