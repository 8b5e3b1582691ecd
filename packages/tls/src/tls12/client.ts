import { bytesEqual, concat, encode } from '@testudo/codec';
import type { Offer } from '../client-hello-offer.ts';
import { DEFAULT_SESSION_LIFETIME, MAX_HELLO_REQUESTS } from '../defaults.ts';
import { TlsError } from '../errors.ts';
import { statusRequest } from '../extensions/certificates.ts';
import { alpn } from '../extensions/names.ts';
import {
  ecPointFormats,
  extendedMasterSecret,
  renegotiationInfo,
  sessionTicket,
} from '../extensions/negotiation.ts';
import { type Flow, perform } from '../flow.ts';
import type { Group } from '../groups.ts';
import {
  type AuthenticatedPeer,
  type ChosenCredential,
  checkChain,
  checkSignature,
  chooseScheme,
  judge,
  leafKey,
  resumedPeer,
} from '../handshake/authentication.ts';
import type { ClientHandshake } from '../handshake/client-handshake.ts';
import type { FinishedVerified } from '../handshake/finished-verified.ts';
import { nextIs, receive, send } from '../handshake/handshake.ts';
import { connectionInfo, type HandshakeResult } from '../handshake/result.ts';
import { certificate12 } from '../messages/certificate.ts';
import { type CertificateRequest12, certificateRequest12 } from '../messages/certificate-request.ts';
import { certificateStatus } from '../messages/certificate-status.ts';
import { certificateVerify } from '../messages/certificate-verify.ts';
import {
  clientKeyExchange,
  serverEcdhParams,
  serverHelloDone,
  serverKeyExchange,
} from '../messages/key-exchange.ts';
import { type NewSessionTicket12, newSessionTicket12 } from '../messages/new-session-ticket.ts';
import type { ServerHello } from '../messages/server-hello.ts';
import type { Session } from '../sessions/session.ts';
import { type CipherSuite, cipherSuite } from '../suites.ts';
import { TLS12 } from '../versions.ts';
import { Established12 } from './established.ts';
import { receiveFinished, sendFinished } from './finished.ts';
import { connectionKeys, masterSecret, type Randoms } from './secrets.ts';

/** A client's TLS 1.2 handshake from ServerHello on (RFC 5246 §7.3, Figures 1 and 2; RFC 8422). */
export function* clientHandshake12(
  h: ClientHandshake,
  offer: Offer,
  hello: ServerHello<'server_hello_12'>,
): Flow<HandshakeResult> {
  const agreed = checkServerHello(h, offer, hello);
  h.helloRequestsLeft = MAX_HELLO_REQUESTS;
  h.transcript.useHash(agreed.suite.hash);
  return agreed.session === undefined
    ? yield* fullHandshake(h, agreed)
    : yield* resumption(h, agreed, agreed.session);
}

/** What the hellos decided. */
interface Agreed {
  readonly suite: CipherSuite;
  readonly randoms: Randoms;
  readonly sessionId: Uint8Array;
  readonly extendedMasterSecret: boolean;
  readonly alpnProtocol: string | undefined;
  readonly ticketFollows: boolean;
  readonly statusFollows: boolean;
  /** The session that the server resumes. */
  readonly session: Session | undefined;
}

function* fullHandshake(h: ClientHandshake, agreed: Agreed): Flow<HandshakeResult> {
  const { suite, randoms } = agreed;
  const { certificateList } = yield* receive(h, certificate12);
  const ocspResponse = agreed.statusFollows ? yield* receiveStatus(h) : undefined;
  const exchange = yield* receive(h, serverKeyExchange);
  const request = (yield* nextIs(h, certificateRequest12))
    ? yield* receive(h, certificateRequest12)
    : undefined;
  yield* receive(h, serverHelloDone);

  const chain = checkServerChain(h, suite, certificateList);
  const content = concat(randoms.client, randoms.server, encode(serverEcdhParams, exchange.params));
  const scheme = checkSignature(h, TLS12, chain[0]!, { ...exchange, content }, h.config.signatureSchemeIds);
  const server = yield* judge(h, { role: 'server', name: h.host, chain, ocspResponse, scheme });

  const group = chosenGroup(h, exchange.params.namedCurve);
  const own = request === undefined ? undefined : yield* sendCertificate(h, request);
  const share = group.start(h.provider);
  const preMaster = share.finish(exchange.params.point);
  send(h, clientKeyExchange, { point: share.share });
  const master = masterSecret(h, suite, preMaster, randoms, agreed.extendedMasterSecret);
  if (own !== undefined) yield* sendCertificateVerify(h, own);
  h.transcript.forgetMessages();
  const keys = connectionKeys(h.provider, suite, master, randoms);
  const sent = sendFinished(h, 'client', suite, master, keys.clientSealer());

  const ticket = agreed.ticketFollows ? yield* receive(h, newSessionTicket12) : undefined;
  const { proof, received } = yield* receiveFinished(h, 'server', suite, master, keys.serverOpener());
  offerSession(h, agreed, master, server, ticket);
  return result(h, agreed, { master, proof, server, own, group, finished: { sent, received } });
}

