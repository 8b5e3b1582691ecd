import { AEAD_SIZES } from '@testudo/crypto';
import type { ClientHandshake } from '../handshake/context.ts';
import type { AuthenticatedPeer } from '../handshake/peer.ts';
import type { ConnectionInfo } from '../handshake/result.ts';
import type { CipherSuite } from '../suites/index.ts';
import { TLS12 } from '../versions.ts';
import { exportKeyingMaterial12 } from './exporter.ts';
import type { Agreed } from './server-hello-check.ts';
import type { Terms } from './terms.ts';

const FULL_TAG = 16;

/**
 * Client, after its own Finished in a full handshake: whether application data may go before the server's (RFC 7918 §4).
 * What somebody changed in the hellos shows in that Finished only, so nothing may go by then that a weaker choice would
 * give away: TLS 1.2, an AEAD with a whole tag, and ECDHE signed by a certificate that is good (RFC 7918 §5). RFC 7918
 * §5.3 has DHE, too; it is left out, since the signature over a group does not say for which suite it is made (Logjam),
 * and servers still have weak ones.
 *
 * The protocol must be negotiated (ALPN, or NPN) unless the application says otherwise: there were servers, and boxes before
 * them, that hang or fail when data comes early, which is not to be seen in a handshake (RFC 7918 §3). Those that know
 * either extension are newer.
 */
export function mayFalseStart(h: ClientHandshake, agreed: Agreed, server: AuthenticatedPeer): boolean {
  const { falseStart } = h.config;
  if (falseStart === false) return false;
  const { rules, suite, compression } = agreed.terms;
  return (
    rules.version === TLS12 &&
    isStrong(suite) &&
    compression === undefined &&
    server.error === undefined &&
    // In a renegotiation data waits anyway. A server that did not read the inner hello gets none (RFC 9849 §6.1.6).
    h.renegotiates === undefined &&
    h.echHooks === undefined &&
    (falseStart === 'any-server' || namesProtocol(h, agreed))
  );
}

/** Lets the application send. */
export function startFalsely(
  h: ClientHandshake,
  terms: Terms,
  master: Uint8Array,
  { finished: _unverified, ...info }: ConnectionInfo,
): void {
  const { provider, config } = h;
  h.channel.startFalsely(info, (label, context, length) =>
    exportKeyingMaterial12({ provider, config }, terms, master, label, context, length),
  );
}

function isStrong({ keyExchange, authentication, cipher }: CipherSuite): boolean {
  const isSigned = authentication === 'ecdsa' || authentication === 'rsa';
  return (
    keyExchange === 'ECDHE' && isSigned && cipher.kind === 'aead' && AEAD_SIZES[cipher.name].tag === FULL_TAG
  );
}

function namesProtocol({ negotiated }: ClientHandshake, { alpnProtocol }: Agreed): boolean {
  return alpnProtocol !== undefined || negotiated?.npnProtocol !== undefined;
}
