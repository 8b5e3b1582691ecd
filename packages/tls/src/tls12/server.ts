import { concat, encode } from '@testudo/codec';
import { chooseProtocol, clientHelloInfo } from '../client-hello-info.ts';
import { TlsError } from '../errors.ts';
import { ExtensionBlock } from '../extensions/block.ts';
import { statusRequest } from '../extensions/certificates.ts';
import { alpn, serverName } from '../extensions/names.ts';
import {
  ecPointFormats,
  extendedMasterSecret,
  renegotiationInfo,
  sessionTicket,
} from '../extensions/negotiation.ts';
import { type Flow, perform } from '../flow.ts';
import {
  type AuthenticatedPeer,
  checkChain,
  checkSignature,
  judge,
  resumedPeer,
  UNAUTHENTICATED,
} from '../handshake/authentication.ts';
import type { FinishedVerified } from '../handshake/finished-verified.ts';
import { receive, send } from '../handshake/handshake.ts';
import { connectionInfo, type HandshakeResult } from '../handshake/result.ts';
import type { ServerHandshake } from '../handshake/server-handshake.ts';
import { certificate12 } from '../messages/certificate.ts';
import { certificateRequest12, ECDSA_SIGN, RSA_SIGN } from '../messages/certificate-request.ts';
import { certificateStatus } from '../messages/certificate-status.ts';
import { certificateVerify } from '../messages/certificate-verify.ts';
import type { ClientHello } from '../messages/client-hello.ts';
import {
  clientKeyExchange,
  serverEcdhParams,
  serverHelloDone,
  serverKeyExchange,
} from '../messages/key-exchange.ts';
import { newSessionTicket12 } from '../messages/new-session-ticket.ts';
import { DOWNGRADE_TLS12, serverHello } from '../messages/server-hello.ts';
import type { ClientHelloInfo } from '../options.ts';
import type { Session } from '../sessions/session.ts';
import { type CipherSuite, cipherSuite } from '../suites.ts';
import { TLS12, TLS13 } from '../versions.ts';
import { Established12 } from './established.ts';
import { receiveFinished, sendFinished } from './finished.ts';
import { connectionKeys, masterSecret, type Randoms } from './secrets.ts';
import { checkExtensions, chooseParameters, findSession, type Parameters12 } from './server-parameters.ts';

/** A server's TLS 1.2 handshake from ClientHello on (RFC 5246 §7.3, Figures 1 and 2; RFC 8422). */
export function* serverHandshake12(h: ServerHandshake, hello: ClientHello): Flow<HandshakeResult> {
  const info = clientHelloInfo(hello);
  const { secureRenegotiation, extended } = checkExtensions(h, hello);
  const session = yield* findSession(h, hello, info, extended);
  const alpnProtocol = yield* chooseProtocol(h, info);
  const agreed: Agreed = {
    hello,
    info,
    alpnProtocol,
    extended,
    secureRenegotiation,
    randoms: { client: hello.random, server: serverRandom(h) },
    sendsTicket: Boolean(h.config.options.tickets) && hello.extensions.has(sessionTicket),
  };
  return session === undefined ? yield* fullHandshake(h, agreed) : yield* resumption(h, agreed, session);
}

/** What the client's hello decided. */
interface Agreed {
  readonly hello: ClientHello;
  readonly info: ClientHelloInfo;
  readonly alpnProtocol: string | undefined;
  readonly extended: boolean;
  readonly secureRenegotiation: boolean;
  readonly randoms: Randoms;
  readonly sendsTicket: boolean;
}

