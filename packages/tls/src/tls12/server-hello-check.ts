import { bytesEqual } from '@testudo/codec';
import { learnCertificateTypes } from '../certificates/type-negotiation.ts';
import { TlsError } from '../errors.ts';
import type { ExtensionBlock } from '../extensions/block.ts';
import { statusRequest, statusRequestV2 } from '../extensions/certificate-status.ts';
import { signedCertificateTimestamp } from '../extensions/certificate-timestamps.ts';
import {
  ecPointFormats,
  encryptThenMac,
  extendedMasterSecret,
  renegotiationInfo,
} from '../extensions/negotiation.ts';
import { selectedProtocol } from '../extensions/selected-protocol.ts';
import { sessionTicket } from '../extensions/session-ticket.ts';
import { learnFeatures } from '../features/client-features.ts';
import { npnSender } from '../features/npn.ts';
import type { ClientHandshake } from '../handshake/context.ts';
import type { Offer } from '../handshake/offer.ts';
import { checkSameEncryptThenMac, checkSameExtendedMasterSecret } from '../handshake/previous-handshake.ts';
import type { ServerHello } from '../messages/server-hello.ts';
import type { RecordCompression } from '../record/compression.ts';
import type { Session } from '../sessions/session.ts';
import { type CipherSuite, cipherSuite, EMPTY_RENEGOTIATION_INFO_SCSV, suiteFits } from '../suites/index.ts';
import { showsCertificate } from './key-exchange/messages.ts';
import { checkServerRenegotiationInfo } from './renegotiation-info.ts';
import type { Terms } from './terms.ts';
import type { VersionRules } from './version-rules.ts';

/** What the hellos decided. */
export interface Agreed {
  readonly terms: Terms;
  /** The version in our ClientHello. */
  readonly offeredVersion: number;
  /** The server knows secure renegotiation (RFC 5746). */
  readonly secureRenegotiation: boolean;
  readonly sessionId: Uint8Array;
  readonly alpnProtocol: string | undefined;
  /** Before our Finished; undefined without NPN. */
  readonly sendNextProtocol: (() => void) | undefined;
  readonly ticketFollows: boolean;
  /** CertificateStatus may follow: announced by status_request, or by status_request_v2. */
  readonly statusFollows: 'v1' | 'v2' | undefined;
  readonly signedCertificateTimestamps: Uint8Array | undefined;
  /** The session that the server resumes. */
  readonly session: Session | undefined;
}

/** RFC 5246 §7.4.1.3, and the extensions' own rules. */
export function checkServerHello(
  h: ClientHandshake,
  rules: VersionRules,
  offer: Offer,
  hello: ServerHello<'server_hello_12'>,
): Agreed {
  const { extensions } = hello;
  // The signalling suite asks for it, too (RFC 5746 §3.4).
  const asked = offer.hello.cipherSuites.includes(EMPTY_RENEGOTIATION_INFO_SCSV) ? [renegotiationInfo] : [];
  extensions.expectSolicited(offer.hello.extensions, asked);
  if (!rules.hasExtensions && extensions.ids.some((id) => id !== renegotiationInfo.id))
    throw new TlsError('unsolicited-extension', 'SSL 3.0 has no extensions');
  learnFeatures(h, extensions);
  const suite = selectedSuite(rules, offer, hello);
  const secureRenegotiation = checkServerRenegotiationInfo(h, extensions);
  const formats = extensions.get(ecPointFormats);
  if (formats !== undefined && !formats.includes(0)) {
    throw new TlsError('illegal-parameter', 'the server does not accept uncompressed points');
  }
  // We SHOULD abort if we do not wish to work with servers that lack it (RFC 7627 §5.2): by default we do wish.
  const extended = extensions.has(extendedMasterSecret);
  if (!extended && !h.config.allowNoExtendedMasterSecret) {
    throw new TlsError(
      'no-extended-master-secret',
      'the server does not support extended_master_secret, which is required here',
    );
  }
  checkSameExtendedMasterSecret(h, extended);
  const session = resumedSession(offer, hello, rules, suite, extended);
  if (session === undefined && showsCertificate(suite)) learnCertificateTypes(h, extensions);
  const randoms = { client: offer.hello.random, server: hello.random.slice() };
  const terms: Terms = {
    rules,
    suite,
    randoms,
    extended,
    compression: selectedCompression(h, hello, session),
    encryptThenMac: selectedEncryptThenMac(hello, suite),
  };
  checkSameEncryptThenMac(h, terms);
  return {
    terms,
    offeredVersion: offer.hello.legacyVersion,
    secureRenegotiation,
    sessionId: hello.legacySessionIdEcho,
    alpnProtocol: selectedProtocol(offer.hello.extensions, extensions),
    sendNextProtocol: npnSender(h, extensions),
    ticketFollows: extensions.has(sessionTicket),
    statusFollows: announcedStatus(extensions),
    signedCertificateTimestamps: extensions.get(signedCertificateTimestamp),
    session,
  };
}

