import { answerCertificateTypes, nameResumedType } from '../certificates/type-negotiation.ts';
import { SKIPPED_EARLY_DATA } from '../config/defaults.ts';
import { confirmServerHello, offerRetryConfigs } from '../ech/server.ts';
import { alpn } from '../extensions/alpn.ts';
import { ExtensionBlock } from '../extensions/block.ts';
import { keyShare } from '../extensions/key-share.ts';
import { supportedVersions } from '../extensions/negotiation.ts';
import { earlyData, PSK_DHE_KE, preSharedKey, pskKeyExchangeModes } from '../extensions/pre-shared-key.ts';
import { serverName } from '../extensions/server-names.ts';
import { trustAnchors } from '../extensions/trust-anchors.ts';
import { type ChosenSettings, chooseSettings, receiveSettings } from '../features/application-settings.ts';
import { acknowledgesName } from '../features/cross-protocol.ts';
import { answerFeatures } from '../features/server-features.ts';
import type { Flow } from '../flow.ts';
import type { ServerHandshake } from '../handshake/context.ts';
import type { FinishedVerified } from '../handshake/finished-verified.ts';
import { receive, send, sendEncoded } from '../handshake/message-flow.ts';
import { negotiatedOf } from '../handshake/negotiated.ts';
import type { AuthenticatedPeer } from '../handshake/peer.ts';
import { type ConnectionInfo, connectionInfo, type HandshakeResult } from '../handshake/result.ts';
import { certificateRequest13 } from '../messages/certificate-request.ts';
import type { ClientHello } from '../messages/client-hello.ts';
import { encryptedExtensions } from '../messages/encrypted-extensions.ts';
import { endOfEarlyData } from '../messages/end-of-early-data.ts';
import { finished } from '../messages/finished.ts';
import { encodeMessage } from '../messages/handshake-type.ts';
import { serverHello } from '../messages/server-hello.ts';
import { TLS12, TLS13 } from '../versions.ts';
import { acceptsEarlyData } from './accepted-early-data.ts';
import { checkBinder } from './accepted-psk.ts';
import { sendAuthentication } from './authentication.ts';
import { knownPeer } from './client.ts';
import { authenticateClient, certificateRequestExtensions } from './client-authentication.ts';
import { Established13 } from './established.ts';
import { finishedData, verifyFinished } from './finished.ts';
import { abandonment, canRevoke, type IssuedTickets } from './issued-tickets.ts';
import { KeySchedule } from './key-schedule.ts';
import { LaterRequests, takesLaterRequests } from './later-requests.ts';
import { type Agreement, agreeOnKeys } from './server-parameters.ts';
import { sendTickets } from './tickets.ts';
import {
  type ApplicationSecrets,
  applicationSecrets,
  earlySecrets,
  handshakeSecrets,
} from './traffic-secrets.ts';

/** A server's TLS 1.3 handshake from the first ClientHello on (RFC 9846 §2, Figure 1). */
export function* serverHandshake13(h: ServerHandshake, firstHello: ClientHello): Flow<HandshakeResult> {
  const agreement = yield* agreeOnKeys(h, firstHello);
  const agreed = yield* agreeOnTheRest(h, agreement);
  const { share, secret } = agreed.group.respond(h.provider, agreed.clientShare);
  const schedule = new KeySchedule(h.provider, agreed.suite, agreed.psk?.key);
  try {
    const keys = enterHandshake(h, agreed, schedule, { share, secret });
    const flight = yield* sendServerFlight(h, agreed, keys.server);

    schedule.enterMain();
    const application = applicationSecrets(h, schedule, agreed.hello.random);
    h.channel.setSealer(schedule.sealer(application.server), 'application');
    // Our flight is out: nobody waits for the other (RFC 9846 §4.3.11.3).
    if (agreed.early) yield* receiveEarlyData(h, schedule, keys.client);

    const end = yield* receiveClientFlight(h, agreed, flight.asks, keys.client);
    h.channel.endCompatibility();
    h.channel.setApplicationOpener(schedule.opener(application.client), end.proof, 'application');
    const issued = takesTickets(h, agreed.hello)
      ? yield* offerTickets(h, agreed, schedule, end.client)
      : undefined;
    // A copy: what came is a view on the transport's memory.
    const randoms = { client: agreed.hello.random.slice(), server: keys.serverRandom };
    return complete(h, agreed, schedule, application, flight, end, { issued, randoms });
  } finally {
    schedule.wipe();
    secret.fill(0);
  }
}

