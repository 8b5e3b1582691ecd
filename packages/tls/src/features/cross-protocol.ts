import type { ClientTerms } from '../config/config.ts';
import { TlsError } from '../errors.ts';
import { alpn } from '../extensions/alpn.ts';
import type { ExtensionBlock } from '../extensions/block.ts';
import type { ServerHandshake } from '../handshake/context.ts';
import type { ClientHelloInfo } from '../requests.ts';
import { TLS13 } from '../versions.ts';

/**
 * Server: with `serverNames`, who wants another name, or none, is refused, so that nobody can bring a connection meant for
 * another server here (ALPACA, RFC 9325 §3.7). Throws `no-certificate-for-name`, and in TLS 1.3 `missing-extension` when
 * there is no name (RFC 9846 §9.2).
 */
export function checkServerName({ config }: ServerHandshake, info: ClientHelloInfo): void {
  const { serverNames } = config;
  if (serverNames === undefined) return;
  const { serverName } = info;
  if (serverName === undefined) {
    const isTls13 = config.versions.includes(TLS13) && info.supportedVersions.includes(TLS13);
    throw new TlsError(
      isTls13 ? 'missing-extension' : 'no-certificate-for-name',
      'the client names no server (SNI), which is required here',
    );
  }
  if (serverNames.some((pattern) => matches(pattern.toLowerCase(), serverName))) return;
  throw new TlsError('no-certificate-for-name', `${JSON.stringify(serverName)} is not served here`);
}

/** Server: whether to say that the name which the client wants was of use (RFC 6066 §3). */
export function acknowledgesName({ config }: ServerHandshake, { serverName }: ClientHelloInfo): boolean {
  return serverName !== undefined && config.acknowledgeServerName;
}

/** Server, with `requireAlpn`: throws `no-common-protocol` for a client that speaks no protocol of ours by name (RFC 9325 §3.8). */
export function requireProtocol({ config }: ServerHandshake, { alpnProtocols }: ClientHelloInfo): undefined {
  if (!config.requireAlpn) return undefined;
  const what = alpnProtocols.length === 0 ? 'the client offers no protocol' : 'no protocol was chosen';
  throw new TlsError('no-common-protocol', `${what} (ALPN), which is required here`);
}

/** Client, with `requireAlpn`: throws `no-common-protocol` for a server that does not say what it speaks (RFC 9325 §3.8). */
export function checkProtocolAnswer(
  { requireAlpn }: ClientTerms,
  answer: ExtensionBlock<'encrypted_extensions'>,
): void {
  if (requireAlpn && !answer.has(alpn))
    throw new TlsError('no-common-protocol', 'the server selects no protocol (ALPN), which is required here');
}

/** `*.example.com` stands for one label in front, as in certificates. */
function matches(pattern: string, name: string): boolean {
  if (!pattern.startsWith('*.')) return pattern === name;
  const dot = name.indexOf('.');
  return dot > 0 && name.slice(dot) === pattern.slice(1);
}
