import { toAsciiDomain } from '@testudo/x509';
import { MAX_TICKET } from '../config/defaults.ts';
import { type Flow, perform } from '../flow.ts';
import type { ClientHandshake } from '../handshake/context.ts';
import { isIdentified } from '../handshake/peer.ts';
import { cipherSuite } from '../suites/index.ts';
import { TLS13 } from '../versions.ts';
import { abandonedByClients } from './abandoned-sessions.ts';
import { isFresh, type Session } from './session.ts';

/**
 * The session, if a client is to offer it: one that is for the same peer, or good for this one, too; where what it holds
 * would be negotiated again, and in which the peer is as much as a full handshake would make it. Undefined otherwise.
 */
export function* offeredSession(h: ClientHandshake, session: Session): Flow<Session | undefined> {
  if (!isUsable(h, session)) return undefined;
  if (!isForPeer(h, session)) return (yield* isAlsoForPeer(h, session)) ? session : undefined;
  if (!session.peerVerified) return (yield* isTakenUnverified(h, session)) ? session : undefined;
  // Without anything that was shown, it was a shared key that said who the peer is.
  return isKnown(session) || h.config.hasPsks ? session : undefined;
}

/**
 * The name or IP address that the server's certificate is to be for, in one form; empty where none was given. Sessions are
 * bound to it besides to the name in SNI, which addresses do not have (RFC 9846 §4.7.1).
 */
export function wantedPeer({ host }: Pick<ClientHandshake, 'host'>): string {
  return host === undefined ? '' : (toAsciiDomain(host) ?? host);
}

function isUsable(h: ClientHandshake, session: Session): boolean {
  const { config } = h;
  if (!isFresh(session, h.now) || abandonedByClients.has(h.provider, session)) return false;
  if (!config.versions.some((version) => version === session.version)) return false;
  // One that began with a certificate is no key.
  if (config.requirePsk && isKnown(session)) return false;
  const is13 = session.version === TLS13;
  if (is13 ? session.ticket.length === 0 : !takesTicket(h, session)) return false;
  if (session.ticket.length > MAX_TICKET) return false;
  const type = session.peerRawPublicKey === undefined ? 'x509' : 'raw-public-key';
  if (!config.features.certificateTypes.takes.includes(type)) return false;
  return config.cipherSuites.some((suite) => suite.id === session.cipherSuite);
}

/** Whether it began with the very peer that is wanted now. */
export function isForPeer(h: ClientHandshake, session: Session): boolean {
  return session.serverName === (h.serverName ?? '') && session.host === wantedPeer(h);
}

/**
 * A session with a server that has other names, too: the verifier decides whether its certificate is for this one
 * (draft-ietf-tls-cross-sni-resumption §3), and must find nothing wrong with it.
 */
function* isAlsoForPeer(h: ClientHandshake, session: Session): Flow<boolean> {
  const { peerCertificates: chain } = session;
  if (session.acrossNames !== true || !session.peerVerified || chain.length === 0) return false;
  const asked = { peer: 'server', name: h.host, now: h.now } as const;
  const verdict = yield* perform('verifyCertificate', { ...asked, chain, ocspResponse: undefined });
  return verdict.accepted && verdict.error === undefined;
}

function takesTicket({ config }: ClientHandshake, { ticket }: Session): boolean {
  return ticket.length === 0 || config.sessionTickets;
}

/**
 * What was not accepted then is not accepted now just because nobody looks (RFC 9846 §4.7.1): the verifier is asked once more,
 * and must say again that it takes this peer in spite of what is wrong. Who finds nothing wrong now gets a full handshake,
 * which shows it.
 */
function* isTakenUnverified(h: ClientHandshake, session: Session): Flow<boolean> {
  const asked = { peer: 'server', name: h.host, now: h.now } as const;
  if (!isKnown(session)) return h.config.dangerouslyAllowAnonymous;
  const { peerRawPublicKey: spki, peerCertificates: chain } = session;
  const decrypts = cipherSuite(session.cipherSuite)?.keyExchange.startsWith('RSA') === true;
  const keyUsage = decrypts ? 'keyEncipherment' : 'digitalSignature';
  const verdict =
    spki === undefined
      ? yield* perform('verifyCertificate', { ...asked, chain, keyUsage, ocspResponse: undefined })
      : yield* perform('verifyRawPublicKey', { ...asked, key: h.provider.importPublicKey(spki) });
  return verdict.accepted && verdict.error !== undefined;
}

function isKnown({ peerCertificates: certificates, peerRawPublicKey: rawPublicKey }: Session): boolean {
  return isIdentified({ certificates, rawPublicKey });
}
