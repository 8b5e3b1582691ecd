import { ExtensionBlock } from '../extensions/block.ts';
import { earlyData } from '../extensions/pre-shared-key.ts';
import { type Flow, perform } from '../flow.ts';
import type { ClientHandshake } from '../handshake/client-handshake.ts';
import type { ServerHandshake } from '../handshake/server-handshake.ts';
import { encodeMessage } from '../messages/handshake-type.ts';
import { type NewSessionTicket13, newSessionTicket13 } from '../messages/new-session-ticket.ts';
import type { Session } from '../sessions/session.ts';
import type { CipherSuite } from '../suites.ts';
import { TLS13 } from '../versions.ts';
import type { AuthenticatedPeer } from './authentication.ts';
import type { KeySchedule } from './key-schedule.ts';

/** The longest a ticket may live: seven days, in seconds (RFC 9846 §4.6.1). */
const MAX_LIFETIME = 604_800;

interface Agreed {
  readonly suite: CipherSuite;
  readonly alpnProtocol: string | undefined;
  readonly peer: AuthenticatedPeer;
}

/** What a client keeps of a ticket. */
export function sessionFromTicket(
  h: ClientHandshake,
  ticket: NewSessionTicket13,
  psk: Uint8Array,
  agreed: Agreed,
): Session {
  return {
    ...common(agreed, psk, h.config.now()),
    lifetime: Math.min(ticket.ticketLifetime, MAX_LIFETIME),
    ageAdd: ticket.ticketAgeAdd,
    ticket: ticket.ticket,
    serverName: h.serverName ?? '',
    maxEarlyData: ticket.extensions.get(earlyData) ?? 0,
  };
}

/** Sends the tickets of a new connection (RFC 9846 §4.6.1): each with a PSK of its own. */
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
    const ageAdd = new DataView(h.provider.randomBytes(4).slice().buffer).getUint32(0);
    const lifetime = h.config.sessionLifetime;
    const ticket = yield* perform('sealTicket', {
      ...common(agreed, psk, h.now),
      lifetime,
      ageAdd,
      ticket: NOTHING,
      serverName: agreed.serverName ?? '',
      maxEarlyData: 0,
    });
    psk.fill(0);
    const extensions = new ExtensionBlock('new_session_ticket');
    const message = { ticketLifetime: lifetime, ticketAgeAdd: ageAdd, ticketNonce, ticket, extensions };
    h.channel.writeHandshake(encodeMessage(newSessionTicket13, message));
  }
}

const NOTHING = new Uint8Array(0);

function common(agreed: Agreed, secret: Uint8Array, now: number) {
  return {
    version: TLS13,
    cipherSuite: agreed.suite.id,
    secret,
    extendedMasterSecret: true,
    createdAt: now,
    id: NOTHING,
    alpnProtocol: agreed.alpnProtocol ?? '',
    peerCertificates: agreed.peer.certificates,
    peerVerified: agreed.peer.error === undefined,
  };
}
