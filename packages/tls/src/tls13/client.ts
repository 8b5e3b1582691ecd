import { learnCertificateTypes } from '../certificates/type-negotiation.ts';
import { TlsError } from '../errors.ts';
import { keyShare } from '../extensions/key-share.ts';
import { supportedGroups } from '../extensions/negotiation.ts';
import { earlyData, preSharedKey } from '../extensions/pre-shared-key.ts';
import { selectedProtocol } from '../extensions/selected-protocol.ts';
import { type ChosenSettings, learnSettings, sendSettings } from '../features/application-settings.ts';
import { learnFeatures, noteFeatures } from '../features/client-features.ts';
import { learnTrustAnchors } from '../features/trust-anchors.ts';
import type { Flow } from '../flow.ts';
import type { Group } from '../groups/index.ts';
import type { ClientHandshake } from '../handshake/context.ts';
import type { FinishedVerified } from '../handshake/finished-verified.ts';
import { nextIs, receive, send } from '../handshake/message-flow.ts';
import type { Offer, OfferedPsk } from '../handshake/offer.ts';
import {
  type AuthenticatedPeer,
  type ChosenCredential,
  resumedPeer,
  UNAUTHENTICATED,
} from '../handshake/peer.ts';
import { connectionInfo, type HandshakeResult } from '../handshake/result.ts';
import { type CertificateRequest13, certificateRequest13 } from '../messages/certificate-request.ts';
import { encryptedExtensions } from '../messages/encrypted-extensions.ts';
import { endOfEarlyData } from '../messages/end-of-early-data.ts';
import { finished } from '../messages/finished.ts';
import type { ServerHello } from '../messages/server-hello.ts';
import type { CipherSuite13 } from '../suites/index.ts';
import { receiveAuthentication } from './authentication.ts';
import { sendCredential } from './client-credential.ts';
import { type EarlyDataOutcome, earlyDataOutcome } from './early-data.ts';
import { Established13 } from './established.ts';
import { finishedData, verifyFinished } from './finished.ts';
import { KeySchedule } from './key-schedule.ts';
import { LaterAnswers } from './later-answers.ts';
import { checkPsk } from './offered-psk.ts';
import { checkServerHello13 } from './server-hello-check.ts';
import { sessionFromTicket } from './tickets.ts';
import { type ApplicationSecrets, applicationSecrets, handshakeSecrets } from './traffic-secrets.ts';

/** A client's TLS 1.3 handshake from ServerHello on (RFC 9846 §2, Figure 1). */
export function* clientHandshake13(
  h: ClientHandshake,
  offer: Offer,
  hello: ServerHello<'server_hello'>,
  retried: CipherSuite13 | undefined,
): Flow<HandshakeResult> {
  const agreed = checkAgreement(h, offer, hello, retried);
  const schedule = new KeySchedule(h.provider, agreed.suite, agreed.psk?.key);
  try {
    const keys = enterHandshake(h, agreed, schedule);
    const flight = yield* receiveServerFlight(h, agreed, schedule, keys);

    schedule.enterMain();
    const application = applicationSecrets(h, schedule, offer.hello.random);
    h.channel.endCompatibility();
    h.channel.setApplicationOpener(schedule.opener(application.server), flight.proof, 'application');

    const { own, sent } = yield* sendClientFlight(h, flight, schedule, keys);
    h.channel.setSealer(schedule.sealer(application.client), 'application');
    return complete(h, agreed, flight, schedule, application, { own, sent });
  } finally {
    schedule.wipe();
    agreed.secret.fill(0);
  }
}

/** What the hellos decided. */
interface Agreement {
  readonly offer: Offer;
  readonly suite: CipherSuite13;
  readonly psk: OfferedPsk | undefined;
  readonly group: Group;
  /** The (EC)DHE secret. */
  readonly secret: Uint8Array;
  readonly retried: boolean;
  readonly serverRandom: Uint8Array;
}

function checkAgreement(
  h: ClientHandshake,
  offer: Offer,
  hello: ServerHello<'server_hello'>,
  retried: CipherSuite13 | undefined,
): Agreement {
  const suite = checkServerHello13(h, offer, hello);
  // The suite of the HelloRetryRequest stays: the transcript is hashed with its hash already (RFC 9846 §4.2.4).
  if (retried !== undefined && retried !== suite) {
    throw new TlsError(
      'illegal-parameter',
      'ServerHello selects a different suite than the HelloRetryRequest before it',
    );
  }
  const psk = selectedPsk(offer, hello, suite);
  if (h.config.requirePsk)
    checkPsk(
      psk,
      'the server accepts none of the pre-shared keys offered, and requirePsk allows no certificate in their place',
    );
  const { group, secret } = agree(offer, hello, psk);
  return {
    offer,
    suite,
    psk,
    group,
    secret,
    retried: retried !== undefined,
    serverRandom: hello.random.slice(),
  };
}