function* resumption(h: ClientHandshake, agreed: Agreed, session: Session): Flow<HandshakeResult> {
  const { suite, randoms } = agreed;
  const master = session.secret.slice();
  h.observer?.secret?.('CLIENT_RANDOM', randoms.client, master);
  const keys = connectionKeys(h.provider, suite, master, randoms);
  const ticket = agreed.ticketFollows ? yield* receive(h, newSessionTicket12) : undefined;
  const { proof, received } = yield* receiveFinished(h, 'server', suite, master, keys.serverOpener());
  h.transcript.forgetMessages();
  const sent = sendFinished(h, 'client', suite, master, keys.clientSealer());
  const server = resumedPeer(session);
  if (ticket !== undefined) offerSession(h, agreed, master, server, ticket);
  return result(h, agreed, {
    master,
    proof,
    server,
    own: undefined,
    group: undefined,
    finished: { sent, received },
  });
}

/** RFC 5246 §7.4.1.3, and the extensions' own rules. */
function checkServerHello(h: ClientHandshake, offer: Offer, hello: ServerHello<'server_hello_12'>): Agreed {
  const { extensions } = hello;
  extensions.expectSolicited(offer.hello.extensions);
  const suite = cipherSuite(hello.cipherSuite);
  if (suite === undefined || suite.version !== TLS12 || !offer.hello.cipherSuites.includes(suite.id)) {
    throw new TlsError(
      'illegal-parameter',
      `ServerHello selects the suite 0x${hello.cipherSuite.toString(16)}, which was not offered`,
    );
  }
  if (hello.legacyCompressionMethod !== 0)
    throw new TlsError('illegal-parameter', 'ServerHello selects a compression method');
  const renegotiation = extensions.get(renegotiationInfo);
  if (renegotiation !== undefined && renegotiation.length > 0) {
    throw new TlsError(
      'insecure-renegotiation',
      'renegotiation_info of a first handshake must be empty (RFC 5746 §3.4)',
    );
  }
  const formats = extensions.get(ecPointFormats);
  if (formats !== undefined && !formats.includes(0)) {
    throw new TlsError('illegal-parameter', 'the server does not take uncompressed points');
  }
  const protocol = extensions.get(alpn);
  if (protocol !== undefined && !offer.hello.extensions.get(alpn)!.includes(protocol)) {
    throw new TlsError(
      'illegal-parameter',
      'the server selects an application protocol that was not offered',
    );
  }
  const extended = extensions.has(extendedMasterSecret);
  if (!extended && h.config.options.allowNoExtendedMasterSecret === false) {
    throw new TlsError(
      'no-extended-master-secret',
      'the server does not know extended_master_secret, which is required here',
    );
  }
  return {
    suite,
    randoms: { client: offer.hello.random, server: hello.random },
    sessionId: hello.legacySessionIdEcho,
    extendedMasterSecret: extended,
    alpnProtocol: protocol,
    ticketFollows: extensions.has(sessionTicket),
    statusFollows: extensions.has(statusRequest),
    session: resumedSession(offer, hello, suite, extended),
  };
}

/** The server resumes when it echoes the session ID; then suite and extended master secret must be as they were. */
function resumedSession(
  offer: Offer,
  hello: ServerHello<'server_hello_12'>,
  suite: CipherSuite,
  extended: boolean,
): Session | undefined {
  const id = hello.legacySessionIdEcho;
  if (id.length === 0 || !bytesEqual(id, offer.hello.legacySessionId)) return undefined;
  const { session } = offer;
  if (session?.version !== TLS12) {
    throw new TlsError(
      'illegal-parameter',
      'the server resumes a session that was not offered (RFC 9846 §D.4)',
    );
  }
  if (session.cipherSuite !== suite.id) {
    throw new TlsError('illegal-parameter', 'the server resumes the session with another cipher suite');
  }
  if (session.extendedMasterSecret !== extended) {
    throw new TlsError(
      'extended-master-secret-mismatch',
      'the resumed session differs in extended_master_secret (RFC 7627 §5.3)',
    );
  }
  return session;
}

