import { concat, encode } from '@testudo/codec';
import { shownBy } from '../certificates/type-negotiation.ts';
import { TlsError } from '../errors.ts';
import { namedAuthorities } from '../extensions/certificate-authorities.ts';
import { statusFor } from '../features/stapling.ts';
import { type Flow, perform } from '../flow.ts';
import type { Group } from '../groups/index.ts';
import { checkSignature, judge, leafKey } from '../handshake/authentication.ts';
import type { ServerHandshake } from '../handshake/context.ts';
import type { FinishedVerified } from '../handshake/finished-verified.ts';
import { nextIs, receive, send } from '../handshake/message-flow.ts';
import {
  type AuthenticatedPeer,
  resumedPeer,
  type ShownCredential,
  UNAUTHENTICATED,
} from '../handshake/peer.ts';
import { checkSamePeer, checkSamePskIdentity, shownBefore } from '../handshake/previous-handshake.ts';
import { connectionInfo, type HandshakeResult } from '../handshake/result.ts';
import { chooseProtocol, clientHelloInfo } from '../hello/client-hello-info.ts';
import {
  certificateRequest11,
  certificateRequest12,
  certificateTypeOf,
} from '../messages/certificate-request.ts';
import { certificateStatus } from '../messages/certificate-status.ts';
import { certificateVerify, certificateVerifyUnnamed } from '../messages/certificate-verify.ts';
import type { ClientHello } from '../messages/client-hello.ts';
import { clientKeyExchange, serverHelloDone } from '../messages/key-exchange.ts';
import { abandonSession, endingOf } from '../sessions/abandon.ts';
import type { Session } from '../sessions/session.ts';
import { certificateMessage12 } from './certificate-message.ts';
import { Established12 } from './established.ts';
import { receiveFinished, sendFinished } from './finished.ts';
import { keyExchangeOf } from './key-exchange/index.ts';
import type { ServerHalf, ServerSide } from './key-exchange/key-exchange.ts';
import { isResumable, keyExchangeMessage } from './key-exchange/messages.ts';
import { previousHandshake } from './renegotiation.ts';
import { connectionKeys, masterSecret, resumedMasterSecret } from './secrets.ts';
import {
  type Agreed,
  agreeOn,
  asksForCertificate,
  sendServerHello,
  withoutExtensions,
} from './server-hello.ts';
import { chooseParameters, findSession } from './server-parameters.ts';
import { ServerRenegotiation } from './server-renegotiation.ts';
import { sendTicket, sessionFor } from './server-session.ts';
import type { Terms } from './terms.ts';
import { rulesName, type VersionRules } from './version-rules.ts';

/** A server's handshake up to TLS 1.2 from ClientHello on (RFC 5246 §7.3, Figures 1 and 2; RFC 8422). */
export function* serverHandshake12(
  h: ServerHandshake,
  rules: VersionRules,
  received: ClientHello,
): Flow<HandshakeResult> {
  h.channel.useVersion(rules.version);
  const hello = rules.hasExtensions ? received : withoutExtensions(received);
  if (!rules.hasExtensions) h.channel.requestedName = undefined;
  const info = clientHelloInfo(h, hello);
  const wishes = agreeOn(h, rules, hello, info);
  const session = yield* findSession(h, wishes);
  const alpnProtocol = yield* chooseProtocol(h, info);
  const agreed: Agreed = { ...wishes, alpnProtocol };
  return session === undefined ? yield* fullHandshake(h, agreed) : yield* resumption(h, agreed, session);
}