function selectedSuite(
  rules: VersionRules,
  offer: Offer,
  hello: ServerHello<'server_hello_12'>,
): CipherSuite {
  const suite = cipherSuite(hello.cipherSuite);
  if (suite !== undefined && suiteFits(suite, rules.version) && offer.hello.cipherSuites.includes(suite.id))
    return suite;
  throw new TlsError(
    'illegal-parameter',
    `ServerHello selects the suite 0x${hello.cipherSuite.toString(16)}, which was not offered`,
  );
}

/** What was offered, or none: that is what sessions that are resumed had (RFC 5246 §7.4.1.3). */
function selectedCompression(
  { config }: ClientHandshake,
  { legacyCompressionMethod: method }: ServerHello<'server_hello_12'>,
  session: Session | undefined,
): RecordCompression | undefined {
  if (method === 0) return undefined;
  const { dangerousCompression } = config;
  if (dangerousCompression?.method === method && session === undefined) return dangerousCompression;
  throw new TlsError('illegal-parameter', 'ServerHello selects a compression method');
}

/** A server answers one of the two (RFC 6961 §2.2). */
function announcedStatus(extensions: ExtensionBlock<'server_hello_12'>): 'v1' | 'v2' | undefined {
  const [v1, v2] = [extensions.has(statusRequest), extensions.has(statusRequestV2)];
  if (v1 && v2)
    throw new TlsError('illegal-parameter', 'the server answers both status_request and its second version');
  if (v2) return 'v2';
  return v1 ? 'v1' : undefined;
}

/** Only a block cipher can be used that way (RFC 7366 §3). */
function selectedEncryptThenMac(
  { extensions }: ServerHello<'server_hello_12'>,
  { cipher }: CipherSuite,
): boolean {
  if (!extensions.has(encryptThenMac)) return false;
  if (cipher.kind === 'cbc') return true;
  throw new TlsError(
    'illegal-parameter',
    'encrypt_then_mac was selected with a suite that does not use a block cipher',
  );
}

/**
 * The server resumes when it echoes the session ID (RFC 5246 §7.4.1.3); then suite and extended master secret must be as
 * they were. That neither session nor ServerHello has extended_master_secret, where the client SHOULD abort (RFC 7627 §5.3), is
 * taken by default: `allowNoExtendedMasterSecret: false` refuses every hello without it, this one too.
 */
function resumedSession(
  offer: Offer,
  hello: ServerHello<'server_hello_12'>,
  rules: VersionRules,
  suite: CipherSuite,
  extended: boolean,
): Session | undefined {
  const id = hello.legacySessionIdEcho;
  if (id.length === 0 || !bytesEqual(id, offer.hello.legacySessionId)) return undefined;
  const { session } = offer;
  if (session === undefined || session.version !== rules.version) {
    throw new TlsError(
      'illegal-parameter',
      'the server resumes a session that was not offered (RFC 5246 §7.4.1.3)',
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
