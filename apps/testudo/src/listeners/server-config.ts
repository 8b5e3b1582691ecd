import { systemCrypto } from '@testudo/crypto/openssl';
import {
  type ClientHelloInfo,
  type CredentialChooser,
  certificateVerifier,
  GROUPS,
  type ServerConfig,
  serverConfig,
  TlsError,
} from '@testudo/tls';
import { legacy } from '@testudo/tls/legacy';
import { certificateCompressions } from '@testudo/tls/node';
import { TrustStore } from '@testudo/x509';
import { ACME_TLS_PROTOCOL, type ChallengeBoard } from '../acme/challenge-board.ts';
import type { TlsPlan } from '../config/tls-plan.ts';
import { Failure } from '../failure.ts';
import { loadCertificates } from '../identity/certificate-files.ts';
import type { ClientRevocation } from './client-revocation.ts';
import { echKeysIn } from './ech-keys.ts';
import type { SessionState } from './ticket-keys.ts';

/** What a listener's configuration of the engine is made from. */
export interface ServerConfigParts {
  readonly plan: TlsPlan;
  readonly choose: CredentialChooser;
  readonly board?: ChallengeBoard | undefined;
  readonly revocation?: ClientRevocation | undefined;
  readonly sessions: SessionState;
}

/** The engine's configuration for a listener. Throws a `Failure` for options that it does not take. */
export function serverConfigOf(parts: ServerConfigParts): ServerConfig {
  const { plan, choose, board, sessions } = parts;
  const lifetime = plan.tickets.kind === 'none' ? undefined : plan.tickets.lifetime;
  const authentication = clientAuthentication(parts);
  try {
    return serverConfig({
      provider: systemCrypto(),
      credentials: board === undefined ? choose : withChallenges(board, choose),
      tickets: sessions.tickets ?? false,
      echKeys: echKeysIn(plan.ech),
      ...(lifetime === undefined ? {} : { sessionLifetime: lifetime / 1000 }),
      minVersion: plan.minVersion,
      maxVersion: plan.maxVersion,
      cipherSuites: plan.cipherSuites ?? (isOld(plan) ? suitesForOldDevices() : undefined),
      groups: plan.groups ?? defaultGroups(),
      requireAlpn: plan.requireAlpn,
      // Browsers offer it, and a chain that is a packet shorter comes a round trip earlier.
      certificateCompression: certificateCompressions,
      alpnProtocols: board === undefined ? plan.alpn : protocolsWithChallenges(board, plan.alpn),
      // The socket hands it over when the client's Finished has shown that it is no copy (RFC 9846 §8).
      ...(plan.earlyData === 0
        ? {}
        : { earlyData: { maxBytes: plan.earlyData, replayGuard: sessions.replayGuard } }),
      ...(plan.dangerouslyAllowLegacy ? { legacy } : {}),
      ...authentication,
    });
  } catch (error) {
    if (!(error instanceof TlsError)) throw error;
    throw new Failure(error.message, 2, error);
  }
}

/** Asks clients for certificates of a CA, and whether those are revoked. */
function clientAuthentication({ plan, revocation }: ServerConfigParts) {
  if (plan.clientCa === undefined) return {};
  const authorities = loadCertificates(plan.clientCa);
  const trust = new TrustStore(authorities);
  return {
    clientCertificate: plan.clientCertificate === 'required' ? 'require' : 'request',
    verifyCertificate: certificateVerifier({
      provider: systemCrypto(),
      trust: () => trust,
      revocation: revocation?.options,
    }),
    certificateAuthorities: authorities.map(({ subject }) => subject.der),
  } as const;
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

function isOld({ minVersion }: TlsPlan): boolean {
  return minVersion === 'TLSv1' || minVersion === 'TLSv1.1';
}

/** Before TLS 1.2 there is only CBC; it comes last, and the old key exchange after it. */
function suitesForOldDevices(): string[] {
  const { cipherSuites: usual } = serverConfig({ provider: systemCrypto(), credentials: () => [] });
  return [
    ...usual.map(({ name }) => name),
    'TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA',
    'TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA',
    'TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA',
    'TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA',
    'TLS_RSA_WITH_AES_128_CBC_SHA',
    'TLS_RSA_WITH_AES_256_CBC_SHA',
  ];
}

/**
 * The hybrid first, unlike the engine's own order: it is used with clients that have sent a share for it, as today's
 * browsers do, and costs the others nothing.
 */
function defaultGroups(): string[] {
  const order = ['X25519MLKEM768', 'x25519', 'secp256r1', 'secp384r1', 'secp521r1'];
  return order.filter((name) =>
    GROUPS.some((group) => group.name === name && group.available(systemCrypto())),
  );
}