/** What the hellos decided: all that can keep this handshake from going on, so that nothing is sent in vain. */
interface Agreed extends Agreement {
  readonly settings: ChosenSettings | undefined;
  /** The client's early data is taken. */
  readonly early: boolean;
  /** What EncryptedExtensions will say. */
  readonly answer: ExtensionBlock<'encrypted_extensions'>;
}

function* agreeOnTheRest(h: ServerHandshake, agreement: Agreement): Flow<Agreed> {
  const { hello, suite, psk, group, clientShare, retried, offeredEarlyData } = agreement;
  const { info, alpnProtocol, own } = agreement;
  if (psk !== undefined) checkBinder(h, hello, psk);
  if (psk?.session !== undefined) h.resuming?.(psk.session);
  const settings = chooseSettings(h, hello.extensions, alpnProtocol);
  const early = yield* acceptsEarlyData(h, hello, { info, psk, suite, alpnProtocol, settings, retried });
  if (early && settings !== undefined)
    negotiatedOf(h).applicationSettings = psk!.session!.applicationSettings;
  const answer = answerHello(h, agreement, settings, early);
  if (!early) skipEarlyData(h, hello);
  // Field by field: spreading costs V8 ten times as much.
  return {
    hello,
    suite,
    psk,
    group,
    clientShare,
    retried,
    offeredEarlyData,
    info,
    alpnProtocol,
    own,
    settings,
    early,
    answer,
  };
}

/** What EncryptedExtensions will say (RFC 9846 §4.4.1). Throws where the client asks for what cannot be. */
function answerHello(
  h: ServerHandshake,
  { hello, info, psk, alpnProtocol, own }: Agreement,
  settings: ChosenSettings | undefined,
  early: boolean,
): ExtensionBlock<'encrypted_extensions'> {
  const extensions = new ExtensionBlock('encrypted_extensions');
  // A resumption does not acknowledge the name again (RFC 6066 §3).
  if (psk === undefined && acknowledgesName(h, info)) extensions.set(serverName, null);
  if (alpnProtocol !== undefined) extensions.set(alpn, alpnProtocol);
  // With early data the session's settings hold.
  if (early) extensions.set(earlyData, null);
  else if (settings !== undefined) extensions.set(settings.extension, settings.own);
  answerFeatures(h, hello.extensions, extensions);
  if (own !== undefined) {
    const asks = asksForCertificate(h) || takesLaterRequests(h, hello, psk);
    answerCertificateTypes(h, hello.extensions, extensions, own.credential, asks);
  }
  if (psk?.session !== undefined) nameResumedType(h, hello.extensions, extensions, psk.session);
  if (h.availableTrustAnchors !== undefined) extensions.set(trustAnchors, [...h.availableTrustAnchors]);
  offerRetryConfigs(h, hello, extensions);
  return extensions;
}

/** The first of the three ways in which a server meets early data (RFC 9846 §4.3.10): it drops what does not decrypt. */
function skipEarlyData(h: ServerHandshake, hello: ClientHello): void {
  if (hello.extensions.has(earlyData))
    h.channel.skipUndecryptable(Math.max(SKIPPED_EARLY_DATA, 2 * h.config.maxEarlyData));
}

interface HandshakeKeys {
  readonly client: Uint8Array;
  readonly server: Uint8Array;
  readonly serverRandom: Uint8Array;
}