function* fullHandshake(h: ServerHandshake, agreed: Agreed): Flow<HandshakeResult> {
  const parameters = yield* chooseParameters(h, agreed.hello, agreed.info);
  const { suite, group, credential } = parameters;
  const { randoms } = agreed;
  const storesSession = h.config.options.sessionStore !== undefined && !agreed.sendsTicket;
  const sessionId = storesSession ? h.provider.randomBytes(32) : NOTHING;
  const staples = credential.ocspResponse !== undefined && agreed.hello.extensions.has(statusRequest);
  h.transcript.useHash(suite.hash);

  sendServerHello(h, agreed, suite, sessionId, { staples, resumes: false });
  send(h, certificate12, { certificateList: credential.certificates });
  if (staples) send(h, certificateStatus, { statusType: 1, response: credential.ocspResponse! });
  const share = group.start(h.provider);
  yield* sendKeyExchange(h, parameters, randoms, share.share);
  const asks = sendCertificateRequest(h);
  send(h, serverHelloDone, true);

  const chain = asks ? yield* receiveCertificate(h) : [];
  const { point } = yield* receive(h, clientKeyExchange);
  const master = masterSecret(h, suite, share.finish(point), randoms, agreed.extended);
  const client = chain.length > 0 ? yield* authenticateClient(h, chain) : UNAUTHENTICATED;
  h.transcript.forgetMessages();
  const keys = connectionKeys(h.provider, suite, master, randoms);
  const { proof, received } = yield* receiveFinished(h, 'client', suite, master, keys.clientOpener());

  const session = sessionFor(h, agreed, suite, master, client, sessionId);
  if (agreed.sendsTicket) yield* sendTicket(h, session);
  else if (storesSession) yield* perform('storeSession', { id: sessionId, session });
  const sent = sendFinished(h, 'server', suite, master, keys.serverSealer());
  return result(h, agreed, {
    suite,
    master,
    proof,
    client,
    parameters,
    finished: { sent, received },
  });
}

function* resumption(h: ServerHandshake, agreed: Agreed, session: Session): Flow<HandshakeResult> {
  const suite = cipherSuite(session.cipherSuite)!;
  const master = session.secret.slice();
  const { randoms } = agreed;
  h.observer?.secret?.('CLIENT_RANDOM', randoms.client, master);
  h.transcript.useHash(suite.hash);
  h.transcript.forgetMessages();
  sendServerHello(h, agreed, suite, agreed.hello.legacySessionId, { staples: false, resumes: true });
  const keys = connectionKeys(h.provider, suite, master, randoms);
  if (agreed.sendsTicket) yield* sendTicket(h, session);
  const sent = sendFinished(h, 'server', suite, master, keys.serverSealer());
  const { proof, received } = yield* receiveFinished(h, 'client', suite, master, keys.clientOpener());
  const client = resumedPeer(session);
  return result(h, agreed, {
    suite,
    master,
    proof,
    client,
    parameters: undefined,
    finished: { sent, received },
  });
}

/** 32 random bytes, the last eight of which warn a client that wanted 1.3 (RFC 9846 §4.1.3). */
function serverRandom(h: ServerHandshake): Uint8Array {
  const random = h.provider.randomBytes(32);
  if (h.config.versions.includes(TLS13)) random.set(DOWNGRADE_TLS12, 24);
  return random;
}

function sendServerHello(
  h: ServerHandshake,
  agreed: Agreed,
  suite: CipherSuite,
  sessionId: Uint8Array,
  answer: { staples: boolean; resumes: boolean },
): void {
  const asked = agreed.hello.extensions;
  const extensions = new ExtensionBlock('server_hello_12');
  if (agreed.info.serverName !== undefined && !answer.resumes) extensions.set(serverName, null);
  if (agreed.secureRenegotiation) extensions.set(renegotiationInfo, NOTHING);
  if (agreed.extended) extensions.set(extendedMasterSecret, null);
  if (asked.has(ecPointFormats)) extensions.set(ecPointFormats, [0]);
  if (agreed.sendsTicket) extensions.set(sessionTicket, null);
  if (answer.staples) extensions.set(statusRequest, null);
  if (agreed.alpnProtocol !== undefined) extensions.set(alpn, agreed.alpnProtocol);
  send(h, serverHello, {
    legacyVersion: TLS12,
    random: agreed.randoms.server,
    legacySessionIdEcho: sessionId,
    cipherSuite: suite.id,
    legacyCompressionMethod: 0,
    extensions,
  });
}

