import { chooseCredentials, chooseProtocol, clientHelloInfo } from '../client-hello-info.ts';
import { TlsError } from '../errors.ts';
import { ExtensionBlock } from '../extensions/block.ts';
import {
  certificateAuthorities,
  signedCertificateTimestamp,
  statusRequest,
} from '../extensions/certificates.ts';
import { keyShare } from '../extensions/key-share.ts';
import { alpn, serverName } from '../extensions/names.ts';
import { signatureAlgorithms, supportedVersions } from '../extensions/negotiation.ts';
import { PSK_DHE_KE, preSharedKey, pskKeyExchangeModes } from '../extensions/pre-shared-key.ts';
import type { Flow } from '../flow.ts';
import {
  type AuthenticatedPeer,
  chooseScheme,
  resumedPeer,
  UNAUTHENTICATED,
} from '../handshake/authentication.ts';
import { receive, send } from '../handshake/handshake.ts';
import { connectionInfo, type HandshakeResult } from '../handshake/result.ts';
import type { ServerHandshake } from '../handshake/server-handshake.ts';
import { certificateRequest13 } from '../messages/certificate-request.ts';
import type { ClientHello } from '../messages/client-hello.ts';
import { encryptedExtensions } from '../messages/encrypted-extensions.ts';
import { finished } from '../messages/finished.ts';
import { serverHello } from '../messages/server-hello.ts';
import type { ClientHelloInfo } from '../options.ts';
import type { CipherSuite13 } from '../suites.ts';
import { TLS12, TLS13 } from '../versions.ts';
import { receiveAuthentication, sendAuthentication } from './authentication.ts';
import { Established13 } from './established.ts';
import { finishedData, verifyFinished } from './finished.ts';
import { KeySchedule } from './key-schedule.ts';
import { type AcceptedPsk, acceptPsk } from './psk.ts';
import { agreeOnGroup, chooseSuite } from './server-parameters.ts';
import { sendTickets } from './tickets.ts';
import { applicationSecrets, handshakeSecrets } from './traffic-secrets.ts';

/** A server's TLS 1.3 handshake from the first ClientHello on (RFC 9846 §2, Figure 1). */
export function* serverHandshake13(h: ServerHandshake, firstHello: ClientHello): Flow<HandshakeResult> {
  const suite = chooseSuite(h, firstHello);
  h.channel.useTls13();
  const { hello, group, clientShare, retried } = yield* agreeOnGroup(h, firstHello, suite);
  const info = clientHelloInfo(h, hello);
  const psk = yield* acceptPsk(h, hello, suite, info.serverName);
  const alpnProtocol = yield* chooseProtocol(h, info);
  const { share, secret } = group.respond(h.provider, clientShare);
  const schedule = new KeySchedule(h.provider, suite, psk?.session.secret);
  try {
    h.transcript.useHash(suite.hash);
    h.transcript.forgetMessages();
    sendServerHello(h, hello, suite, { group: group.id, keyExchange: share }, psk);
    if (!retried && hello.legacySessionId.length > 0) h.channel.writeChangeCipherSpec();
    schedule.enterHandshake(secret);
    const keys = installHandshakeKeys(h, hello, schedule);

    sendEncryptedExtensions(h, info, psk, alpnProtocol);
    const asks = psk === undefined && sendCertificateRequest(h);
    const own = psk === undefined ? yield* authenticate(h, hello, info) : undefined;
    const sentData = finishedData(h.provider, suite.hash, keys.server, h.transcript.digest());
    send(h, finished, { verifyData: sentData });

    schedule.enterMain();
    const application = applicationSecrets(h, schedule, hello.random);
    h.channel.setSealer(schedule.sealer(application.server), 'application');

    const resumed = psk === undefined ? UNAUTHENTICATED : resumedPeer(psk.session);
    const client = asks ? yield* authenticateClient(h) : resumed;
    const expected = finishedData(h.provider, suite.hash, keys.client, h.transcript.digest());
    const { verifyData } = yield* receive(h, finished);
    const proof = verifyFinished(h.provider, verifyData, expected);
    h.channel.endCompatibility();
    h.channel.setApplicationOpener(schedule.opener(application.client), proof);

    if (takesTickets(h, hello)) {
      const resumptionSecret = schedule.derive('res master', h.transcript.digest());
      const agreed = { suite, alpnProtocol, peer: client, serverName: info.serverName };
      yield* sendTickets(h, schedule, resumptionSecret, h.config.ticketCount, agreed);
      resumptionSecret.fill(0);
    }
    const established = new Established13({
      schedule,
      channel: h.channel,
      readSecret: application.client,
      writeSecret: application.server,
      exporterMainSecret: application.exporter,
      onTicket: undefined,
    });
    return {
      proof,
      established,
      info: connectionInfo(
        'server',
        {
          version: 'TLSv1.3',
          cipherSuite: suite,
          group,
          serverName: info.serverName,
          alpnProtocol,
          resumed: psk !== undefined,
          helloRetryRequest: retried,
          extendedMasterSecret: true,
          finished: { sent: sentData, received: verifyData },
        },
        client,
        own,
      ),
    };
  } finally {
    schedule.wipe();
    secret.fill(0);
  }
}

