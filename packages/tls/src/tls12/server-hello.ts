import { answerCertificateTypes, nameResumedType } from '../certificates/type-negotiation.ts';
import { TlsError } from '../errors.ts';
import { alpn } from '../extensions/alpn.ts';
import { ExtensionBlock } from '../extensions/block.ts';
import type { statusRequest, statusRequestV2 } from '../extensions/certificate-status.ts';
import { signedCertificateTimestamp } from '../extensions/certificate-timestamps.ts';
import {
  ecPointFormats,
  encryptThenMac,
  extendedMasterSecret,
  renegotiationInfo,
} from '../extensions/negotiation.ts';
import { serverName } from '../extensions/server-names.ts';
import { sessionTicket } from '../extensions/session-ticket.ts';
import { acknowledgesName } from '../features/cross-protocol.ts';
import { answerNpn } from '../features/npn.ts';
import { answerFeatures } from '../features/server-features.ts';
import type { Flow } from '../flow.ts';
import type { ServerHandshake } from '../handshake/context.ts';
import { send } from '../handshake/message-flow.ts';
import type { ShownCredential } from '../handshake/peer.ts';
import {
  checkSameEncryptThenMac,
  checkSameExtendedMasterSecret,
  checkSameName,
} from '../handshake/previous-handshake.ts';
import type { ClientHello } from '../messages/client-hello.ts';
import { DOWNGRADE_JAVA11, DOWNGRADE_TLS11, DOWNGRADE_TLS12, serverHello } from '../messages/server-hello.ts';
import type { RecordCompression } from '../record/compression.ts';
import type { ClientHelloInfo } from '../requests.ts';
import type { Session } from '../sessions/session.ts';
import { type CipherSuite, cipherSuite } from '../suites/index.ts';
import { TLS12, TLS13 } from '../versions.ts';
import { mayAskForCertificate } from './key-exchange/messages.ts';
import { checkClientRenegotiationInfo, serverRenegotiationInfo } from './renegotiation-info.ts';
import type { Terms } from './terms.ts';
import { rulesName, type VersionRules } from './version-rules.ts';

/** What the client's hello decided, but for the suite and the protocol. */
export interface Wishes {
  readonly rules: VersionRules;
  readonly hello: ClientHello;
  readonly info: ClientHelloInfo;
  readonly extended: boolean;
  /** renegotiation_info is to be answered (RFC 5746 §3.6). */
  readonly secureRenegotiation: boolean;
  readonly sendsTicket: boolean;
  termsWith(suite: CipherSuite): Terms;
  termsOf(session: Session): Terms;
}

export interface Agreed extends Wishes {
  readonly alpnProtocol: string | undefined;
}

/** What SSL 3.0 sees of a ClientHello: of the extensions only renegotiation_info (RFC 5746 §4.5). */
export function withoutExtensions(hello: ClientHello): ClientHello {
  const extensions = new ExtensionBlock('client_hello');
  const renegotiation = hello.extensions.get(renegotiationInfo);
  if (renegotiation !== undefined) extensions.set(renegotiationInfo, renegotiation);
  return { ...hello, extensions };
}

/** Checks the extensions that only versions up to 1.2 have, and settles what they ask for. */
export function agreeOn(
  h: ServerHandshake,
  rules: VersionRules,
  hello: ClientHello,
  info: ClientHelloInfo,
): Wishes {
  const { extensions } = hello;
  const formats = extensions.get(ecPointFormats);
  if (formats !== undefined && !formats.includes(0)) {
    throw new TlsError(
      'illegal-parameter',
      'the client does not accept uncompressed points (RFC 8422 §5.1.2)',
    );
  }
  checkClientSchemes(h, rules);
  // We SHOULD abort if we do not wish to work with clients that lack it (RFC 7627 §5.2): by default we do wish.
  const extended = extensions.has(extendedMasterSecret);
  if (!extended && !h.config.allowNoExtendedMasterSecret) {
    throw new TlsError(
      'no-extended-master-secret',
      'the client does not support extended_master_secret, which is required here',
    );
  }
  checkSameExtendedMasterSecret(h, extended);
  checkSameName(h, info.serverName);
  // A copy, since it is kept: what came is a view on the transport's memory.
  const randoms = { client: hello.random.slice(), server: serverRandom(h, rules) };
  const compression = commonCompression(h, hello);
  const termsWith = (suite: CipherSuite, compression: RecordCompression | undefined): Terms => {
    const isWanted = extensions.has(encryptThenMac) && h.config.encryptThenMac;
    const chosen = { suite, encryptThenMac: suite.cipher.kind === 'cbc' && isWanted };
    checkSameEncryptThenMac(h, chosen);
    return { rules, randoms, extended, compression, ...chosen };
  };
  return {
    rules,
    hello,
    info,
    extended,
    secureRenegotiation: checkClientRenegotiationInfo(h, hello),
    sendsTicket: Boolean(h.config.tickets) && extensions.has(sessionTicket) && compression === undefined,
    termsWith: (suite) => termsWith(suite, compression),
    // Sessions that can be resumed had no compression.
    termsOf: (session) => termsWith(cipherSuite(session.cipherSuite)!, undefined),
  };
}