function* receiveStatus(h: ClientHandshake): Flow<Uint8Array | undefined> {
  // A server that announced a status may still leave it out (RFC 6066 §8).
  if (!(yield* nextIs(h, certificateStatus))) return undefined;
  const { statusType, response } = yield* receive(h, certificateStatus);
  if (statusType !== 1) throw new TlsError('illegal-parameter', `certificate status of type ${statusType}`);
  return response;
}

/** The key in the leaf must be of the kind that the suite names (RFC 8422 §5.3). */
function checkServerChain(
  h: ClientHandshake,
  suite: CipherSuite,
  chain: readonly Uint8Array[],
): readonly Uint8Array[] {
  const leaf = checkChain(chain)[0];
  if (leaf === undefined) throw new TlsError('empty-certificate-list', 'the server sent no certificate');
  const isRsa = leafKey(h, leaf).kind.type.startsWith('rsa');
  if (isRsa === (suite.authentication === 'rsa')) return chain;
  throw new TlsError('illegal-parameter', `the certificate's key does not fit ${suite.name}`);
}

function chosenGroup(h: ClientHandshake, id: number): Group {
  const group = h.config.groups.find((candidate) => candidate.id === id && candidate.tls12);
  if (group !== undefined) return group;
  throw new TlsError('illegal-parameter', `the server chooses the group ${id}, which was not offered`);
}

function* sendCertificate(
  h: ClientHandshake,
  request: CertificateRequest12,
): Flow<ChosenCredential | undefined> {
  const credentials = yield* perform('chooseClientCredential', {
    signatureSchemes: request.supportedSignatureAlgorithms,
    certificateAuthorities: request.certificateAuthorities,
  });
  const chosen = chooseScheme(
    credentials,
    h.config.signatureSchemes,
    request.supportedSignatureAlgorithms,
    TLS12,
  );
  send(h, certificate12, { certificateList: chosen?.credential.certificates ?? [] });
  return chosen;
}

/** RFC 5246 §7.4.8: over every message so far. */
function* sendCertificateVerify(h: ClientHandshake, { credential, scheme }: ChosenCredential): Flow<void> {
  const data = h.transcript.messages();
  const signature = yield* perform('sign', { credential, algorithm: scheme.algorithm, data });
  send(h, certificateVerify, { algorithm: scheme.id, signature });
}

/** Hands out the session for later: named by a ticket, or by the server's session ID. */
function offerSession(
  h: ClientHandshake,
  agreed: Agreed,
  master: Uint8Array,
  server: AuthenticatedPeer,
  ticket: NewSessionTicket12 | undefined,
): void {
  const hasTicket = ticket !== undefined && ticket.ticket.length > 0;
  if (!hasTicket && agreed.sessionId.length === 0) return;
  h.onSession({
    version: TLS12,
    cipherSuite: agreed.suite.id,
    secret: master.slice(),
    extendedMasterSecret: agreed.extendedMasterSecret,
    createdAt: h.config.now(),
    lifetime: ticket?.ticketLifetimeHint || DEFAULT_SESSION_LIFETIME,
    ageAdd: 0,
    id: hasTicket ? new Uint8Array(0) : agreed.sessionId,
    ticket: ticket?.ticket ?? new Uint8Array(0),
    serverName: h.serverName ?? '',
    alpnProtocol: agreed.alpnProtocol ?? '',
    maxEarlyData: 0,
    peerCertificates: server.certificates,
    peerVerified: server.error === undefined,
  });
}

function result(
  h: ClientHandshake,
  agreed: Agreed,
  done: {
    master: Uint8Array;
    proof: FinishedVerified;
    server: AuthenticatedPeer;
    own: ChosenCredential | undefined;
    group: Group | undefined;
    finished: { sent: Uint8Array; received: Uint8Array };
  },
): HandshakeResult {
  return {
    proof: done.proof,
    established: new Established12(h.provider, agreed.suite, done.master, agreed.randoms),
    info: connectionInfo(
      'client',
      {
        version: 'TLSv1.2',
        cipherSuite: agreed.suite,
        group: done.group,
        serverName: h.serverName,
        alpnProtocol: agreed.alpnProtocol,
        resumed: agreed.session !== undefined,
        helloRetryRequest: false,
        extendedMasterSecret: agreed.extendedMasterSecret,
        finished: done.finished,
      },
      done.server,
      done.own,
    ),
  };
}
