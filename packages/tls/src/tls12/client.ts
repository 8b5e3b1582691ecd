import { concat } from '@testudo/codec';
import type { PublicKey } from '@testudo/crypto';
import { credentialsOfType, shownBy, typeShownBy } from '../certificates/type-negotiation.ts';
import type { OcspResponses } from '../certificates/types.ts';
import { MAX_HELLO_REQUESTS } from '../config/defaults.ts';
import { TlsError } from '../errors.ts';
import { responsesIn } from '../features/stapling.ts';
import { type Flow, perform } from '../flow.ts';
import type { Group } from '../groups/index.ts';
import { checkSignature, chooseScheme, judge, leafKey } from '../handshake/authentication.ts';
import type { ClientHandshake } from '../handshake/context.ts';
import type { FinishedVerified } from '../handshake/finished-verified.ts';
import { nextIs, receive, send } from '../handshake/message-flow.ts';
import type { Offer } from '../handshake/offer.ts';
import {
  type AuthenticatedPeer,
  type ChosenCredential,
  resumedPeer,
  UNAUTHENTICATED,
} from '../handshake/peer.ts';
import { checkSamePeer, shownBefore } from '../handshake/previous-handshake.ts';
import { type ConnectionInfo, connectionInfo, type HandshakeResult } from '../handshake/result.ts';
import {
  type CertificateRequest12,
  certificateRequest11,
  certificateRequest12,
  certificateTypeOf,
} from '../messages/certificate-request.ts';
import { certificateStatus } from '../messages/certificate-status.ts';
import { certificateVerify, certificateVerifyUnnamed } from '../messages/certificate-verify.ts';
import { clientKeyExchange, type ServerKeyExchange, serverHelloDone } from '../messages/key-exchange.ts';
import { newSessionTicket12 } from '../messages/new-session-ticket.ts';
import type { ServerHello } from '../messages/server-hello.ts';
import type { Session } from '../sessions/session.ts';
import { type SignatureScheme, signatureScheme } from '../signature-schemes.ts';
import type { CipherSuite } from '../suites/index.ts';
import { certificateMessage12 } from './certificate-message.ts';
import { ClientRenegotiation } from './client-renegotiation.ts';
import { offerSession } from './client-session.ts';
import { Established12 } from './established.ts';
import { mayFalseStart, startFalsely } from './false-start.ts';
import { receiveFinished, sendFinished } from './finished.ts';
import { keyExchangeOf } from './key-exchange/index.ts';
import { keyExchangeMessage, keyFitsSuite, showsCertificate } from './key-exchange/messages.ts';
import { previousHandshake } from './renegotiation.ts';
import { connectionKeys, masterSecret, resumedMasterSecret } from './secrets.ts';
import { type Agreed, checkServerHello } from './server-hello-check.ts';
import { rulesName, type VersionRules } from './version-rules.ts';

/** A client's handshake up to TLS 1.2 from ServerHello on (RFC 5246 §7.3, Figures 1 and 2; RFC 8422). */
export function* clientHandshake12(
  h: ClientHandshake,
  rules: VersionRules,
  offer: Offer,
  hello: ServerHello<'server_hello_12'>,
): Flow<HandshakeResult> {
  h.channel.useVersion(rules.version);
  const agreed = checkServerHello(h, rules, offer, hello);
  h.helloRequestsLeft = MAX_HELLO_REQUESTS;
  h.transcript.useHash(rules.transcriptHash(agreed.terms.suite));
  return agreed.session === undefined
    ? yield* fullHandshake(h, agreed)
    : yield* resumption(h, agreed, agreed.session);
}

/** RFC 5246 §7.3, Figure 1. */
function* fullHandshake(h: ClientHandshake, agreed: Agreed): Flow<HandshakeResult> {
  const { terms } = agreed;
  const flight = yield* receiveServerFlight(h, agreed);
  checkSamePeer(h, flight.chain);
  const { server, key } = yield* authenticateServer(h, agreed, flight);

  const own = flight.request === undefined ? undefined : yield* sendCertificate(h, agreed, flight.request);
  const exchange = keyExchangeOf(terms.suite);
  const side = { terms, serverKey: key, offeredVersion: agreed.offeredVersion };
  const half = yield* exchange.client(h, side, flight.exchange?.params);
  send(h, clientKeyExchange(exchange.clientParams(terms.rules.version)), half.params);
  const master = masterSecret(h, terms, half.preMasterSecret);
  if (own !== undefined) yield* sendCertificateVerify(h, terms.rules, own, master);
  const keys = connectionKeys(h, terms, master);
  const sent = sendFinished(h, 'client', terms, master, keys.clientSealer(), agreed.sendNextProtocol);
  const known = { server, own, group: half.group, pskIdentity: half.pskIdentity };
  if (mayFalseStart(h, agreed, server))
    startFalsely(h, terms, master, infoOf(h, agreed, known, { sent, received: NOTHING }));

  const ticket = agreed.ticketFollows ? yield* receive(h, newSessionTicket12) : undefined;
  const { proof, received } = yield* receiveFinished(h, 'server', terms, master, keys.serverOpener());
  const session = offerSession(h, agreed, master, server, ticket);
  return result(h, agreed, infoOf(h, agreed, known, { sent, received }), { master, session, proof });
}