/** Ours, where the client lists it (RFC 5246 §7.4.1.2, RFC 3749 §2): else records are not compressed. */
function commonCompression(h: ServerHandshake, hello: ClientHello): RecordCompression | undefined {
  const { dangerousCompression } = h.config;
  if (dangerousCompression === undefined) return undefined;
  return hello.legacyCompressionMethods.includes(dangerousCompression.method)
    ? dangerousCompression
    : undefined;
}

/** 32 random bytes, the last eight of which warn a client that wanted a newer version (RFC 9846 §4.2.3). */
function serverRandom(h: ServerHandshake, rules: VersionRules): Uint8Array {
  const random = h.provider.randomBytes(32);
  const best = Math.max(...h.config.versions);
  if (rules.version === TLS12 && best >= TLS13)
    random.set(h.avoidsTls13 === true ? DOWNGRADE_JAVA11 : DOWNGRADE_TLS12, 24);
  if (rules.version < TLS12 && best >= TLS12) random.set(DOWNGRADE_TLS11, 24);
  return random;
}

function checkClientSchemes({ config }: ServerHandshake, rules: VersionRules): void {
  if (
    config.clientCertificate !== 'require' ||
    rules.clientSignatureSchemes(config.signatureSchemes12).length > 0
  )
    return;
  throw new TlsError(
    'no-common-signature-scheme',
    `a client certificate is required, but none of our signatureSchemes is one of ${rulesName(rules)}`,
  );
}

/** With the certificate goes a signature: where none of this version would be taken, there is nothing to ask for. */
export function asksForCertificate(
  { config }: ServerHandshake,
  { rules, suite }: Pick<Terms, 'rules' | 'suite'>,
): boolean {
  const wanted = config.clientCertificate !== 'none';
  return (
    wanted &&
    mayAskForCertificate(suite) &&
    rules.clientSignatureSchemes(config.signatureSchemes12).length > 0
  );
}

/** Answers what takes the message that the hello asks for before the client's Finished; undefined for none. */
export function sendServerHello(
  h: ServerHandshake,
  agreed: Agreed,
  terms: Terms,
  sessionId: Uint8Array,
  answer: {
    staples: typeof statusRequest | typeof statusRequestV2 | undefined;
    own: ShownCredential | undefined;
    resumed: Session | undefined;
  },
): (() => Flow<void>) | undefined {
  const asked = agreed.hello.extensions;
  const extensions = new ExtensionBlock('server_hello_12');
  if (answer.resumed === undefined && acknowledgesName(h, agreed.info)) extensions.set(serverName, null);
  if (agreed.secureRenegotiation) extensions.set(renegotiationInfo, serverRenegotiationInfo(h));
  if (agreed.extended) extensions.set(extendedMasterSecret, null);
  if (terms.encryptThenMac) extensions.set(encryptThenMac, null);
  if (asked.has(ecPointFormats)) extensions.set(ecPointFormats, [0]);
  if (agreed.sendsTicket) extensions.set(sessionTicket, null);
  if (answer.staples !== undefined) extensions.set(answer.staples as typeof statusRequest, null);
  const timestamps = answer.own?.credential.signedCertificateTimestamps;
  if (timestamps !== undefined && asked.has(signedCertificateTimestamp))
    extensions.set(signedCertificateTimestamp, timestamps);
  if (agreed.alpnProtocol !== undefined) extensions.set(alpn, agreed.alpnProtocol);
  answerFeatures(h, asked, extensions);
  const receiveNextProtocol = answerNpn(h, asked, extensions);
  if (answer.resumed !== undefined) nameResumedType(h, asked, extensions, answer.resumed);
  else answerCertificateTypes(h, asked, extensions, answer.own?.credential, asksForCertificate(h, terms));
  send(h, serverHello, {
    legacyVersion: terms.rules.version,
    random: terms.randoms.server,
    legacySessionIdEcho: sessionId,
    cipherSuite: terms.suite.id,
    legacyCompressionMethod: terms.compression?.method ?? 0,
    extensions,
  });
  return receiveNextProtocol;
}
