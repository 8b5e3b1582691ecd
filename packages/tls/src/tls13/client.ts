import type { Offer } from '../client-hello-offer.ts';
import { TlsError } from '../errors.ts';
import { keyShare } from '../extensions/key-share.ts';
import { supportedGroups } from '../extensions/negotiation.ts';
import { preSharedKey } from '../extensions/pre-shared-key.ts';
import { selectedProtocol } from '../extensions/selected-protocol.ts';
import type { Flow } from '../flow.ts';
import type { Group } from '../groups.ts';
import { type AuthenticatedPeer, resumedPeer } from '../handshake/authentication.ts';
import type { ClientHandshake } from '../handshake/client-handshake.ts';
import { nextIs, receive, send } from '../handshake/handshake.ts';
import { connectionInfo, type HandshakeResult } from '../handshake/result.ts';
import { type CertificateRequest13, certificateRequest13 } from '../messages/certificate-request.ts';
import { type EncryptedExtensions, encryptedExtensions } from '../messages/encrypted-extensions.ts';
import { finished } from '../messages/finished.ts';
import type { ServerHello } from '../messages/server-hello.ts';
import type { Session } from '../sessions/session.ts';
import { type CipherSuite13, cipherSuite } from '../suites.ts';
import { receiveAuthentication } from './authentication.ts';
import { sendCredential } from './client-credential.ts';
import { Established13 } from './established.ts';
import { finishedData, verifyFinished } from './finished.ts';
import { KeySchedule } from './key-schedule.ts';
import { checkServerHello13 } from './server-hello-check.ts';
import { sessionFromTicket } from './tickets.ts';
import { applicationSecrets, handshakeSecrets } from './traffic-secrets.ts';

/** A client's TLS 1.3 handshake from ServerHello on (RFC 9846 §2, Figure 1). */
export function* clientHandshake13(
  h: ClientHandshake,
  offer: Offer,
  hello: ServerHello<'server_hello'>,
  retried: CipherSuite13 | undefined,
): Flow<HandshakeResult> {
  const suite = checkSuite(checkServerHello13(h, offer, hello), retried);
  const session = resumedSession(offer, hello, suite);
  const { group, secret } = agree(offer, hello);
  const schedule = new KeySchedule(h.provider, suite, session?.secret);
  try {
    h.channel.useTls13();
    h.transcript.useHash(suite.hash);
    h.transcript.forgetMessages();
    schedule.enterHandshake(secret);
    // Before the first protected record, which may be an alert (RFC 9846 §D.4).
    if (offer.hello.legacySessionId.length > 0 && retried === undefined) h.channel.writeChangeCipherSpec();
    const keys = installHandshakeKeys(h, offer, schedule);

    const parameters = yield* receive(h, encryptedExtensions);
    const alpnProtocol = checkEncryptedExtensions(offer, parameters);
    const request = session === undefined ? yield* receiveCertificateRequest(h) : undefined;
    const server = session === undefined ? yield* authenticateServer(h, offer) : resumedPeer(session);
    const { proof, serverFinished } = yield* receiveServerFinished(h, schedule, keys.server);

    schedule.enterMain();
    const application = applicationSecrets(h, schedule, offer.hello.random);
    h.channel.endCompatibility();
    h.channel.setApplicationOpener(schedule.opener(application.server), proof);

    const own = request === undefined ? undefined : yield* sendCredential(h, request);
    const verifyData = finishedData(h.provider, suite.hash, keys.client, h.transcript.digest());
    send(h, finished, { verifyData });
    h.channel.setSealer(schedule.sealer(application.client), 'application');

    const resumptionSecret = schedule.derive('res master', h.transcript.digest());
    const established = new Established13({
      schedule,
      channel: h.channel,
      readSecret: application.server,
      writeSecret: application.client,
      exporterMainSecret: application.exporter,
      onTicket: (ticket) =>
        h.onSession(
          sessionFromTicket(h, ticket, schedule.resumptionPsk(resumptionSecret, ticket.ticketNonce), {
            suite,
            alpnProtocol,
            peer: server,
          }),
        ),
    });
    return {
      proof,
      established,
      info: connectionInfo(
        'client',
        {
          version: 'TLSv1.3',
          cipherSuite: suite,
          group,
          serverName: h.serverName,
          alpnProtocol,
          resumed: session !== undefined,
          helloRetryRequest: retried !== undefined,
          extendedMasterSecret: true,
          finished: { sent: verifyData, received: serverFinished },
        },
        server,
        own,
      ),
    };
  } finally {
    schedule.wipe();
    secret.fill(0);
  }
}