/** RFC 5246 §7.3, Figure 1. */
function* fullHandshake(h: ServerHandshake, wishes: Agreed): Flow<HandshakeResult> {
  const { suite, group, own } = yield* chooseParameters(h, wishes);
  const agreed = isResumable(suite) ? wishes : { ...wishes, sendsTicket: false };
  const { hello } = agreed;
  const terms = agreed.termsWith(suite);
  const storesSession =
    h.config.sessionStore !== undefined &&
    !agreed.sendsTicket &&
    isResumable(suite) &&
    terms.compression === undefined;
  const sessionId = storesSession ? h.provider.randomBytes(32) : NOTHING;
  const staples = statusFor(hello.extensions, own?.credential);
  h.transcript.useHash(terms.rules.transcriptHash(suite));
  const receiveNextProtocol = sendServerHello(h, agreed, terms, sessionId, {
    staples: staples?.extension,
    own,
    resumed: undefined,
  });
  if (own !== undefined)
    send(h, certificateMessage12(h, 'server'), { certificateList: shownBy(own.credential) });
  if (staples !== undefined) send(h, certificateStatus, staples.status);
  const side = { terms, group, own, offeredVersion: hello.legacyVersion };
  const half = yield* sendKeyExchange(h, side);
  const asks = sendCertificateRequest(h, terms);
  send(h, serverHelloDone, true);

  const chain = asks ? yield* receiveCertificate(h, terms) : [];
  checkSamePeer(h, chain);
  const exchange = keyExchangeOf(suite);
  const params = yield* receive(h, clientKeyExchange(exchange.clientParams(terms.rules.version)));
  const { preMasterSecret, pskIdentity } = yield* half.finish(params);
  checkSamePskIdentity(h, pskIdentity);
  const master = masterSecret(h, terms, preMasterSecret);
  const client = chain.length > 0 ? yield* authenticateClient(h, terms, chain, master) : UNAUTHENTICATED;
  const keys = connectionKeys(h, terms, master);
  const opener = keys.clientOpener();
  const { proof, received } = yield* receiveFinished(h, 'client', terms, master, opener, receiveNextProtocol);
  const session = sessionFor(h, agreed, terms, master, client, sessionId);
  if (agreed.sendsTicket) yield* sendTicket(h, session);
  else if (storesSession) yield* perform('storeSession', { id: sessionId, session });
  const sent = sendFinished(h, 'server', terms, master, keys.serverSealer());
  return result(h, agreed, terms, {
    master,
    proof,
    client,
    own,
    group,
    resumed: false,
    pskIdentity,
    finished: { sent, received },
    session: agreed.sendsTicket || storesSession ? session : undefined,
  });
}

/** RFC 5246 §7.3, Figure 2; with a ticket RFC 5077 §3.1. */
function* resumption(h: ServerHandshake, wishes: Agreed, session: Session): Flow<HandshakeResult> {
  const sendsTicket = wishes.sendsTicket && h.config.renewTickets;
  const agreed: Agreed = { ...wishes, sendsTicket };
  const terms = agreed.termsOf(session);
  checkSamePeer(h, shownBefore(session));
  // What an external key protected cannot be resumed.
  checkSamePskIdentity(h, undefined);
  h.resuming?.(session);
  h.transcript.useHash(terms.rules.transcriptHash(terms.suite));
  const receiveNextProtocol = sendServerHello(h, agreed, terms, agreed.hello.legacySessionId, {
    staples: undefined,
    own: undefined,
    resumed: session,
  });
  const master = resumedMasterSecret(h, terms, session.secret);
  const keys = connectionKeys(h, terms, master);
  if (agreed.sendsTicket) yield* sendTicket(h, session);
  const sent = sendFinished(h, 'server', terms, master, keys.serverSealer());
  const opener = keys.clientOpener();
  const { proof, received } = yield* receiveFinished(h, 'client', terms, master, opener, receiveNextProtocol);
  return result(h, agreed, terms, {
    master,
    proof,
    client: resumedPeer(session),
    own: undefined,
    group: undefined,
    resumed: true,
    pskIdentity: undefined,
    finished: { sent, received },
    session,
  });
}

/** Sends the server's parameters, signed where a certificate's key signs (RFC 5246 §7.4.3). */
function* sendKeyExchange(h: ServerHandshake, side: ServerSide): Flow<ServerHalf<unknown, unknown>> {
  const { terms, own } = side;
  const exchange = keyExchangeOf(terms.suite);
  const half = yield* exchange.server(h, side);
  if (half.params === undefined) return half;
  const { params } = half;
  const encodedParams = encode(exchange.serverParams, params);
  if (own?.scheme === undefined) {
    send(h, keyExchangeMessage(terms), { params, encodedParams, signed: undefined });
    return half;
  }
  const { credential, scheme } = own;
  const data = concat(terms.randoms.client, terms.randoms.server, encodedParams);
  const signature = yield* perform('sign', { credential, algorithm: scheme.algorithm, data });
  send(h, keyExchangeMessage(terms), { params, encodedParams, signed: { algorithm: scheme.id, signature } });
  return half;
}

