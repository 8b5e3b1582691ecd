import { bytesEqual } from '@testudo/codec';
import type { Credential } from '../certificates/credential.ts';
import { TlsError } from '../errors.ts';
import type { ExtensionBlock } from '../extensions/block.ts';
import { trustAnchors } from '../extensions/trust-anchors.ts';
import type { ClientHandshake, Handshake, ServerHandshake } from '../handshake/context.ts';
import { negotiatedOf } from '../handshake/negotiated.ts';

/** Throws `bad-option` for what is no identifier. */
export function checkTrustAnchors(identifiers: readonly Uint8Array[] | undefined): void {
  if (identifiers?.every(({ length }) => length >= 1 && length <= 255) !== false) return;
  throw new TlsError('bad-option', 'the identifier of a trust anchor has 1 to 255 bytes');
}

// A client -------------------------------------------------------------------------------------------------------

export function nameTrustAnchors({ config }: ClientHandshake, block: ExtensionBlock<'client_hello'>): void {
  const { trustAnchors: trusted } = config;
  if (trusted !== undefined) block.set(trustAnchors, [...trusted]);
}

export function learnTrustAnchors(h: ClientHandshake, answer: ExtensionBlock<'encrypted_extensions'>): void {
  if (h.config.trustAnchors === undefined) return;
  const available = answer.get(trustAnchors)?.map((identifier) => identifier.slice());
  negotiatedOf(h).trustAnchors = { available, matched: false };
}

/** The mark stands with the leaf, or nowhere. Throws `unsolicited-extension`. */
export function learnMatch(
  h: Handshake,
  certificates: readonly { readonly extensions: ExtensionBlock<'certificate'> }[],
): void {
  const place = certificates.findIndex(({ extensions }) => extensions.has(trustAnchors));
  const leaf = certificates[place];
  if (leaf === undefined) return;
  leaf.extensions.get(trustAnchors);
  if (certificates.some(({ extensions }, index) => index > 0 && extensions.has(trustAnchors)))
    throw new TlsError(
      'unsolicited-extension',
      'trust_anchors comes with a certificate that is not the leaf',
    );
  const negotiated = negotiatedOf(h);
  negotiated.trustAnchors = { available: negotiated.trustAnchors?.available, matched: true };
}

// A server -------------------------------------------------------------------------------------------------------

/** Whether the peer named the anchor that this credential's chain leads to. */
export function isTrusted(
  { trustAnchorId }: Credential,
  asked: ExtensionBlock<'client_hello'> | ExtensionBlock<'certificate_request'>,
): boolean {
  if (trustAnchorId === undefined) return false;
  const named = (asked as ExtensionBlock<'client_hello'>).get(trustAnchors);
  return named?.some((each) => bytesEqual(each, trustAnchorId)) === true;
}

/** What may be shown to this peer: those for a trust anchor of its own first. `asked` is undefined up to TLS 1.2. */
export function credentialsByAnchor(
  credentials: readonly Credential[],
  asked: ExtensionBlock<'client_hello'> | ExtensionBlock<'certificate_request'> | undefined,
): readonly Credential[] {
  if (credentials.every(({ trustAnchorId }) => trustAnchorId === undefined)) return credentials;
  const trusted = asked === undefined ? [] : credentials.filter((each) => isTrusted(each, asked));
  const others = credentials.filter((each) => !trusted.includes(each) && each.onlyWhereTrusted !== true);
  return [...trusted, ...others];
}

/** Tells a client that asked what there would be for it, by `usable`. */
export function offerTrustAnchors(
  h: ServerHandshake,
  asked: ExtensionBlock<'client_hello'>,
  credentials: readonly Credential[],
  usable: (credential: Credential) => boolean,
): void {
  if (!asked.has(trustAnchors)) return;
  const available: Uint8Array[] = [];
  for (const credential of credentials) {
    const { trustAnchorId: id } = credential;
    if (id !== undefined && !available.some((each) => bytesEqual(each, id)) && usable(credential))
      available.push(id);
  }
  if (available.length > 0) h.availableTrustAnchors = available;
}