/** Sends ServerHello (RFC 9846 §4.2.3) and takes the handshake keys into use: the client's early ones if they are due. */
function enterHandshake(
  h: ServerHandshake,
  agreed: Agreed,
  schedule: KeySchedule,
  own: { share: Uint8Array; secret: Uint8Array },
): HandshakeKeys {
  const { hello, suite, psk, retried } = agreed;
  h.transcript.useHash(suite.hash);
  const early = agreed.early ? earlySecrets(h, schedule, h.transcript.digest(), hello.random) : undefined;
  const serverRandom = sendServerHello(h, agreed, own.share);
  if (!takesLaterRequests(h, hello, psk)) h.transcript.forgetMessages();
  if (!retried && hello.legacySessionId.length > 0) h.channel.writeChangeCipherSpec();
  const earlyOpener = early && schedule.opener(early.client, { plaintextAlerts: true });
  if (early && earlyOpener) {
    const exporter = early.exporter.slice();
    h.channel.setEarlyOpener(earlyOpener, h.config.maxEarlyData, (label, context, length) =>
      schedule.exporter(exporter, label, context, length),
    );
  }
  schedule.enterHandshake(own.secret);
  const keys = handshakeSecrets(h, schedule, hello.random);
  h.channel.setSealer(schedule.sealer(keys.server), 'handshake');
  if (!agreed.early)
    h.channel.setOpener(schedule.opener(keys.client, { plaintextAlerts: true }), 'handshake');
  return { client: keys.client, server: keys.server, serverRandom };
}

function sendServerHello(
  h: ServerHandshake,
  { hello, suite, group, psk }: Agreed,
  share: Uint8Array,
): Uint8Array {
  const extensions = new ExtensionBlock('server_hello')
    .set(supportedVersions, TLS13)
    .set(keyShare, { group: group.id, keyExchange: share });
  if (psk !== undefined) extensions.set(preSharedKey, psk.index);
  const raw = encodeMessage(serverHello, {
    legacyVersion: TLS12,
    random: h.provider.randomBytes(32),
    legacySessionIdEcho: hello.legacySessionId,
    cipherSuite: suite.id,
    legacyCompressionMethod: 0,
    extensions,
  });
  confirmServerHello(h, suite, hello, raw);
  sendEncoded(h, raw);
  return raw.slice(RANDOM_AT, RANDOM_AT + 32);
}

/** Behind the handshake header and the version. What Encrypted Client Hello puts there, only the message has. */
const RANDOM_AT = 6;

/** What this server sent from EncryptedExtensions to Finished. */
interface ServerFlight {
  readonly asks: boolean;
  readonly sent: Uint8Array;
}

/** RFC 9846 §4.4, §4.5. */
function* sendServerFlight(h: ServerHandshake, agreed: Agreed, serverSecret: Uint8Array): Flow<ServerFlight> {
  const { psk, suite, own, answer } = agreed;
  send(h, encryptedExtensions, { extensions: answer });
  const asks = psk === undefined && sendCertificateRequest(h);
  if (own !== undefined) yield* sendAuthentication(h, 'server', own, NOTHING, agreed.hello.extensions);
  const sent = finishedData(h.provider, suite.hash, serverSecret, h.transcript.digest());
  send(h, finished, { verifyData: sent });
  return { asks, sent };
}

/** Asks for the client's certificate if it is wanted, and tells whether it did (RFC 9846 §4.4.2). */
function sendCertificateRequest(h: ServerHandshake): boolean {
  if (!asksForCertificate(h)) return false;
  const extensions = certificateRequestExtensions(h);
  send(h, certificateRequest13, { certificateRequestContext: NOTHING, extensions });
  return true;
}

function asksForCertificate({ config }: ServerHandshake): boolean {
  return config.clientCertificate !== 'none';
}

/** Early data comes until the client says that it is over (RFC 9846 §4.6); the connection hands it out meanwhile. */
function* receiveEarlyData(h: ServerHandshake, schedule: KeySchedule, clientSecret: Uint8Array): Flow<void> {
  yield* receive(h, endOfEarlyData);
  h.channel.setOpener(schedule.opener(clientSecret, { plaintextAlerts: true }), 'handshake');
}

