import { bytesEqual } from '@testudo/codec';
import { TlsError } from '../errors.ts';
import type { Session } from '../sessions/session.ts';
import type { CipherSuite } from '../suites/cipher-suite.ts';
import type { PreviousHandshake } from './context.ts';

/**
 * A peer that has shown a certificate must show it again: who owns the connection must not change behind the
 * application's back (the triple handshake attack, RFC 7627 §1). Throws `peer-changed`.
 */
export function checkSamePeer(
  { renegotiates: previous }: { readonly renegotiates?: PreviousHandshake },
  chain: readonly Uint8Array[],
): void {
  const known = previous?.peerCertificates[0];
  if (known === undefined || previous?.allowsOtherPeer === true) return;
  if (chain[0] !== undefined && bytesEqual(chain[0], known)) return;
  throw new TlsError('peer-changed', 'the peer sent a different certificate than before the renegotiation');
}

/**
 * A server: as {@link checkSamePeer}, for a client that is known by an external key; undefined in a handshake without one.
 * Throws `peer-changed`.
 */
export function checkSamePskIdentity(
  { renegotiates: previous }: { readonly renegotiates?: PreviousHandshake },
  identity: Uint8Array | undefined,
): void {
  const known = previous?.peerPskIdentity;
  if (known === undefined || previous?.allowsOtherPeer === true) return;
  if (identity !== undefined && bytesEqual(identity, known)) return;
  throw new TlsError(
    'peer-changed',
    'the client uses a different external key than before the renegotiation',
  );
}

/** What the peer of a session showed: its chain, or its key. */
export function shownBefore({ peerCertificates, peerRawPublicKey }: Session): readonly Uint8Array[] {
  return peerRawPublicKey === undefined ? peerCertificates : [peerRawPublicKey];
}

/** Throws `peer-changed` when a client wants another server than before. */
export function checkSameName(
  { renegotiates: previous }: { readonly renegotiates?: PreviousHandshake },
  serverName: string | undefined,
): void {
  if (previous === undefined || previous.allowsOtherPeer || previous.serverName === serverName) return;
  throw new TlsError(
    'peer-changed',
    'the client wants a different server name than before the renegotiation',
  );
}

/** RFC 7627 §5.4: what bound the first handshake binds the next. Throws `extended-master-secret-mismatch`. */
export function checkSameExtendedMasterSecret(
  { renegotiates: previous }: { readonly renegotiates?: PreviousHandshake },
  extended: boolean,
): void {
  if (previous === undefined || previous.extendedMasterSecret === extended) return;
  throw new TlsError(
    'extended-master-secret-mismatch',
    'the renegotiation differs in extended_master_secret from the handshake before it',
  );
}

/**
 * RFC 7366 §3.1: what was encrypted first is not authenticated first afterwards. Other ciphers than block ciphers have no such
 * choice. Throws `encrypt-then-mac-dropped`.
 */
export function checkSameEncryptThenMac(
  { renegotiates: previous }: { readonly renegotiates?: PreviousHandshake },
  { suite, encryptThenMac }: { readonly suite: CipherSuite; readonly encryptThenMac: boolean },
): void {
  if (previous?.encryptThenMac !== true || encryptThenMac || suite.cipher.kind !== 'cbc') return;
  throw new TlsError('encrypt-then-mac-dropped', 'the renegotiation gives encrypt_then_mac up');
}
