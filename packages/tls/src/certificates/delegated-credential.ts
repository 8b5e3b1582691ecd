import { encode } from '@testudo/codec';
import type { ExtensionBlock } from '../extensions/block.ts';
import { type Delegation, delegatedCredential, delegationCodec } from '../extensions/delegated-credential.ts';
import { chooseScheme } from '../handshake/authentication.ts';
import type { Handshake } from '../handshake/context.ts';
import type { ChosenCredential } from '../handshake/peer.ts';
import { signedContent } from '../handshake/signed-content.ts';
import { SIGNATURE_SCHEMES, type SignatureScheme } from '../signature-schemes.ts';
import { TLS13 } from '../versions.ts';
import type { Credential } from './credential.ts';

/** The longest time for which a delegated credential is taken, in seconds: seven days (RFC 9345 §4.1.3). */
export const MAX_DELEGATION: number = 604_800;

/** Schemes of keys that may be delegated to: all of TLS 1.3, but RSA keys only where restricted to PSS (RFC 9345 §4). */
export function delegableSchemes(): readonly SignatureScheme[] {
  return SIGNATURE_SCHEMES.filter(
    ({ tls13, isForClients, name }) => tls13 && isForClients !== true && !name.startsWith('rsa_pss_rsae'),
  );
}

/** What the certificate's key signs (RFC 9345 §4, item 4). */
export function delegationContent(
  role: 'client' | 'server',
  leaf: Uint8Array,
  delegation: Delegation,
  algorithm: number,
): Uint8Array {
  const number = Uint8Array.of(algorithm >> 8, algorithm & 0xff);
  const context = `TLS, ${role} delegated credentials`;
  return signedContent(context, leaf, encode(delegationCodec, delegation), number);
}

/** Tells the peer that it may show a delegated credential, and what that may sign with. */
export function requestDelegation(
  h: Handshake,
  block: ExtensionBlock<'client_hello'> | ExtensionBlock<'certificate_request'>,
): void {
  const { delegationSchemes } = h.config.features;
  if (delegationSchemes.length === 0) return;
  (block as ExtensionBlock<'client_hello'>).set(
    delegatedCredential,
    delegationSchemes.map(({ id }) => id),
  );
}

/**
 * The first credential that the peer takes, with the scheme to sign with: by a delegated credential that it takes, or by
 * the certificate's own key.
 */
export function chooseCredential13(
  h: Handshake,
  credentials: readonly Credential[],
  role: 'client' | 'server',
  requested: ExtensionBlock<'client_hello'> | ExtensionBlock<'certificate_request'>,
  theirs: readonly number[],
): ChosenCredential | undefined {
  const ours = role === 'server' ? h.config.serverSchemes13 : h.config.signatureSchemes13;
  if (!credentials.some(({ delegatedCredentials }) => delegatedCredentials !== undefined))
    return chooseScheme(credentials, { ours, theirs }, TLS13);
  const taken = (requested as ExtensionBlock<'client_hello'>).get(delegatedCredential) ?? [];
  for (const credential of credentials) {
    const found = credential.delegatedCredentials?.find(
      (each) =>
        each.role === role &&
        h.now < each.expiresAt &&
        taken.includes(each.scheme.id) &&
        theirs.includes(each.signedWith.id),
    );
    if (found !== undefined) return { credential, scheme: found.scheme, delegated: found };
    const chosen = chooseScheme([credential], { ours, theirs }, TLS13);
    if (chosen !== undefined) return chosen;
  }
  return undefined;
}
