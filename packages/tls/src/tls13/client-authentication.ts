import { TlsError } from '../errors.ts';
import { ExtensionBlock } from '../extensions/block.ts';
import { certificateAuthorities, namedAuthorities } from '../extensions/certificate-authorities.ts';
import { signatureAlgorithms } from '../extensions/negotiation.ts';
import { requestFeatures } from '../features/server-features.ts';
import type { Flow } from '../flow.ts';
import type { ServerHandshake } from '../handshake/context.ts';
import { type AuthenticatedPeer, isIdentified } from '../handshake/peer.ts';
import { mayStandIn13 } from '../signature-schemes.ts';
import { receiveAuthentication } from './authentication.ts';

/** What a server can verify, and whom it trusts (RFC 9846 §4.4.2). */
export function certificateRequestExtensions(h: ServerHandshake): ExtensionBlock<'certificate_request'> {
  const { certificateAuthorities: authorities } = h.config;
  // Also what may only sign certificates (RFC 9846 §4.3.3).
  const schemes = h.config.signatureSchemes.filter(mayStandIn13).map(({ id }) => id);
  const extensions = new ExtensionBlock('certificate_request').set(signatureAlgorithms, schemes);
  const named = namedAuthorities(authorities);
  if (named.length > 0) extensions.set(certificateAuthorities, named);
  requestFeatures(h, extensions);
  return extensions;
}

/** The client's answer to a certificate request with this context. */
export function* authenticateClient(h: ServerHandshake, context: Uint8Array): Flow<AuthenticatedPeer> {
  const peer = yield* receiveAuthentication(h, {
    role: 'client',
    name: undefined,
    offered: h.config.signatureSchemes13,
    requested: h.config.features.requested,
    context,
  });
  if (!isIdentified(peer) && h.config.clientCertificate === 'require') {
    throw new TlsError(
      'certificate-required',
      'the client showed no certificate, and this server requires one',
    );
  }
  return peer;
}
