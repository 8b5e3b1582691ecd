import type { Socket } from 'node:net';
import { nodeCrypto } from '@testudo/crypto/node';
import { type Credential, credential, type Observer, type ServerConfig, type TicketKeys } from '@testudo/tls';
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
import { renewTicketKeys, ticketKeys } from './ticket-keys.ts';

/** What endpoints share. */
export interface TlsHelpers {
  /** The answers to a CA's tls-alpn-01 challenges. Default: none are given. */
  readonly board?: ChallengeBoard | undefined;
  /** OCSP responses. Default: none are stapled. */
  readonly staples?: OcspStaples | undefined;
}

/** The TLS side of a listener: what its connections share, checked once. */
export class TlsEndpoint {
  #config: ServerConfig;
  readonly #board: ChallengeBoard | undefined;
  readonly #plan: TlsPlan;
  readonly #tickets: TicketKeys | undefined;
  readonly #revocation: ClientRevocation | undefined;
  readonly #staples: OcspStaples | undefined;
  #identities: readonly ServedIdentity[];
  #choice: NamedChoice<Credential>;

  /** Whether a CA finds the answers to its tls-alpn-01 challenges here. */
  readonly answersChallenges: boolean;

  /** Throws a `Failure` for options that the engine does not take. */
  constructor(plan: TlsPlan, identities: readonly ServedIdentity[], helpers: TlsHelpers = {}) {
    const { board } = helpers;
    this.#staples = plan.stapling ? helpers.staples : undefined;
    this.#identities = identities;
    this.#choice = choiceOf(identities, this.#staples);
    this.#plan = plan;
    this.#tickets = ticketKeys(plan.tickets);
    this.#revocation = plan.clientRevocation && new ClientRevocation(plan.clientRevocation);
    this.#board = board;
    this.answersChallenges = board !== undefined;
    this.#config = this.#makeConfig();
  }

  /** Throws a `Failure` for options that the engine does not take, and for a CA file that cannot be used. */
  static check(plan: TlsPlan): void {
    ticketKeys(plan.tickets);
    const revocation = plan.clientRevocation && new ClientRevocation(plan.clientRevocation);
    serverConfigOf({ plan, choose: () => [], revocation });
  }

  /**
   * Reads the files again that are not certificates to show: lists of revoked clients, keys of tickets and of ECH. Throws a
   * `Failure`, and leaves all as it was, when one cannot be used.
   */
  reload(): void {
    const config = this.#plan.ech.length > 0 ? this.#makeConfig() : this.#config;
    this.#revocation?.reload();
    this.#config = config;
    const { tickets } = this.#plan;
    // Who was let in before may be on a list now: nobody resumes.
    const mustRenew = tickets.kind === 'files' || this.#revocation !== undefined;
    if (this.#tickets !== undefined && mustRenew) renewTicketKeys(this.#tickets, tickets);
  }

  #makeConfig(): ServerConfig {
    const config = serverConfigOf({
      plan: this.#plan,
      board: this.#board,
      tickets: this.#tickets,
      revocation: this.#revocation,
      choose: this.#plan.strictSni
        ? ({ serverName }) => this.#choice.exactly(serverName) ?? []
        : ({ serverName }) => this.#choice.for(serverName),
    });
    checkPublicNames(config, (name) => this.#choice.exactly(name) !== undefined);
    return config;
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
  secure(raw: Socket, observer: Observer): TLSSocket {
    return new TLSSocket(raw, {
      isServer: true,
      allowHalfOpen: true,
      strict: true,
      observer,
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
    nodeCrypto,
    chain.map(({ der }) => der),
    parsePrivateKey(keyPem, nodeCrypto),
  );
}

/** Asked for at each handshake, since it changes. */
function stapled(own: Credential, staple: Staple | undefined): Credential {
  if (staple === undefined) return own;
  return Object.defineProperty({ ...own }, 'ocspResponse', { get: () => staple.response, enumerable: true });
}
