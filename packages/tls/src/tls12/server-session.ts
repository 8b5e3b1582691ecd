import { MAX_TICKET } from '../config/defaults.ts';
import { type Flow, perform } from '../flow.ts';
import type { ServerHandshake } from '../handshake/context.ts';
import { send } from '../handshake/message-flow.ts';
import type { AuthenticatedPeer } from '../handshake/peer.ts';
import { newSessionTicket12 } from '../messages/new-session-ticket.ts';
import type { Session } from '../sessions/session.ts';
import type { Agreed } from './server-hello.ts';
import type { Terms } from './terms.ts';

/** Seals the session into a ticket for the client; an empty one where it is too long, since one was promised (RFC 5077 §3.3). */
export function* sendTicket(h: ServerHandshake, session: Session): Flow<void> {
  const sealed = yield* perform('sealTicket', session);
  const ticket = sealed.length > MAX_TICKET ? new Uint8Array(0) : sealed;
  send(h, newSessionTicket12, { ticketLifetimeHint: h.config.sessionLifetime, ticket });
}

/** What the server keeps of a full handshake, in its own store or in a ticket (RFC 5246 §7.3, RFC 5077 §4). */
export function sessionFor(
  h: ServerHandshake,
  { info, alpnProtocol }: Agreed,
  terms: Terms,
  master: Uint8Array,
  client: AuthenticatedPeer,
  id: Uint8Array,
): Session {
  return {
    version: terms.rules.version,
    cipherSuite: terms.suite.id,
    secret: master.slice(),
    extendedMasterSecret: terms.extended,
    createdAt: h.now,
    lifetime: h.config.sessionLifetime,
    ageAdd: 0,
    id,
    ticket: new Uint8Array(0),
    serverName: info.serverName ?? '',
    host: '',
    alpnProtocol: alpnProtocol ?? '',
    maxEarlyData: 0,
    peerCertificates: client.certificateHash === undefined ? client.certificates : [],
    peerCertificateHash: client.certificateHash,
    peerVerified: client.error === undefined,
    peerRawPublicKey: client.rawPublicKey,
    localCertificateType: h.certificateTypes?.server,
  };
}