/** The client's settings if it was told ours, its certificate if it was asked for one, and its Finished. */
interface ClientFlight {
  readonly client: AuthenticatedPeer;
  readonly proof: FinishedVerified;
  readonly received: Uint8Array;
}

function* receiveClientFlight(
  h: ServerHandshake,
  { psk, suite, settings, early }: Agreed,
  asks: boolean,
  clientSecret: Uint8Array,
): Flow<ClientFlight> {
  if (settings !== undefined && !early) yield* receiveSettings(h, settings);
  const client = asks ? yield* authenticateClient(h, NOTHING) : knownPeer(psk ?? { session: undefined });
  const expected = finishedData(h.provider, suite.hash, clientSecret, h.transcript.digest());
  const { verifyData } = yield* receive(h, finished);
  return { client, proof: verifyFinished(h.provider, verifyData, expected), received: verifyData };
}

/** A client that cannot resume with (EC)DHE gets no tickets (RFC 9846 §4.3.9). */
function takesTickets(h: ServerHandshake, hello: ClientHello): boolean {
  const modes = hello.extensions.get(pskKeyExchangeModes) ?? [];
  return Boolean(h.config.tickets) && h.config.ticketCount > 0 && modes.includes(PSK_DHE_KE);
}

function* offerTickets(
  h: ServerHandshake,
  { suite, alpnProtocol, info, psk }: Agreed,
  schedule: KeySchedule,
  peer: AuthenticatedPeer,
): Flow<IssuedTickets | undefined> {
  const resumptionSecret = schedule.derive('res master', h.transcript.digest());
  const settings = h.negotiated?.applicationSettings;
  const agreed = { suite, alpnProtocol, settings, peer, serverName: info.serverName };
  const { sessionLifetime: lifetime, renewTickets } = h.config;
  // A client that resumes has used one up, and gets one for it.
  const most = psk?.session === undefined ? h.config.ticketCount : renewTickets ? 1 : 0;
  const count = Math.min(most, h.config.ticketCount);
  let issued: IssuedTickets | undefined;
  try {
    yield* sendTickets(h, schedule, resumptionSecret, count, agreed);
    if (canRevoke(h.config)) issued = { schedule, resumptionSecret, count, createdAt: h.now, lifetime };
    return issued;
  } finally {
    if (issued === undefined) resumptionSecret.fill(0);
  }
}

function complete(
  h: ServerHandshake,
  { hello, suite, group, psk, retried, info: helloInfo, alpnProtocol, own, early, offeredEarlyData }: Agreed,
  schedule: KeySchedule,
  application: ApplicationSecrets,
  { sent }: ServerFlight,
  { client, proof, received }: ClientFlight,
  { issued, randoms }: { issued: IssuedTickets | undefined; randoms: ConnectionInfo['randoms'] },
): HandshakeResult {
  const terms = {
    version: 'TLSv1.3',
    cipherSuite: suite,
    group,
    serverName: helloInfo.serverName,
    alpnProtocol,
    resumed: psk?.session !== undefined,
    renegotiated: false,
    pskIdentity: psk?.session === undefined ? psk?.offered.identity : undefined,
    earlyData: early ? 'accepted' : offeredEarlyData ? 'rejected' : 'none',
    helloRetryRequest: retried,
    extendedMasterSecret: true,
    secureRenegotiation: true,
    randoms,
    finished: { sent, received },
  } as const;
  const info = connectionInfo('server', terms, client, own, h.negotiated);
  const established = new Established13({
    schedule,
    channel: h.channel,
    proof,
    readSecret: application.client,
    writeSecret: application.server,
    exporterMainSecret: application.exporter,
    resumptionSecret: issued?.resumptionSecret,
    onTicket: undefined,
    later: takesLaterRequests(h, hello, psk)
      ? new LaterRequests(h, suite.hash, h.transcript.messages(), info)
      : undefined,
  });
  return { proof, established, info, abandonSession: abandonment(h.config, psk?.session, issued) };
}

const NOTHING = new Uint8Array(0);
