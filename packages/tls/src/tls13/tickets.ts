import { MAX_SESSION_LIFETIME, MAX_TICKET } from '../config/defaults.ts';
import { ExtensionBlock } from '../extensions/block.ts';
import { earlyData } from '../extensions/pre-shared-key.ts';
import { ticketFeatures } from '../features/server-features.ts';
import { isAcrossNames, setAcrossNames } from '../features/tls-flags.ts';
import { type Flow, perform } from '../flow.ts';
import type { ClientHandshake, ServerHandshake } from '../handshake/context.ts';
import type { ExchangedSettings } from '../handshake/negotiated.ts';
import type { AuthenticatedPeer } from '../handshake/peer.ts';
import { encodeMessage } from '../messages/handshake-type.ts';
import { type NewSessionTicket13, newSessionTicket13 } from '../messages/new-session-ticket.ts';
import { wantedPeer } from '../sessions/offered-session.ts';
import type { Session } from '../sessions/session.ts';
import type { CipherSuite13 } from '../suites/index.ts';
import { TLS13 } from '../versions.ts';
import type { KeySchedule } from './key-schedule.ts';

interface Agreed {
  readonly settings: ExchangedSettings | undefined;
  readonly suite: CipherSuite13;
  readonly alpnProtocol: string | undefined;
  readonly peer: AuthenticatedPeer;
}

/** What a client keeps of a ticket (RFC 9846 §4.7.1). */
export function sessionFromTicket(
  h: ClientHandshake,
  ticket: NewSessionTicket13,
  psk: Uint8Array,
  agreed: Agreed,
): Session {
  return sessionOf(agreed, {
    secret: psk,
    createdAt: h.config.now(),
    lifetime: Math.min(ticket.ticketLifetime, MAX_SESSION_LIFETIME),
    ageAdd: ticket.ticketAgeAdd,
    ticket: ticket.ticket,
    serverName: h.serverName ?? '',
    host: wantedPeer(h),
    maxEarlyData: ticket.extensions.get(earlyData) ?? 0,
    localCertificateType: undefined,
    acrossNames: isAcrossNames(ticket.extensions) || undefined,
  });
}

/** Sends the tickets of a new connection (RFC 9846 §4.7.1): each with a PSK of its own. */
export function* sendTickets(
  h: ServerHandshake,
  schedule: KeySchedule,
  resumptionMainSecret: Uint8Array,
  count: number,
  agreed: Agreed & { readonly serverName: string | undefined },
): Flow<void> {
  for (let i = 0; i < count; i++) {
    const ticketNonce = Uint8Array.of(i);
    const psk = schedule.resumptionPsk(resumptionMainSecret, ticketNonce);
    const ageAdd = h.provider.randomBytes(4).reduce((value, byte) => value * 256 + byte, 0);
    const lifetime = h.config.sessionLifetime;
    const serverName = agreed.serverName ?? '';
    const issued = {
      secret: psk,
      createdAt: h.now,
      lifetime,
      ageAdd,
      ticket: NOTHING,
      serverName,
      host: '',
      maxEarlyData: h.config.maxEarlyData,
      localCertificateType: h.certificateTypes?.server,
      acrossNames: h.config.resumptionAcrossNames || undefined,
    };
    const ticket = yield* perform('sealTicket', sessionOf(agreed, issued));
    psk.fill(0);
    // It holds the client's chain, which may be long; an empty one is none.
    if (ticket.length > MAX_TICKET || ticket.length === 0) return;
    const extensions = new ExtensionBlock('new_session_ticket');
    if (h.config.maxEarlyData > 0) extensions.set(earlyData, h.config.maxEarlyData);
    if (issued.acrossNames) setAcrossNames(extensions);
    ticketFeatures(h, extensions);
    const message = { ticketLifetime: lifetime, ticketAgeAdd: ageAdd, ticketNonce, ticket, extensions };
    h.channel.writeHandshake(encodeMessage(newSessionTicket13, message));
  }
}

const NOTHING = new Uint8Array(0);

/** What one ticket has of its own, beside what its connection agreed on. */
type Issued = Pick<
  Session,
  | 'secret'
  | 'createdAt'
  | 'lifetime'
  | 'ageAdd'
  | 'ticket'
  | 'serverName'
  | 'host'
  | 'maxEarlyData'
  | 'localCertificateType'
  | 'acrossNames'
>;

/** Field by field: spreading one object into another costs V8 more than sealing the ticket. */
function sessionOf(agreed: Agreed, issued: Issued): Session {
  return {
    version: TLS13,
    cipherSuite: agreed.suite.id,
    secret: issued.secret,
    extendedMasterSecret: true,
    createdAt: issued.createdAt,
    lifetime: issued.lifetime,
    ageAdd: issued.ageAdd,
    id: NOTHING,
    ticket: issued.ticket,
    serverName: issued.serverName,
    host: issued.host,
    alpnProtocol: agreed.alpnProtocol ?? '',
    maxEarlyData: issued.maxEarlyData,
    peerCertificates: agreed.peer.certificateHash === undefined ? agreed.peer.certificates : [],
    peerCertificateHash: agreed.peer.certificateHash,
    peerVerified: agreed.peer.error === undefined,
    peerRawPublicKey: agreed.peer.rawPublicKey,
    localCertificateType: issued.localCertificateType,
    acrossNames: issued.acrossNames,
    applicationSettings: agreed.settings,
  };
}