/** RFC 5246 §7.3, Figure 2; with a ticket RFC 5077 §3.1. */
function* resumption(h: ClientHandshake, agreed: Agreed, session: Session): Flow<HandshakeResult> {
  const { terms } = agreed;
  checkSamePeer(h, shownBefore(session));
  const master = resumedMasterSecret(h, terms, session.secret);
  const keys = connectionKeys(h, terms, master);
  const ticket = agreed.ticketFollows ? yield* receive(h, newSessionTicket12) : undefined;
  const { proof, received } = yield* receiveFinished(h, 'server', terms, master, keys.serverOpener());
  const sent = sendFinished(h, 'client', terms, master, keys.clientSealer(), agreed.sendNextProtocol);
  const server = resumedPeer(session);
  const renewed = ticket === undefined ? undefined : offerSession(h, agreed, master, server, ticket);
  const known = { server, own: undefined, group: undefined, pskIdentity: undefined };
  const info = infoOf(h, agreed, known, { sent, received });
  return result(h, agreed, info, { master, session: renewed ?? session, proof });
}

/** What the server says from ServerHello to ServerHelloDone. */
interface ServerFlight {
  readonly chain: readonly Uint8Array[];
  readonly ocspResponses: OcspResponses;
  readonly exchange: ServerKeyExchange | undefined;
  readonly request: CertificateRequest12 | undefined;
}

function* receiveServerFlight(h: ClientHandshake, { terms, statusFollows }: Agreed): Flow<ServerFlight> {
  const isCertified = showsCertificate(terms.suite);
  const chain = isCertified ? (yield* receive(h, certificateMessage12(h, 'server'))).certificateList : [];
  const ocspResponses = isCertified && statusFollows ? yield* receiveStatus(h, statusFollows) : [];
  const message = keyExchangeMessage(terms);
  const { serverKeyExchange } = keyExchangeOf(terms.suite);
  const hasExchange =
    serverKeyExchange === 'always' || (serverKeyExchange === 'optional' && (yield* nextIs(h, message)));
  const exchange = hasExchange ? yield* receive(h, message) : undefined;
  const requests = terms.rules.namesSignatureSchemes ? certificateRequest12 : certificateRequest11;
  const asks = yield* nextIs(h, requests);
  if (asks) checkMayAsk(terms.suite);
  const request = asks ? yield* receive(h, requests) : undefined;
  yield* receive(h, serverHelloDone);
  return { chain, ocspResponses, exchange, request };
}

/** It has an alert of its own where the server is anonymous (RFC 5246 §7.4.4); with shared keys no such message is due (RFC 4279 §2). */
function checkMayAsk(suite: CipherSuite): void {
  if (showsCertificate(suite)) return;
  const code = suite.authentication === 'anon' ? 'request-by-anonymous-server' : 'unexpected-message';
  throw new TlsError(
    code,
    `a request for a certificate by a server that shows none itself, with ${suite.name}`,
  );
}

function* receiveStatus(h: ClientHandshake, announced: 'v1' | 'v2'): Flow<OcspResponses> {
  // A server that announced a status may still leave it out (RFC 6066 §8).
  if (!(yield* nextIs(h, certificateStatus))) return [];
  return responsesIn(yield* receive(h, certificateStatus), announced === 'v2');
}

/**
 * The key in the certificate is of the kind that the suite names, signed the exchange (RFC 5246 §7.4.3), and the chain is good.
 */
function* authenticateServer(
  h: ClientHandshake,
  { terms, signedCertificateTimestamps }: Agreed,
  { chain, ocspResponses, exchange }: ServerFlight,
): Flow<{ server: AuthenticatedPeer; key: PublicKey | undefined }> {
  const { rules, suite, randoms } = terms;
  if (!showsCertificate(suite)) {
    return { server: suite.authentication === 'anon' ? ANONYMOUS : UNAUTHENTICATED, key: undefined };
  }
  const key = serverKey(h, suite, chain);
  let scheme: AuthenticatedPeer['scheme'];
  if (exchange?.signed !== undefined) {
    const content = concat(randoms.client, randoms.server, exchange.encodedParams);
    const offered = rules.signatureSchemes(h.config.signatureSchemes12);
    scheme = checkSignature(h, rules.version, key, { content, signed: exchange.signed }, offered);
  }
  const server = yield* judge(h, {
    role: 'server',
    name: h.host,
    chain,
    ocspResponses,
    signedCertificateTimestamps,
    scheme,
  });
  return { server, key };
}