function checkSuite(suite: CipherSuite13, retried: CipherSuite13 | undefined): CipherSuite13 {
  if (retried === undefined || retried === suite) return suite;
  throw new TlsError(
    'illegal-parameter',
    'ServerHello selects another suite than the HelloRetryRequest before it',
  );
}

/** RFC 9846 §4.2.11: only what was offered, and only with the hash it was made with. */
function resumedSession(
  offer: Offer,
  hello: ServerHello<'server_hello'>,
  suite: CipherSuite13,
): Session | undefined {
  const index = hello.extensions.get(preSharedKey);
  if (index === undefined) return undefined;
  const session = offer.session;
  if (index !== 0 || session === undefined)
    throw new TlsError('illegal-parameter', 'the server selects a PSK that was not offered');
  if (cipherSuite(session.cipherSuite)?.hash !== suite.hash) {
    throw new TlsError('illegal-parameter', 'the server resumes a session with a suite of another hash');
  }
  return session;
}

/** (EC)DHE with one of our shares (RFC 9846 §4.2.8). */
function agree(offer: Offer, hello: ServerHello<'server_hello'>): { group: Group; secret: Uint8Array } {
  const share = hello.extensions.get(keyShare);
  if (share === undefined) throw new TlsError('missing-extension', 'ServerHello without key_share');
  const own = offer.shares.find((candidate) => candidate.group.id === share.group);
  if (own === undefined)
    throw new TlsError('illegal-parameter', 'the server answers with a group of which there was no share');
  return { group: own.group, secret: own.finish(share.keyExchange) };
}

function installHandshakeKeys(
  h: ClientHandshake,
  offer: Offer,
  schedule: KeySchedule,
): { client: Uint8Array; server: Uint8Array } {
  const { client, server } = handshakeSecrets(h, schedule, offer.hello.random);
  h.channel.setOpener(schedule.opener(server), 'handshake');
  h.channel.setSealer(schedule.sealer(client), 'handshake');
  return { client, server };
}

function checkEncryptedExtensions(offer: Offer, { extensions }: EncryptedExtensions): string | undefined {
  extensions.expectSolicited(offer.hello.extensions, [supportedGroups]);
  return selectedProtocol(offer.hello.extensions, extensions);
}

function* receiveCertificateRequest(h: ClientHandshake): Flow<CertificateRequest13 | undefined> {
  if (!(yield* nextIs(h, certificateRequest13))) return undefined;
  const request = yield* receive(h, certificateRequest13);
  if (request.certificateRequestContext.length > 0) {
    throw new TlsError('illegal-parameter', 'a certificate request in a handshake has an empty context');
  }
  return request;
}

function* authenticateServer(h: ClientHandshake, offer: Offer): Flow<AuthenticatedPeer> {
  return yield* receiveAuthentication(h, {
    role: 'server',
    name: h.host,
    offered: h.config.signatureSchemes13,
    requested: offer.hello.extensions,
  });
}

function* receiveServerFinished(
  h: ClientHandshake,
  schedule: KeySchedule,
  serverSecret: Uint8Array,
): Flow<{
  proof: ReturnType<typeof verifyFinished>;
  serverFinished: Uint8Array;
}> {
  const expected = finishedData(h.provider, schedule.hash, serverSecret, h.transcript.digest());
  const { verifyData } = yield* receive(h, finished);
  return { proof: verifyFinished(h.provider, verifyData, expected), serverFinished: verifyData };
}
