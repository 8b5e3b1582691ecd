import { rejection } from '../certificate-verdict.ts';
import { MAX_CERTIFICATES } from '../defaults.ts';
import { TlsError } from '../errors.ts';
import { type Flow, perform } from '../flow.ts';
import type { Handshake } from '../handshake/handshake.ts';
import type { SignatureScheme } from '../signature-schemes.ts';
import { type AuthenticatedPeer, checkScheme, leafKey, verifySignature } from '../tls13/authentication.ts';
import { TLS12 } from '../versions.ts';

/** A chain that is not too long. */
export function checkChain(chain: readonly Uint8Array[]): readonly Uint8Array[] {
  if (chain.length <= MAX_CERTIFICATES) return chain;
  throw new TlsError('bad-certificate', `a chain of more than ${MAX_CERTIFICATES} certificates`);
}

/** A signature by the key in the leaf, with a scheme that was offered. */
export function checkSignature(
  h: Handshake,
  leaf: Uint8Array,
  signed: { algorithm: number; signature: Uint8Array; content: Uint8Array },
  offered: readonly number[],
): SignatureScheme {
  const scheme = checkScheme(signed.algorithm, offered);
  verifySignature(h, scheme, leafKey(h, leaf), TLS12, signed.content, signed.signature);
  return scheme;
}

/** Asks for the verdict on a peer's chain. */
export function* judge(
  h: Handshake,
  peer: {
    role: 'client' | 'server';
    name: string | undefined;
    chain: readonly Uint8Array[];
    ocspResponse: Uint8Array | undefined;
    scheme: SignatureScheme;
  },
): Flow<AuthenticatedPeer> {
  const { chain, ocspResponse } = peer;
  const verdict = yield* perform('verifyCertificate', {
    chain,
    peer: peer.role,
    name: peer.name,
    ocspResponse,
    now: h.now,
  });
  if (!verdict.accepted) throw rejection(verdict.error);
  return { certificates: chain, scheme: peer.scheme, ocspResponse, error: verdict.error, path: verdict.path };
}