/** A client that cannot resume with (EC)DHE gets no tickets (RFC 9846 §4.2.9). */
function takesTickets(h: ServerHandshake, hello: ClientHello): boolean {
  const modes = hello.extensions.get(pskKeyExchangeModes) ?? [];
  return Boolean(h.config.options.tickets) && h.config.ticketCount > 0 && modes.includes(PSK_DHE_KE);
}

function sendServerHello(
  h: ServerHandshake,
  hello: ClientHello,
  suite: CipherSuite13,
  share: { group: number; keyExchange: Uint8Array },
  psk: AcceptedPsk | undefined,
): void {
  const extensions = new ExtensionBlock('server_hello').set(supportedVersions, TLS13).set(keyShare, share);
  if (psk !== undefined) extensions.set(preSharedKey, psk.index);
  send(h, serverHello, {
    legacyVersion: TLS12,
    random: h.provider.randomBytes(32),
    legacySessionIdEcho: hello.legacySessionId,
    cipherSuite: suite.id,
    legacyCompressionMethod: 0,
    extensions,
  });
}

function installHandshakeKeys(
  h: ServerHandshake,
  hello: ClientHello,
  schedule: KeySchedule,
): { client: Uint8Array; server: Uint8Array } {
  const { client, server } = handshakeSecrets(h, schedule, hello.random);
  h.channel.setSealer(schedule.sealer(server), 'handshake');
  h.channel.setOpener(schedule.opener(client, { plaintextAlerts: true }), 'handshake');
  return { client, server };
}

function sendEncryptedExtensions(
  h: ServerHandshake,
  info: ClientHelloInfo,
  psk: AcceptedPsk | undefined,
  alpnProtocol: string | undefined,
): void {
  const extensions = new ExtensionBlock('encrypted_extensions');
  // A resumption does not acknowledge the name again (RFC 6066 §3).
  if (info.serverName !== undefined && psk === undefined) extensions.set(serverName, null);
  if (alpnProtocol !== undefined) extensions.set(alpn, alpnProtocol);
  send(h, encryptedExtensions, { extensions });
}

function sendCertificateRequest(h: ServerHandshake): boolean {
  const { clientCertificate, certificateAuthorities: authorities } = h.config.options;
  if ((clientCertificate ?? 'none') === 'none') return false;
  const extensions = new ExtensionBlock('certificate_request').set(
    signatureAlgorithms,
    h.config.signatureSchemes13.map((scheme) => scheme.id),
  );
  if (authorities !== undefined && authorities.length > 0)
    extensions.set(certificateAuthorities, [...authorities]);
  send(h, certificateRequest13, { certificateRequestContext: NOTHING, extensions });
  return true;
}

function* authenticate(h: ServerHandshake, hello: ClientHello, info: ClientHelloInfo) {
  const theirs = hello.extensions.get(signatureAlgorithms);
  if (theirs === undefined)
    throw new TlsError('missing-extension', 'ClientHello without signature_algorithms');
  const credentials = yield* chooseCredentials(info);
  const chosen = chooseScheme(credentials, h.config.signatureSchemes13, theirs, TLS13);
  if (chosen === undefined) {
    throw new TlsError(
      'no-common-signature-scheme',
      'the client can verify none of the signatures that our keys make',
    );
  }
  yield* sendAuthentication(h, 'server', chosen.credential, chosen.scheme, NOTHING, {
    ocsp: hello.extensions.has(statusRequest),
    timestamps: hello.extensions.has(signedCertificateTimestamp),
  });
  return chosen;
}

function* authenticateClient(h: ServerHandshake): Flow<AuthenticatedPeer> {
  const peer = yield* receiveAuthentication(h, {
    role: 'client',
    name: undefined,
    offered: h.config.signatureSchemes13,
    requested: NO_REQUESTS,
  });
  if (peer.certificates.length === 0 && h.config.options.clientCertificate === 'require') {
    throw new TlsError(
      'certificate-required',
      'the client showed no certificate, and this server requires one',
    );
  }
  return peer;
}

const NOTHING = new Uint8Array(0);
const NO_REQUESTS = { ids: [] };
