import { DEFAULT_SESSION_LIFETIME } from '../config/defaults.ts';
import type { ClientHandshake } from '../handshake/context.ts';
import type { AuthenticatedPeer } from '../handshake/peer.ts';
import type { NewSessionTicket12 } from '../messages/new-session-ticket.ts';
import { wantedPeer } from '../sessions/offered-session.ts';
import type { Session } from '../sessions/session.ts';
import type { Agreed } from './server-hello-check.ts';

/**
 * Hands out the session for later: named by a ticket (RFC 5077 §3.3), or by the server's session ID (RFC 5246 §7.4.1.3);
 * undefined when by neither.
 */
export function offerSession(
  h: ClientHandshake,
  { terms, sessionId, alpnProtocol }: Agreed,
  master: Uint8Array,
  server: AuthenticatedPeer,
  ticket: NewSessionTicket12 | undefined,
): Session | undefined {
  if (terms.compression !== undefined) return undefined;
  const hasTicket = ticket !== undefined && ticket.ticket.length > 0;
  if (!hasTicket && sessionId.length === 0) return undefined;
  const session: Session = {
    version: terms.rules.version,
    cipherSuite: terms.suite.id,
    secret: master.slice(),
    extendedMasterSecret: terms.extended,
    createdAt: h.config.now(),
    lifetime: ticket?.ticketLifetimeHint || DEFAULT_SESSION_LIFETIME,
    ageAdd: 0,
    id: hasTicket ? new Uint8Array(0) : sessionId,
    ticket: ticket?.ticket ?? new Uint8Array(0),
    serverName: h.serverName ?? '',
    host: wantedPeer(h),
    alpnProtocol: alpnProtocol ?? '',
    maxEarlyData: 0,
    peerCertificates: server.certificates,
    peerVerified: server.error === undefined,
    peerRawPublicKey: server.rawPublicKey,
  };
  h.onSession(session);
  return session;
}
