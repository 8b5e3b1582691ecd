import { HASH_LENGTH } from '@testudo/crypto';
import { TlsError } from '../errors.ts';
import { bindersLength, preSharedKey } from '../extensions/pre-shared-key.ts';
import { type Flow, perform } from '../flow.ts';
import type { ClientHandshake } from '../handshake/context.ts';
import type { BoundPsk, Offer, OfferedPsk } from '../handshake/offer.ts';
import { padHello } from '../hello/client-hello-shape.ts';
import { clientHello } from '../messages/client-hello.ts';
import { encodeMessage } from '../messages/handshake-type.ts';
import type { ExternalPsk } from '../psk/external-psk.ts';
import type { Session } from '../sessions/session.ts';
import { cipherSuite13, isSuite13 } from '../suites/index.ts';
import { TLS13 } from '../versions.ts';
import { binder } from './binder.ts';

/** What a client has to offer: the session first, then its external keys (RFC 9846 §2.2, §4.3.11). */
export function* offeredPsks(h: ClientHandshake, session: Session | undefined): Flow<OfferedPsk[]> {
  const { config } = h;
  if (!config.versions.includes(TLS13)) return [];
  const { hasPsks, requirePsk } = config;
  const psks: OfferedPsk[] = session?.version === TLS13 ? [resumptionPsk(h, session)] : [];
  if (!hasPsks) return psks;
  const external = yield* perform('choosePsks', { hint: undefined });
  const hashes = config.cipherSuites.filter(isSuite13).map((suite) => suite.hash);
  // An empty identity is one of TLS 1.2 only (RFC 4279 §2, RFC 9846 §4.3.11).
  const named = external.filter(({ identity }) => identity.length > 0).map(externalPsk);
  const offered = [...psks, ...named.filter((psk) => hashes.includes(psk.hash))];
  if (requirePsk) checkPsk(offered[0], 'there is neither a key nor a session for this server');
  return offered;
}

/** For a client that insists on a key. Throws `no-psk`. */
export function checkPsk(psk: OfferedPsk | undefined, message: string): void {
  if (psk === undefined) throw new TlsError('no-psk', message);
}

/** With its age, as RFC 9846 §4.3.11.1 hides it. */
function resumptionPsk(h: ClientHandshake, session: Session): OfferedPsk {
  const age = Math.max(0, h.now - session.createdAt);
  return {
    identity: session.ticket,
    obfuscatedTicketAge: (age + session.ageAdd) % 2 ** 32,
    key: session.secret,
    hash: cipherSuite13(session.cipherSuite)!.hash,
    binderLabel: 'res binder',
    session,
  };
}

function externalPsk(psk: ExternalPsk): OfferedPsk {
  return { ...externalBinding(psk), identity: psk.identity, obfuscatedTicketAge: 0, session: undefined };
}

/** What binds an external key to a ClientHello. */
export function externalBinding(psk: ExternalPsk): BoundPsk {
  return {
    key: psk.key,
    hash: psk.hash ?? 'sha256',
    binderLabel: psk.imported === true ? 'imp binder' : 'ext binder',
  };
}

/** Sends a ClientHello, or the one that hides it. */
export function sendClientHello(h: ClientHandshake, offer: Offer): void {
  const raw = encodeClientHello(h, offer);
  h.transcript.add(raw);
  if (offer.psks.length > 0) bindPsks(h, offer, raw);
  h.channel.writeHandshake(h.echHooks?.wrap(offer, raw) ?? raw);
}

/** The PSKs on offer go last (RFC 9846 §4.3.11); their binders are zeros. */
function encodeClientHello(h: ClientHandshake, { psks, hello }: Offer): Uint8Array {
  hello.extensions.delete(preSharedKey);
  if (psks.length > 0) {
    hello.extensions.set(preSharedKey, {
      identities: psks.map(({ identity, obfuscatedTicketAge }) => ({ identity, obfuscatedTicketAge })),
      binders: psks.map(({ hash }) => new Uint8Array(HASH_LENGTH[hash])),
    });
  }
  if (h.echHooks === undefined) padHello(h.config, hello);
  else h.echHooks.arrange(hello);
  return encodeMessage(clientHello, hello);
}

/**
 * Binds the PSKs to the whole hello, which is in the transcript already (RFC 9846 §4.3.11.2). The binders cover everything
 * before them; they are filled in before anyone else sees the bytes.
 */
function bindPsks(h: ClientHandshake, { psks, hello }: Offer, raw: Uint8Array): void {
  const tail = bindersLength(hello.extensions.get(preSharedKey)!.binders);
  let at = raw.length - tail + 2;
  for (const psk of psks) {
    const value = binder(h.provider, psk, h.transcript.digestWithoutTail(psk.hash, tail));
    raw[at] = value.length;
    raw.set(value, at + 1);
    at += 1 + value.length;
  }
}
