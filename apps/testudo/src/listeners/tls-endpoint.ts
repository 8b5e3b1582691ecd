import type { Socket } from 'node:net';
import { nodeCrypto } from '@testudo/crypto/node';
import {
  type ClientHelloInfo,
  type Credential,
  type CredentialChooser,
  credential,
  GROUPS,
  type Observer,
  type ServerConfig,
  serverConfig,
  TicketKeys,
  TlsError,
  verifyWith,
} from '@testudo/tls';
import { TLSSocket } from '@testudo/tls/node';
import { parsePrivateKey, TrustStore } from '@testudo/x509';
import { ACME_TLS_PROTOCOL, type ChallengeBoard } from '../acme/challenge-board.ts';
import type { TlsPlan } from '../config/plan.ts';
import { Failure } from '../failure.ts';
import { chooseByName, type NamedChoice } from '../identity/certificate-choice.ts';
import { type Identity, loadCertificates, namesIn } from '../identity/certificate-files.ts';
import type { ServedIdentity } from '../identity/certificate-sources.ts';
import type { OcspStaples, Staple } from '../identity/ocsp-staples.ts';

/** What endpoints share. */
export interface TlsHelpers {
  /** The answers to a CA's tls-alpn-01 challenges. Default: none are given. */
  readonly board?: ChallengeBoard | undefined;
  /** OCSP responses. Default: none are stapled. */
  readonly staples?: OcspStaples | undefined;
}

/** The TLS side of a listener: what its connections share, checked once. */
export class TlsEndpoint {
  readonly #config: ServerConfig;
  readonly #requestCert: boolean;
  readonly #staples: OcspStaples | undefined;
  #identities: readonly ServedIdentity[];
  #choice: NamedChoice<readonly Credential[]>;

  /** Whether a CA finds the answers to its tls-alpn-01 challenges here. */
  readonly answersChallenges: boolean;

  /** Throws a `Failure` for options that the engine does not take. */
  constructor(plan: TlsPlan, identities: readonly ServedIdentity[], helpers: TlsHelpers = {}) {
    const { board } = helpers;
    this.#staples = plan.stapling ? helpers.staples : undefined;
    this.#identities = identities;
    this.#choice = choiceOf(identities, this.#staples);
    this.#requestCert = plan.clientCertificate !== 'none';
    this.answersChallenges = board !== undefined;
    this.#config = configOf(plan, ({ serverName }) => this.#choice.for(serverName), board);
  }

  /** Throws a `Failure` for options that the engine does not take, and for a CA file that cannot be used. */
  static check(plan: TlsPlan): void {
    configOf(plan, () => []);
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
      observer,
      settings: { requestCert: this.#requestCert, config: this.#config },
    });
  }
}

function choiceOf(
  identities: readonly ServedIdentity[],
  staples: OcspStaples | undefined,
): NamedChoice<readonly Credential[]> {
  return chooseByName(
    identities.map(({ identity, names, isDefault }) => ({
      isDefault,
      names: names ?? namesIn(identity.chain[0]!),
      value: [stapled(credentialOf(identity), staples?.stapleFor(identity))],
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

function configOf(plan: TlsPlan, choose: CredentialChooser, board?: ChallengeBoard): ServerConfig {
  const authorities = plan.clientCa === undefined ? undefined : loadCertificates(plan.clientCa);
  const trust = authorities && new TrustStore(authorities);
  try {
    return serverConfig({
      provider: nodeCrypto,
      credentials: board === undefined ? choose : withChallenges(board, choose),
      tickets: new TicketKeys(nodeCrypto),
      minVersion: plan.minVersion,
      maxVersion: plan.maxVersion,
      cipherSuites: plan.cipherSuites,
      groups: plan.groups ?? defaultGroups(),
      alpnProtocols: board === undefined ? plan.alpn : protocolsWithChallenges(board, plan.alpn),
      ...(trust === undefined
        ? {}
        : {
            clientCertificate: plan.clientCertificate === 'required' ? 'require' : 'request',
            verifyCertificate: verifyWith(nodeCrypto, () => trust),
            certificateAuthorities: authorities?.map(({ subject }) => subject.der),
          }),
    });
  } catch (error) {
    if (!(error instanceof TlsError)) throw error;
    throw new Failure(error.message, 2, error);
  }
}

/** A CA gets the answer to its challenge, and everyone else a certificate. */
function withChallenges(board: ChallengeBoard, choose: CredentialChooser): CredentialChooser {
  return (hello) => (board.isCheck(hello) ? board.credentialsFor(hello) : choose(hello));
}

/** As without a board: who has no protocols of his own passes over what clients offer. */
function protocolsWithChallenges(
  board: ChallengeBoard,
  protocols: readonly string[] | undefined,
): (hello: ClientHelloInfo) => string | null | undefined {
  return (hello) => {
    if (board.isCheck(hello)) return ACME_TLS_PROTOCOL;
    if (protocols === undefined) return null;
    return protocols.find((protocol) => hello.alpnProtocols.includes(protocol));
  };
}

/**
 * The hybrid first, unlike the engine's own order: it is used with clients that have sent a share for it, as today's
 * browsers do, and costs the others nothing.
 */
function defaultGroups(): string[] {
  const order = ['X25519MLKEM768', 'x25519', 'secp256r1', 'secp384r1', 'secp521r1'];
  return order.filter((name) => GROUPS.some((group) => group.name === name && group.available(nodeCrypto)));
}