/** Nobody knows who that is. */
const ANONYMOUS: AuthenticatedPeer = {
  ...UNAUTHENTICATED,
  error: new Error('the server showed no certificate: anyone may be at the other end'),
};

/** The key of the server's certificate, which must be of the kind that the suite needs (RFC 8422 §5.3, RFC 5246 §7.4.2). */
function serverKey(h: ClientHandshake, suite: CipherSuite, chain: readonly Uint8Array[]): PublicKey {
  const leaf = chain[0];
  if (leaf === undefined) throw new TlsError('empty-certificate-list', 'the server sent no certificate');
  const key = leafKey(h, 'server', leaf);
  if (keyFitsSuite(key.kind, suite)) return key;
  throw new TlsError('illegal-parameter', `the certificate's key does not fit ${suite.name}`);
}

/** RFC 5246 §7.4.6: of those that the request lets, or an empty one. */
function* sendCertificate(
  h: ClientHandshake,
  { terms }: Agreed,
  request: CertificateRequest12,
): Flow<ChosenCredential | undefined> {
  const ours = terms.rules.clientSignatureSchemes(h.config.signatureSchemes12);
  const theirs = request.supportedSignatureAlgorithms ?? schemesOfTypes(ours, request.certificateTypes);
  const credentials = yield* perform('chooseClientCredential', {
    signatureSchemes: theirs,
    keyTypes: request.certificateTypes,
    certificateAuthorities: request.certificateAuthorities,
    certificateType: h.certificateTypes?.client,
  });
  const fitting = credentialsOfType(credentials, typeShownBy(h, 'client'));
  const names = terms.rules.namesSignatureSchemes;
  const usable = names ? theirs.filter((id) => isOfTypes(id, request.certificateTypes)) : theirs;
  const chosen = chooseScheme(fitting, { ours, theirs: usable }, terms.rules.version);
  if (chosen === undefined && terms.rules.warnsWithoutCertificate) {
    h.channel.warn('no_certificate');
    return undefined;
  }
  const certificateList = chosen === undefined ? [] : shownBy(chosen.credential);
  send(h, certificateMessage12(h, 'client'), { certificateList });
  return chosen;
}

/** The key must be of one of the types that the server names, whatever else it can verify (RFC 5246 §7.4.4). */
function isOfTypes(scheme: number, types: readonly number[]): boolean {
  const known = signatureScheme(scheme);
  return known !== undefined && types.includes(certificateTypeOf(known.algorithm));
}

/** Before TLS 1.2 the types of keys say what may sign (RFC 4346 §7.4.4). */
function schemesOfTypes(schemes: readonly SignatureScheme[], types: readonly number[]): number[] {
  return schemes
    .filter(({ algorithm }) => types.includes(certificateTypeOf(algorithm)))
    .map((scheme) => scheme.id);
}

/** RFC 5246 §7.4.8: over every message so far. */
function* sendCertificateVerify(
  h: ClientHandshake,
  rules: VersionRules,
  { credential, scheme }: ChosenCredential,
  master: Uint8Array,
): Flow<void> {
  const data = rules.certificateVerifyContent(h.provider, h.transcript, master);
  const signature = yield* perform('sign', { credential, algorithm: scheme.algorithm, data });
  const message = rules.namesSignatureSchemes ? certificateVerify : certificateVerifyUnnamed;
  send(h, message, { algorithm: scheme.id, signature });
}

function infoOf(
  h: ClientHandshake,
  { terms, alpnProtocol, session, secureRenegotiation }: Agreed,
  known: {
    server: AuthenticatedPeer;
    own: ChosenCredential | undefined;
    group: Group | undefined;
    pskIdentity: Uint8Array | undefined;
  },
  finished: ConnectionInfo['finished'],
): ConnectionInfo {
  return connectionInfo(
    'client',
    {
      version: rulesName(terms.rules),
      cipherSuite: terms.suite,
      group: known.group,
      serverName: h.serverName,
      alpnProtocol,
      resumed: session !== undefined,
      renegotiated: h.renegotiates !== undefined,
      pskIdentity: known.pskIdentity,
      earlyData: 'none',
      helloRetryRequest: false,
      extendedMasterSecret: terms.extended,
      secureRenegotiation,
      randoms: terms.randoms,
      finished,
    },
    known.server,
    known.own,
    h.negotiated,
  );
}

function result(
  h: ClientHandshake,
  { terms, secureRenegotiation }: Agreed,
  info: ConnectionInfo,
  done: {
    master: Uint8Array;
    /** The one that this connection has now. */
    session: Session | undefined;
    proof: FinishedVerified;
  },
): HandshakeResult {
  const previous = previousHandshake(h, 'client', terms, secureRenegotiation, info);
  const renegotiation =
    previous && new ClientRenegotiation(h, terms.rules, previous, done.session, clientHandshake12);
  const established = new Established12(h, 'client', terms, done.master, renegotiation);
  return { proof: done.proof, established, info };
}

const NOTHING = new Uint8Array(0);
