/** The name that every client asks for and checks. Here, so that peers need not load what makes certificates. */
export const SERVER_NAME = 'bench.test';

/**
 * What both sides of a workload are held to. `suite` is OpenSSL's name, `group` the name of RFC 9846's registry;
 * `clientCertificate` asks the client for one and verifies it.
 */
export const TLS13 = { version: 'TLSv1.3', suite: 'TLS_AES_128_GCM_SHA256', group: 'X25519' };
export const TLS12 = { ...TLS13, version: 'TLSv1.2', suite: 'ECDHE-ECDSA-AES128-GCM-SHA256' };
export const CBC = { ...TLS12, suite: 'ECDHE-ECDSA-AES128-SHA256' };
export const HYBRID = { ...TLS13, group: 'X25519MLKEM768' };
/** One byte with the first flight. `node:tls` has no 0-RTT: beside it stands its resumed handshake. */
export const EARLY_DATA = { ...TLS13, earlyData: true };
export const CLIENT_CERTIFICATE = { ...TLS13, clientCertificate: true };
/** The stack's HTTP on top of it: `node:https`, `@testudo/tls/https`. */
export const HTTPS = { ...TLS13, https: true };

/** The groups to offer: up to TLS 1.2 the curve of the certificate's key must be among them (RFC 8422 §5.1). */
export function groupsOf({ version, group }) {
  return version === 'TLSv1.2' ? `${group}:P-256` : group;
}

/** The reference's setting for a workload: the same, or the nearest that Node and its OpenSSL have, and the table says so. */
export function referenceSetting(setting) {
  if (setting.earlyData) return TLS13;
  return nodeHasGroup(setting.group) ? setting : { ...setting, group: TLS13.group };
}

/** OpenSSL has ML-KEM from 3.5 on. Asking OpenSSL itself would leave an error in its queue for the next caller. */
export function nodeHasGroup(group) {
  const [major, minor] = process.versions.openssl.split('.').map(Number);
  return !group.includes('MLKEM') || major > 3 || (major === 3 && minor >= 5);
}

/** Where the floor knows what is to be done: see floor-flights.mjs. */
export function hasFloor(setting) {
  return [TLS13, TLS12, HTTPS].includes(setting) || (setting === HYBRID && nodeHasGroup(HYBRID.group));
}