function* sendKeyExchange(
  h: ServerHandshake,
  { group, credential, scheme }: Parameters12,
  randoms: Randoms,
  point: Uint8Array,
): Flow<void> {
  const params = { namedCurve: group.id, point };
  const data = concat(randoms.client, randoms.server, encode(serverEcdhParams, params));
  const signature = yield* perform('sign', { credential, algorithm: scheme.algorithm, data });
  send(h, serverKeyExchange, { params, algorithm: scheme.id, signature });
}

function sendCertificateRequest(h: ServerHandshake): boolean {
  const { clientCertificate, certificateAuthorities } = h.config.options;
  if ((clientCertificate ?? 'none') === 'none') return false;
  send(h, certificateRequest12, {
    certificateTypes: [ECDSA_SIGN, RSA_SIGN],
    supportedSignatureAlgorithms: h.config.signatureSchemeIds,
    certificateAuthorities: certificateAuthorities ?? [],
  });
  return true;
}

function* receiveCertificate(h: ServerHandshake): Flow<readonly Uint8Array[]> {
  const { certificateList } = yield* receive(h, certificate12);
  if (certificateList.length === 0 && h.config.options.clientCertificate === 'require') {
    throw new TlsError(
      'client-certificate-missing',
      'the client showed no certificate, and this server requires one',
    );
  }
  return checkChain(certificateList);
}

function* authenticateClient(h: ServerHandshake, chain: readonly Uint8Array[]): Flow<AuthenticatedPeer> {
  const content = h.transcript.messages();
  const verify = yield* receive(h, certificateVerify);
  const scheme = checkSignature(h, TLS12, chain[0]!, { ...verify, content }, h.config.signatureSchemeIds);
  return yield* judge(h, { role: 'client', name: undefined, chain, ocspResponse: undefined, scheme });
}

function* sendTicket(h: ServerHandshake, session: Session): Flow<void> {
  const ticket = yield* perform('sealTicket', session);
  send(h, newSessionTicket12, { ticketLifetimeHint: h.config.sessionLifetime, ticket });
}

function sessionFor(
  h: ServerHandshake,
  agreed: Agreed,
  suite: CipherSuite,
  master: Uint8Array,
  client: AuthenticatedPeer,
  id: Uint8Array,
): Session {
  return {
    version: TLS12,
    cipherSuite: suite.id,
    secret: master.slice(),
    extendedMasterSecret: agreed.extended,
    createdAt: h.now,
    lifetime: h.config.sessionLifetime,
    ageAdd: 0,
    id,
    ticket: NOTHING,
    serverName: agreed.info.serverName ?? '',
    alpnProtocol: agreed.alpnProtocol ?? '',
    maxEarlyData: 0,
    peerCertificates: client.certificates,
    peerVerified: client.error === undefined,
  };
}

function result(
  h: ServerHandshake,
  agreed: Agreed,
  done: {
    suite: CipherSuite;
    master: Uint8Array;
    proof: FinishedVerified;
    client: AuthenticatedPeer;
    /** Undefined when a session was resumed. */
    parameters: Parameters12 | undefined;
    finished: { sent: Uint8Array; received: Uint8Array };
  },
): HandshakeResult {
  return {
    proof: done.proof,
    established: new Established12(h.provider, done.suite, done.master, agreed.randoms),
    info: connectionInfo(
      'server',
      {
        version: 'TLSv1.2',
        cipherSuite: done.suite,
        group: done.parameters?.group,
        serverName: agreed.info.serverName,
        alpnProtocol: agreed.alpnProtocol,
        resumed: done.parameters === undefined,
        helloRetryRequest: false,
        extendedMasterSecret: agreed.extended,
        finished: done.finished,
      },
      done.client,
      done.parameters,
    ),
  };
}

const NOTHING = new Uint8Array(0);
