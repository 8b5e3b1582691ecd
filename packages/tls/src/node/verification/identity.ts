import { X509Certificate } from 'node:crypto';
import type * as nodeTls from 'node:tls';
import { CertificateError, peerNameOf, verifyName } from '@testudo/x509';
import { verifiedCertificates } from '../../handshake/verified-certificates.ts';
import { nodeOriginals } from '../as-node/replaceable-members.ts';
import { type Strictness, strictnessOf } from '../context/strictness.ts';
import { type NodeTlsError, nodeError } from '../errors/errors.ts';
import { NamesFoundRight } from './names-found-right.ts';

/**
 * Undefined when the certificate is for `hostname`, else an `ERR_TLS_CERT_ALTNAME_INVALID` (returned, not thrown): as Node's
 * own, but with `TESTUDO_STRICT=1` only subjectAltName counts (RFC 9525 §6). A certificate without `raw`, so one that
 * was made by hand, is left to Node's rules in any case.
 */
export function checkServerIdentity(hostname: string, cert: nodeTls.PeerCertificate): Error | undefined {
  if (!cert.raw || !strictnessOf(undefined).subjectAltName) {
    return nodeOriginals.checkServerIdentity(hostname, cert);
  }
  return strictMismatch(hostname, cert.raw, cert);
}

/**
 * Why the certificate (DER) is not for `hostname`; undefined when it is. Node's rules want the certificate in OpenSSL's
 * words, and making those costs a client as much as a signature: of a peer that is met again it is known that they agreed.
 */
export function nameMismatch(hostname: string, der: Uint8Array, strictness: Strictness): Error | undefined {
  if (strictness.subjectAltName) return strictMismatch(hostname, der);
  const certificate = verifiedCertificates.parse(der);
  if (namesFoundRight.has(certificate, hostname)) return undefined;
  const shown = legacyCertificate(der);
  if (shown === undefined) return strictMismatch(hostname, der);
  const mismatch = nodeOriginals.checkServerIdentity(hostname, shown);
  if (mismatch === undefined) namesFoundRight.add(certificate, hostname);
  return mismatch;
}

function strictMismatch(
  hostname: string,
  der: Uint8Array,
  shown?: nodeTls.PeerCertificate,
): Error | undefined {
  try {
    verifyName(verifiedCertificates.parse(der), peerNameOf(hostname));
    return undefined;
  } catch (error) {
    if (!(error instanceof CertificateError)) throw error;
    const cert = shown ?? legacyCertificate(der) ?? ({} as nodeTls.PeerCertificate);
    return altNameInvalid(hostname, cert, error);
  }
}

const namesFoundRight = new NamesFoundRight();

/** The error with Node's words and properties. */
function altNameInvalid(hostname: string, cert: nodeTls.PeerCertificate, cause: Error): NodeTlsError {
  const names = cert.subjectaltname;
  const { kind } = peerNameOf(hostname);
  let reason = 'Cert does not contain a DNS name';
  if (names !== undefined && kind === 'dns')
    reason = `Host: ${hostname}. is not in the cert's altnames: ${names}`;
  if (kind === 'ip') reason = `IP: ${hostname} is not in the cert's list: ${addresses(names)}`;
  const error = nodeError(
    'ERR_TLS_CERT_ALTNAME_INVALID',
    `Hostname/IP does not match certificate's altnames: ${reason}`,
    cause,
  );
  return Object.assign(error, { reason, host: hostname, cert });
}

/** A certificate as `getPeerCertificate()` shows it; undefined when OpenSSL cannot read it. */
export function legacyCertificate(der: Uint8Array): nodeTls.PeerCertificate | undefined {
  try {
    return new X509Certificate(der).toLegacyObject() as nodeTls.PeerCertificate;
  } catch {
    return undefined;
  }
}

function addresses(names: string | undefined): string {
  return (names ?? '')
    .split(', ')
    .filter((name) => name.startsWith('IP Address:'))
    .map((name) => name.slice('IP Address:'.length))
    .join(', ');
}
