import { NODE_MAJOR } from '../as-node/running-node.ts';
import { nodes } from './support.ts';

/** What callers leave out, in the ways in which they do. */
export const FALSY: readonly unknown[] = [undefined, null, false, 0, '', Number.NaN, 0n];
const WRONG: readonly unknown[] = [true, 1, 'x', {}, [], () => {}];
const VALUES = [...FALSY, ...WRONG];

/** Options of a context. */
export const CONTEXT: readonly string[] = [
  ...['ALPNProtocols', 'allowPartialTrustChain', 'ca', 'cert', 'ciphers', 'clientCertEngine', 'crl'],
  ...['dhparam', 'ecdhCurve', 'honorCipherOrder', 'key', 'maxVersion', 'minVersion', 'passphrase', 'pfx'],
  ...['privateKeyEngine', 'privateKeyIdentifier', 'secureOptions', 'secureProtocol', 'sessionIdContext'],
  ...['sessionTimeout', 'sigalgs', 'ticketKeys', 'certificateCompression'],
];
export const CONNECTION: readonly string[] = [
  ...['servername', 'session', 'rejectUnauthorized', 'requestOCSP', 'checkServerIdentity', 'minDHSize'],
  ...['enableTrace', 'pskCallback', 'secureContext', 'highWaterMark', 'allowHalfOpen', 'timeout', 'signal'],
  ...['onread', 'socket', 'SNICallback', 'ALPNCallback', 'isServer', 'requestCert', 'keepAlive'],
  ...['keepAliveInitialDelay', 'noDelay', 'lookup', 'family', 'localAddress', 'localPort', 'hints'],
  ...['autoSelectFamily', 'path', 'singleUse', 'server', 'handshakeTimeout'],
];
export const SERVER: readonly string[] = [
  ...['SNICallback', 'ALPNCallback', 'requestCert', 'rejectUnauthorized', 'pskCallback', 'pskIdentityHint'],
  ...['handshakeTimeout', 'enableTrace', 'secureContext', 'allowHalfOpen', 'pauseOnConnect', 'noDelay'],
  ...['keepAlive', 'keepAliveInitialDelay', 'highWaterMark', 'requestOCSP', 'session', 'ticketKeys'],
  ...['sessionTimeout'],
];

export type Outcome =
  | { readonly code?: string | undefined; readonly message?: string; readonly name?: string }
  | string;

/** What an error tells: numbers of OpenSSL, and names of properties in V8's words, are not ours. */
export function said(error: unknown): Outcome {
  const { code, message, name } = error as Error & { code?: string };
  return { code, message: code === undefined ? '' : message, name };
}

/** What is thrown. */
export function thrown(act: () => unknown): Outcome {
  try {
    act();
    return 'taken';
  } catch (error) {
    return said(error);
  }
}

/** Where we do otherwise, or Node does something that nobody can want. */
const LEFT_OUT: readonly (readonly [string, (value: unknown) => boolean])[] = [
  // Engines of OpenSSL are not to be had, which has an error of its own.
  ['clientCertEngine', (value) => typeof value === 'string'],
  // Older versions of Node do not have it.
  ['certificateCompression', () => !('getCertificateCompressionAlgorithms' in nodes && NODE_MAJOR >= 24)],
  // Given, and undefined: Node fails, and before Node 22 says that it has a bug.
  ['checkServerIdentity', (value) => NODE_MAJOR < 22 || value === undefined || value === null],
  ['minDHSize', (value) => NODE_MAJOR < 22 || value === undefined || Number.isNaN(value)],
  // Node 26 takes it, and then has no groups.
  ['ecdhCurve', (value) => value === '' && NODE_MAJOR >= 22],
  // Node fails somewhere inside, in V8's words.
  ['socket', (value) => Boolean(value)],
  // Depends on who runs it.
  ['localPort', (value) => value === 1],
  // Sessions of Node's are not ours.
  ['session', (value) => value === 'x'],
];

/** Each option with each value. */
export function cases(names: readonly string[]): (readonly [string, unknown])[] {
  return names
    .flatMap((name) => VALUES.map((value) => [name, value] as const))
    .filter(([name, value]) => !LEFT_OUT.some(([left, isLeft]) => left === name && isLeft(value)));
}