/** Asks for the client's certificate if it is wanted, and tells whether it did (RFC 5246 §7.4.4). */
function sendCertificateRequest(h: ServerHandshake, terms: Terms): boolean {
  const { rules } = terms;
  const { certificateAuthorities } = h.config;
  if (!asksForCertificate(h, terms)) return false;
  const schemes = rules.clientSignatureSchemes(h.config.signatureSchemes12);
  send(h, rules.namesSignatureSchemes ? certificateRequest12 : certificateRequest11, {
    certificateTypes: [...new Set(schemes.map(({ algorithm }) => certificateTypeOf(algorithm)))],
    supportedSignatureAlgorithms: schemes.map((scheme) => scheme.id),
    certificateAuthorities: namedAuthorities(certificateAuthorities),
  });
  return true;
}

/** What the client shows, which may be nothing unless a certificate is required (RFC 5246 §7.4.6). */
function* receiveCertificate(h: ServerHandshake, { rules }: Terms): Flow<readonly Uint8Array[]> {
  const message = certificateMessage12(h, 'client');
  // The warning in place of the message has been passed over (RFC 6101 §5.6.6).
  const isMissing = rules.warnsWithoutCertificate && !(yield* nextIs(h, message));
  const { certificateList } = isMissing ? NO_CERTIFICATES : yield* receive(h, message);
  if (certificateList.length === 0 && h.config.clientCertificate === 'require') {
    throw new TlsError(
      'client-certificate-missing',
      'the client showed no certificate, and this server requires one',
    );
  }
  return certificateList;
}

/** The client proves that the certificate's key is its own, and then the certificate is judged (RFC 5246 §7.4.8). */
function* authenticateClient(
  h: ServerHandshake,
  { rules }: Terms,
  chain: readonly Uint8Array[],
  master: Uint8Array,
): Flow<AuthenticatedPeer> {
  const content = rules.certificateVerifyContent(h.provider, h.transcript, master);
  const message = rules.namesSignatureSchemes ? certificateVerify : certificateVerifyUnnamed;
  const verify = yield* receive(h, message);
  const offered = rules.clientSignatureSchemes(h.config.signatureSchemes12);
  const key = leafKey(h, 'client', chain[0]!);
  const scheme = checkSignature(h, rules.version, key, { content, signed: verify }, offered);
  return yield* judge(h, { role: 'client', name: undefined, chain, scheme });
}

function result(
  h: ServerHandshake,
  { info: hello, alpnProtocol, secureRenegotiation }: Agreed,
  terms: Terms,
  done: {
    master: Uint8Array;
    proof: FinishedVerified;
    client: AuthenticatedPeer;
    own: ShownCredential | undefined;
    group: Group | undefined;
    resumed: boolean;
    pskIdentity: Uint8Array | undefined;
    finished: { sent: Uint8Array; received: Uint8Array };
    /** What could be resumed. */
    session: Session | undefined;
  },
): HandshakeResult {
  const info = connectionInfo(
    'server',
    {
      version: rulesName(terms.rules),
      cipherSuite: terms.suite,
      group: done.group,
      serverName: hello.serverName,
      alpnProtocol,
      resumed: done.resumed,
      renegotiated: h.renegotiates !== undefined,
      pskIdentity: done.pskIdentity,
      earlyData: 'none',
      helloRetryRequest: false,
      extendedMasterSecret: terms.extended,
      secureRenegotiation,
      randoms: terms.randoms,
      finished: done.finished,
    },
    done.client,
    done.own,
    h.negotiated,
  );
  const previous = previousHandshake(h, 'server', terms, secureRenegotiation, info);
  const renegotiation = previous && new ServerRenegotiation(h, terms.rules, previous, serverHandshake12);
  const established = new Established12(h, 'server', terms, done.master, renegotiation);
  const ending = done.session && endingOf(done.session);
  const { config } = h;
  return {
    proof: done.proof,
    established,
    info,
    abandonSession: ending && (() => abandonSession(config, ending)),
  };
}

const NOTHING = new Uint8Array(0);
const NO_CERTIFICATES = { certificateList: [] };