/** RFC 9846 §4.3.11: only what was offered, and only with the hash it was made with. */
function selectedPsk(
  offer: Offer,
  hello: ServerHello<'server_hello'>,
  suite: CipherSuite13,
): OfferedPsk | undefined {
  const index = hello.extensions.get(preSharedKey);
  if (index === undefined) return undefined;
  const psk = offer.psks[index];
  if (psk === undefined)
    throw new TlsError('illegal-parameter', 'the server selects a PSK that was not offered');
  if (psk.hash === suite.hash) return psk;
  throw new TlsError(
    'illegal-parameter',
    'the server selects a PSK together with a suite of a different hash',
  );
}

/** (EC)DHE with one of our shares (RFC 9846 §4.3.8), which each of our PSKs goes with, too (§4.3.11). */
function agree(
  offer: Offer,
  hello: ServerHello<'server_hello'>,
  psk: OfferedPsk | undefined,
): { group: Group; secret: Uint8Array } {
  const share = hello.extensions.get(keyShare);
  if (share === undefined) {
    const code = psk === undefined ? 'missing-extension' : 'illegal-parameter';
    throw new TlsError(code, 'ServerHello without key_share');
  }
  const own = offer.shares.find((candidate) => candidate.group.id === share.group);
  if (own === undefined)
    throw new TlsError('illegal-parameter', 'the server answers with a group for which no share was sent');
  return { group: own.group, secret: own.finish(share.keyExchange) };
}

interface HandshakeKeys {
  readonly client: Uint8Array;
  readonly server: Uint8Array;
}

/** Takes the handshake keys into use (RFC 9846 §7.1, §7.4 for the shared secret). */
function enterHandshake(h: ClientHandshake, agreed: Agreement, schedule: KeySchedule): HandshakeKeys {
  const { hello } = agreed.offer;
  h.channel.useTls13();
  h.transcript.useHash(agreed.suite.hash);
  if (!h.config.postHandshakeAuth) h.transcript.forgetMessages();
  schedule.enterHandshake(agreed.secret);
  const { offersEarlyData } = agreed.offer;
  const sendsEarlyData = offersEarlyData && !agreed.retried;
  // Before the first protected record, which may be an alert (RFC 9846 §E.4).
  if (hello.legacySessionId.length > 0 && !agreed.retried && !offersEarlyData)
    h.channel.writeChangeCipherSpec();
  const keys = handshakeSecrets(h, schedule, hello.random);
  h.channel.setOpener(schedule.opener(keys.server), 'handshake');
  // Early data goes on under its own key until the server says what becomes of it.
  if (!sendsEarlyData) h.channel.setSealer(schedule.sealer(keys.client), 'handshake');
  return keys;
}

/** What the server says from EncryptedExtensions to Finished. */
interface ServerFlight {
  readonly alpnProtocol: string | undefined;
  /** What the server wants answered with a message of ours. */
  readonly settings: ChosenSettings | undefined;
  readonly early: EarlyDataOutcome;
  readonly request: CertificateRequest13 | undefined;
  readonly server: AuthenticatedPeer;
  readonly proof: FinishedVerified;
  readonly received: Uint8Array;
}

/** RFC 9846 §4.4, §4.5: EncryptedExtensions, CertificateRequest, Certificate, CertificateVerify, Finished. */
function* receiveServerFlight(
  h: ClientHandshake,
  agreed: Agreement,
  schedule: KeySchedule,
  keys: HandshakeKeys,
): Flow<ServerFlight> {
  const { offer, psk, suite } = agreed;
  const { extensions } = yield* receive(h, encryptedExtensions);
  extensions.expectSolicited(offer.hello.extensions, [supportedGroups]);
  learnFeatures(h, extensions);
  learnTrustAnchors(h, extensions);
  if (psk === undefined) learnCertificateTypes(h, extensions);
  h.echHooks?.learn(extensions);
  const alpnProtocol = selectedProtocol(offer.hello.extensions, extensions);
  const early = earlyDataOutcome(offer, { accepted: extensions.has(earlyData), psk, suite, alpnProtocol });
  const settings = learnSettings(
    h,
    extensions,
    alpnProtocol,
    early === 'accepted' ? psk?.session : undefined,
  );
  if (early === 'rejected' && !agreed.retried) {
    h.channel.closeEarlyData();
    h.channel.setSealer(schedule.sealer(keys.client), 'handshake');
  }
  const request = psk === undefined ? yield* receiveCertificateRequest(h) : undefined;
  const server = psk === undefined ? yield* authenticateServer(h, offer) : knownPeer(psk);
  const expected = finishedData(h.provider, suite.hash, keys.server, h.transcript.digest());
  const { verifyData } = yield* receive(h, finished);
  const proof = verifyFinished(h.provider, verifyData, expected);
  return { alpnProtocol, settings, early, request, server, proof, received: verifyData };
}

