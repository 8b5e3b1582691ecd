import type { Legacy } from '../options/legacy.ts';
import { rules30 } from './ssl30.ts';
import { streamProtection } from './stream-protection.ts';
import { rules10, rules11 } from './tls10.ts';

export type { Legacy, NpnClient, NpnServer } from '../options/legacy.ts';
export type { Ssl2HelloReader } from '../record/ssl2-hello-reader.ts';
export { npnClient, npnServer } from './npn.ts';
export { ssl2Hello } from './ssl2-hello.ts';

/**
 * SSL 3.0, TLS 1.0 and TLS 1.1, signatures with SHA-1, MD5 and DSA, RC4, suites without encryption or authentication, and
 * groups of 1024 bits. All of it can be broken, some of it by anyone who sits on the wire (POODLE, BEAST, SLOTH,
 * Logjam, RFC 7465, RFC 7568, RFC 8996). It is there to reach an old device that has nothing better, to find out what a
 * server still speaks, and to show attacks.
 *
 * To give it does not turn anything on: it only lets old versions, suites and signature schemes be named.
 *
 * ```
 * import { clientConfig } from '@testudo/tls';
 * import { legacy } from '@testudo/tls/legacy';
 *
 * clientConfig({ legacy, minVersion: 'TLSv1', maxVersion: 'TLSv1', cipherSuites: ['AES128-SHA'], ... });
 * ```
 *
 * Keep such a configuration apart from the one for everybody else. The extended master secret and encrypt-then-MAC are
 * still used with peers that know them.
 */
export const legacy: Legacy = {
  rules: [rules11, rules10, rules30],
  streamProtection,
};
