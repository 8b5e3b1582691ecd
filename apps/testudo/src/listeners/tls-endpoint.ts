import type { Socket } from 'node:net';
import { systemCrypto } from '@testudo/crypto/openssl';
import { type Credential, credential, type Observer, type ServerConfig } from '@testudo/tls';
import { TLSSocket } from '@testudo/tls/node';
import { parsePrivateKey } from '@testudo/x509';
import type { ChallengeBoard } from '../acme/challenge-board.ts';
import type { TlsPlan } from '../config/tls-plan.ts';
import { chooseByName, type NamedChoice } from '../identity/certificate-choice.ts';
import { type Identity, namesIn } from '../identity/certificate-files.ts';
import type { ServedIdentity } from '../identity/certificate-sources.ts';
import type { OcspStaples, Staple } from '../identity/ocsp-staples.ts';
import { ClientRevocation } from './client-revocation.ts';
import { checkPublicNames } from './ech-keys.ts';
import { serverConfigOf } from './server-config.ts';
import { type SessionState, sessionState } from './ticket-keys.ts';

/** What endpoints share. */
export interface TlsHelpers {
  /** The answers to a CA's tls-alpn-01 challenges. Default: none are given. */
  readonly board?: ChallengeBoard | undefined;
  /** OCSP responses. Default: none are stapled. */
  readonly staples?: OcspStaples | undefined;
  /** What remembers sessions, if it is there already. Default: new. */
  readonly sessions?: SessionState | undefined;
}

/** The TLS side of a listener: what its connections share, checked once. */
export class TlsEndpoint {
  readonly #config: ServerConfig;
  readonly #plan: TlsPlan;
  readonly #staples: OcspStaples | undefined;
  #identities: readonly ServedIdentity[];
  #choice: NamedChoice<Credential>;

  /** Whether a CA finds the answers to its tls-alpn-01 challenges here. */
  readonly answersChallenges: boolean;
  /** What remembers sessions: for whoever takes its place. */
  readonly sessions: SessionState;

  /** Throws a `Failure` for options that the engine does not take. */
  constructor(plan: TlsPlan, identities: readonly ServedIdentity[], helpers: TlsHelpers = {}) {
    const { board } = helpers;
    this.#staples = plan.stapling ? helpers.staples : undefined;
    this.#identities = identities;
    this.#choice = choiceOf(identities, this.#staples);
    this.#plan = plan;
    this.sessions = helpers.sessions ?? sessionState(plan.tickets);
    this.answersChallenges = board !== undefined;
    this.#config = serverConfigOf({
      plan,
      board,
      sessions: this.sessions,
      revocation: plan.clientRevocation && new ClientRevocation(plan.clientRevocation),
      choose: plan.strictSni
        ? ({ serverName }) => this.#choice.exactly(serverName) ?? []
        : ({ serverName }) => this.#choice.for(serverName),
    });
    checkPublicNames(this.#config, (name) => this.#choice.exactly(name) !== undefined);
  }

  /** Throws a `Failure` for options that the engine does not take, and for a CA file that cannot be used. */
  static check(plan: TlsPlan): void {
    const sessions = sessionState(plan.tickets);
    const revocation = plan.clientRevocation && new ClientRevocation(plan.clientRevocation);
    serverConfigOf({ plan, sessions, choose: () => [], revocation });
  }

  /** Shows other certificates from now on; connections that are open keep theirs. */
  replace(identities: readonly ServedIdentity[]): void {
    this.#identities = identities;
    this.#choice = choiceOf(identities, this.#staples);
  }

  /** What it shows. */
  get identities(): readonly ServedIdentity[] {
    return this.#identities;
  }

  /** Begins TLS on a TCP connection. */
  secure(raw: Socket, observer?: Observer): TLSSocket {
    return new TLSSocket(raw, {
      isServer: true,
      allowHalfOpen: true,
      strict: true,
      ...(observer === undefined ? {} : { observer }),
      settings: { requestCert: this.#plan.clientCertificate !== 'none', config: this.#config },
    });
  }
}

function choiceOf(
  identities: readonly ServedIdentity[],
  staples: OcspStaples | undefined,
): NamedChoice<Credential> {
  return chooseByName(
    identities.map(({ identity, names, isDefault }) => ({
      isDefault,
      names: names ?? namesIn(identity.chain[0]!),
      value: stapled(credentialOf(identity), staples?.stapleFor(identity)),
    })),
  );
}

function credentialOf({ chain, keyPem }: Identity): Credential {
  return credential(
    systemCrypto(),
    chain.map(({ der }) => der),
    parsePrivateKey(keyPem, systemCrypto()),
  );
}

/** Asked for at each handshake, since it changes. */
function stapled(own: Credential, staple: Staple | undefined): Credential {
  if (staple === undefined) return own;
  return Object.defineProperty({ ...own }, 'ocspResponse', { get: () => staple.response, enumerable: true });
}
