import type { Identities, Identity } from './identities.ts';
import { Program } from './program.ts';

/** Suites of TLS 1.3 that both have. */
export const SUITES_13 = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'TLS_AES_128_CCM_SHA256',
  'TLS_AES_128_CCM_8_SHA256',
] as const;

/** Debian's default leaves out the one with the short tag. */
export const EVERY_CIPHER: readonly string[] = [
  ...['-cipher', 'ALL:@SECLEVEL=0'],
  ...['-ciphersuites', SUITES_13.join(':')],
];

/** Groups that both have, by OpenSSL's names. */
export const GROUPS = ['X25519', 'P-256', 'P-384', 'P-521'] as const;
export const EVERY_GROUP: readonly string[] = ['-groups', GROUPS.join(':')];

/** Suites of TLS 1.2 that both have, by OpenSSL's names. */
export const suites12 = (authentication: 'ECDSA' | 'RSA'): string[] =>
  ['AES128-GCM-SHA256', 'AES256-GCM-SHA384', 'CHACHA20-POLY1305'].map(
    (rest) => `ECDHE-${authentication}-${rest}`,
  );

/** An `s_server` on a port of its own, that serves one connection after the other. */
export async function sServer(
  identity: Identity,
  ...args: readonly string[]
): Promise<{ program: Program; port: number }> {
  const program = new Program('openssl', [
    's_server',
    ...['-accept', '127.0.0.1:0'],
    ...['-cert', identity.cert, '-key', identity.key, '-cert_chain', identity.cert],
    ...args,
  ]);
  const [, port] = await program.expect(/ACCEPT 127\.0\.0\.1:(\d+)/);
  return { program, port: Number(port) };
}

/** An `s_client` that verifies our server as strictly as it can, and stops where that fails. */
export function sClient(identities: Identities, port: number, ...args: readonly string[]): Program {
  return new Program('openssl', [
    's_client',
    ...['-connect', `127.0.0.1:${port}`],
    ...(args.includes('-servername') || args.includes('-noservername') ? [] : ['-servername', 'localhost']),
    ...['-CAfile', identities.ca, '-verify_return_error'],
    ...(args.includes('-verify_hostname') ? [] : ['-verify_hostname', 'localhost']),
    ...args,
  ]);
}
