import type { CryptoProvider } from '@testudo/crypto';
import type { Credential } from '../certificates/credential.ts';
import { TlsError } from '../errors.ts';
import { alpn } from '../extensions/alpn.ts';
import { certificateAuthorities } from '../extensions/certificate-authorities.ts';
import {
  signatureAlgorithms,
  signatureAlgorithmsCert,
  supportedVersions,
} from '../extensions/negotiation.ts';
import { hostNameOf, serverName } from '../extensions/server-names.ts';
import { checkServerName, requireProtocol } from '../features/cross-protocol.ts';
import { ja3, ja4 } from '../fingerprint/index.ts';
import { type Flow, perform } from '../flow.ts';
import type { ServerHandshake } from '../handshake/context.ts';
import type { ClientHello } from '../messages/client-hello.ts';
import type { ClientHelloInfo } from '../requests.ts';

/** What the application may see of a ClientHello. */
export function clientHelloInfo(h: ServerHandshake, hello: ClientHello): ClientHelloInfo {
  return new HelloInfo(h, hello);
}

/** The name in server_name (RFC 6066 §3), as names are compared: in small letters and without a dot at its end. */
export function hostName({ extensions }: ClientHello): string | undefined {
  return hostNameOf(extensions.get(serverName) ?? [])
    ?.replace(/\.$/, '')
    .toLowerCase();
}

/** A class, since getters in a literal cost V8 more than all the rest of it. */
class HelloInfo implements ClientHelloInfo {
  readonly serverName: string | undefined;
  readonly alpnProtocols: readonly string[];
  readonly cipherSuites: readonly number[];
  readonly signatureSchemes: readonly number[];
  readonly certificateSignatureSchemes: readonly number[];
  readonly supportedVersions: readonly number[];
  readonly certificateAuthorities: readonly Uint8Array[];
  readonly ech: ClientHelloInfo['ech'];
  readonly message: Uint8Array;
  readonly #provider: CryptoProvider;

  constructor(h: ServerHandshake, hello: ClientHello) {
    const { extensions } = hello;
    this.serverName = h.channel.requestedName;
    this.alpnProtocols = extensions.get(alpn) ?? [];
    this.cipherSuites = hello.cipherSuites;
    this.signatureSchemes = extensions.get(signatureAlgorithms) ?? [];
    this.certificateSignatureSchemes = extensions.get(signatureAlgorithmsCert) ?? this.signatureSchemes;
    this.supportedVersions = extensions.get(supportedVersions) ?? [hello.legacyVersion];
    this.certificateAuthorities = extensions.get(certificateAuthorities) ?? [];
    this.ech = h.receivedEch?.outcome ?? 'none';
    this.message = h.clientHello!;
    this.#provider = h.provider;
  }

  get ja3(): string {
    return ja3(this.#provider, this.message);
  }

  get ja4(): string {
    return ja4(this.#provider, this.message);
  }
}

/** The application protocol (RFC 7301 §3.2): none in common ends the handshake, none offered or wanted does not. */
export function* chooseProtocol(h: ServerHandshake, info: ClientHelloInfo): Flow<string | undefined> {
  checkServerName(h, info);
  if (info.alpnProtocols.length === 0) return requireProtocol(h, info);
  const chosen = yield* perform('chooseProtocol', info);
  if (chosen === null) return requireProtocol(h, info);
  if (chosen === undefined) {
    if (!h.config.choosesProtocol) return requireProtocol(h, info);
    throw new TlsError(
      'no-common-protocol',
      `none of the client's protocols is served: ${printable(info.alpnProtocols)}`,
    );
  }
  if (info.alpnProtocols.includes(chosen)) return chosen;
  throw new TlsError('internal-error', `the protocol ${chosen} was chosen, but the client did not offer it`);
}

/**
 * The credentials for what the client wants. Throws `no-certificate-for-name` when there is none, `no-certificate` when there
 * is none for anybody, or `unknown-psk-identity` when the client had keys to offer instead, none of which is known.
 */
export function* chooseCredentials(info: ClientHelloInfo, offersPsk = false): Flow<readonly Credential[]> {
  const credentials = yield* perform('chooseCredentials', info);
  if (credentials !== undefined && credentials.length > 0) return credentials;
  if (offersPsk) {
    throw new TlsError(
      'unknown-psk-identity',
      'the client offers no known pre-shared key, and this server has no certificate',
    );
  }
  if (credentials === undefined) throw new TlsError('no-certificate', 'this server has no certificate');
  throw new TlsError(
    'no-certificate-for-name',
    `no certificate for ${JSON.stringify(info.serverName ?? 'a client without SNI')}`,
  );
}

function printable(names: readonly string[]): string {
  return names
    .slice(0, 8)
    .map((name) => JSON.stringify(name.slice(0, 32)))
    .join(', ');
}
