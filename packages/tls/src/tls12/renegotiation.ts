import { TlsError } from '../errors.ts';
import type { Flow } from '../flow.ts';
import type { Handshake, PreviousHandshake } from '../handshake/context.ts';
import { RateLimit } from '../handshake/rate-limit.ts';
import type { AfterHandshake, ConnectionInfo } from '../handshake/result.ts';
import type { RawMessage } from '../messages/handshake-type.ts';
import { SSL30 } from '../versions.ts';
import type { Terms } from './terms.ts';

/**
 * How one side of an open connection negotiates anew (RFC 5246 §7.4.1.1, RFC 5746). There is none where that is not allowed, or
 * would not be secure.
 */
export interface Renegotiation {
  /** The peer wants to, with this message; undefined when it may not. */
  answer(message: RawMessage): Flow<AfterHandshake> | undefined;
  /** This side wants to. `resume`: with the session that it has, which is quicker, and changes but the keys. */
  begin(resume: boolean): Flow<AfterHandshake> | undefined;
  /** Server: as `begin`, and the client is asked for its certificate. */
  requestCertificate(required: boolean): void;
  /** The peer said that it does not want to. */
  declined(): void;
}

/** The handshake that is complete, as the next one sees it; undefined where there must be no next one. */
export function previousHandshake(
  h: Handshake,
  role: 'client' | 'server',
  terms: Terms,
  secure: boolean,
  info: ConnectionInfo,
): PreviousHandshake | undefined {
  const settings = h.config.renegotiation;
  if (settings === undefined || !secure || terms.rules.version === SSL30) return undefined;
  // A session that is resumed without the extended master secret may be somebody else's, too (RFC 7627 §5.4).
  if (info.resumed && !terms.extended) return undefined;
  const { sent, received } = info.finished;
  return {
    clientVerifyData: role === 'client' ? sent : received,
    serverVerifyData: role === 'client' ? received : sent,
    extendedMasterSecret: terms.extended,
    encryptThenMac: terms.encryptThenMac,
    peerCertificates: info.peerRawPublicKey === undefined ? info.peerCertificates : [info.peerRawPublicKey],
    peerPskIdentity: role === 'server' ? info.pskIdentity : undefined,
    serverName: info.serverName,
    npnProtocol: info.npnProtocol,
    allowsOtherPeer: settings.allowsOtherPeer,
    byPeer: settings.byPeer,
    limit: h.renegotiates?.limit ?? new RateLimit(settings, h.config.now),
  };
}

/** The peer begins: true when it may. Throws `too-many-renegotiations`. */
export function peerMayBegin({ byPeer, limit }: PreviousHandshake): boolean {
  if (!byPeer) return false;
  if (limit.take()) return true;
  throw new TlsError('too-many-renegotiations', 'the peer renegotiates more often than allowed');
}

/** What a flow gets that waits for the peer's answer. */
export function declined(): TlsError {
  return new TlsError('renegotiation-declined', 'the peer does not renegotiate: no_renegotiation');
}