/** A PSK proves that the peer is who it was, or who has the key. */
export function knownPeer(psk: { readonly session: OfferedPsk['session'] }): AuthenticatedPeer {
  return psk.session === undefined ? UNAUTHENTICATED : resumedPeer(psk.session);
}

/** The request for our certificate, if the server sends one (RFC 9846 §4.4.2). */
function* receiveCertificateRequest(h: ClientHandshake): Flow<CertificateRequest13 | undefined> {
  if (!(yield* nextIs(h, certificateRequest13))) return undefined;
  const request = yield* receive(h, certificateRequest13);
  if (request.certificateRequestContext.length > 0) {
    throw new TlsError(
      'illegal-parameter',
      'a certificate request in a handshake must have an empty context',
    );
  }
  return request;
}

function* authenticateServer(h: ClientHandshake, offer: Offer): Flow<AuthenticatedPeer> {
  return yield* receiveAuthentication(h, {
    role: 'server',
    name: h.host,
    offered: h.config.serverSchemes13,
    requested: offer.hello.extensions,
  });
}

/**
 * EndOfEarlyData if the server took early data (RFC 9846 §4.6), our settings if it sent its own, our certificate if it asked
 * for one, Finished.
 */
function* sendClientFlight(
  h: ClientHandshake,
  { early, settings, request }: ServerFlight,
  schedule: KeySchedule,
  keys: HandshakeKeys,
): Flow<{ own: ChosenCredential | undefined; sent: Uint8Array }> {
  if (early === 'accepted') {
    h.channel.closeEarlyData();
    send(h, endOfEarlyData, true);
    h.channel.setSealer(schedule.sealer(keys.client), 'handshake');
  }
  if (settings !== undefined) sendSettings(h, settings);
  const own = request === undefined ? undefined : yield* sendCredential(h, request);
  const sent = finishedData(h.provider, schedule.hash, keys.client, h.transcript.digest());
  send(h, finished, { verifyData: sent });
  return { own, sent };
}

function complete(
  h: ClientHandshake,
  { offer, suite, group, psk, retried, serverRandom }: Agreement,
  { alpnProtocol, early, server, proof, received }: ServerFlight,
  schedule: KeySchedule,
  application: ApplicationSecrets,
  { own, sent }: { own: ChosenCredential | undefined; sent: Uint8Array },
): HandshakeResult {
  const resumptionSecret = schedule.derive('res master', h.transcript.digest());
  const agreed = { suite, alpnProtocol, peer: server, settings: h.negotiated?.applicationSettings };
  const terms = {
    version: 'TLSv1.3',
    cipherSuite: suite,
    group,
    serverName: h.serverName,
    alpnProtocol,
    resumed: psk?.session !== undefined,
    renegotiated: false,
    pskIdentity: psk?.session === undefined ? psk?.identity : undefined,
    earlyData: early,
    helloRetryRequest: retried,
    extendedMasterSecret: true,
    secureRenegotiation: true,
    randoms: { client: offer.hello.random, server: serverRandom },
    finished: { sent, received },
  } as const;
  const info = connectionInfo('client', terms, server, own, h.negotiated);
  const established = new Established13({
    schedule,
    channel: h.channel,
    proof,
    readSecret: application.server,
    writeSecret: application.client,
    exporterMainSecret: application.exporter,
    resumptionSecret,
    onTicket: (ticket) => {
      noteFeatures(h, ticket.extensions);
      const secret = schedule.resumptionPsk(resumptionSecret, ticket.ticketNonce);
      h.onSession(sessionFromTicket(h, ticket, secret, agreed));
    },
    later: h.config.postHandshakeAuth
      ? new LaterAnswers(h, suite.hash, h.transcript.messages(), info)
      : undefined,
  });
  return { proof, established, info };
}
