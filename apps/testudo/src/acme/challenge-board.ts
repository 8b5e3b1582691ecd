import { createHash } from 'node:crypto';
import { isIP } from 'node:net';
import { der } from '@testudo/codec';
import { nodeCrypto } from '@testudo/crypto/node';
import { type ClientHelloInfo, type Credential, credential } from '@testudo/tls';
import { createSelfSignedCertificate, parseIpAddress } from '@testudo/x509';
import type { SharedAnswers } from './shared-answers.ts';

/** RFC 8737 §6.2 */
export const ACME_TLS_PROTOCOL = 'acme-tls/1';

/** id-pe-acmeIdentifier (RFC 8737 §6.1). */
const ACME_IDENTIFIER = '1.3.6.1.5.5.7.1.31';

/** The answers to challenges that a CA may come to look for, while it may. */
export class ChallengeBoard {
  readonly #keyAuthorizations: Map<string, string> = new Map();
  readonly #credentials: Map<string, Credential> = new Map();
  readonly #shared: SharedAnswers | undefined;

  /** `shared`: where other gateways find the answers, and theirs are found. Default: they are nobody else's. */
  constructor(shared?: SharedAnswers) {
    this.#shared = shared;
  }

  /** What stands under `/.well-known/acme-challenge/` for a token (RFC 8555 §8.3). */
  keyAuthorization(token: string): string | undefined {
    const own = this.#keyAuthorizations.get(token);
    if (own !== undefined) return own;
    const shared = this.#shared?.get('http', token);
    return shared?.startsWith(`${token}.`) ? shared : undefined;
  }

  /** Puts an answer up for http-01 (RFC 8555 §8.3); the function that comes back takes it away. */
  answerHttp(token: string, keyAuthorization: string): () => void {
    this.#keyAuthorizations.set(token, keyAuthorization);
    this.#shared?.put('http', token, keyAuthorization);
    return () => {
      this.#keyAuthorizations.delete(token);
      this.#shared?.remove('http', token);
    };
  }

  /** Puts an answer up for tls-alpn-01 (RFC 8737 §3); the function that comes back takes it away. */
  answerTls(name: string, keyAuthorization: string): () => void {
    const place = sniFor(name);
    const answer = challengeCredential(name, keyAuthorization);
    this.#credentials.set(place, answer);
    this.#shared?.put('tls', place, `${name} ${keyAuthorization}`);
    return () => {
      if (this.#credentials.get(place) !== answer) return;
      this.#credentials.delete(place);
      this.#shared?.remove('tls', place);
    };
  }

  /** Whether a client has come to see a challenge: it offers that protocol and no other (RFC 8737 §3). */
  isCheck({ alpnProtocols }: Pick<ClientHelloInfo, 'alpnProtocols'>): boolean {
    return alpnProtocols.length === 1 && alpnProtocols[0] === ACME_TLS_PROTOCOL;
  }

  /** What to show it; nothing when no answer is up for that name. */
  credentialsFor({ serverName }: Pick<ClientHelloInfo, 'serverName'>): readonly Credential[] {
    if (serverName === undefined) return [];
    const found = this.#credentials.get(serverName) ?? this.#sharedCredential(serverName);
    return found === undefined ? [] : [found];
  }

  #sharedCredential(serverName: string): Credential | undefined {
    const [name, keyAuthorization] = this.#shared?.get('tls', serverName)?.split(' ') ?? [];
    // Two names may have one file.
    if (name === undefined || keyAuthorization === undefined || sniFor(name) !== serverName) return undefined;
    return challengeCredential(name, keyAuthorization);
  }
}

/** A certificate that shows a key authorization (RFC 8737 §3): self-signed, for this name alone, its extension critical. */
function challengeCredential(name: string, keyAuthorization: string): Credential {
  const digest = new Uint8Array(createHash('sha256').update(keyAuthorization).digest());
  const { certificate, privateKey } = createSelfSignedCertificate({
    provider: nodeCrypto,
    names: [name],
    days: 7,
    extensions: [{ oid: ACME_IDENTIFIER, critical: true, value: der.octetString(digest) }],
  });
  return credential(nodeCrypto, [certificate.der], privateKey);
}

/** SNI has no addresses: a CA asks for an address by its name in the reverse tree (RFC 8738 §6). */
export function sniFor(name: string): string {
  if (isIP(name) === 0) return name.toLowerCase();
  const bytes = [...parseIpAddress(name)!];
  if (bytes.length === 4) return `${bytes.toReversed().join('.')}.in-addr.arpa`;
  const nibbles = bytes.flatMap((byte) => [byte >> 4, byte & 15]);
  return `${nibbles
    .toReversed()
    .map((nibble) => nibble.toString(16))
    .join('.')}.ip6.arpa`;
}
