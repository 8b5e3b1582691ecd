import { HASH_LENGTH } from '@testudo/crypto';
import type { Offer } from '../client-hello-offer.ts';
import { padHello } from '../client-hello-shape.ts';
import { bindersLength, type OfferedPsks, preSharedKey } from '../extensions/pre-shared-key.ts';
import { type Flow, perform } from '../flow.ts';
import type { ClientHandshake } from '../handshake/client-handshake.ts';
import { sendEncoded } from '../handshake/handshake.ts';
import { clientHello } from '../messages/client-hello.ts';
import { encodeMessage } from '../messages/handshake-type.ts';
import type { ExternalPsk } from '../psk/external-psk.ts';
import type { Session } from '../sessions/session.ts';
import { cipherSuite13, isSuite13 } from '../suites.ts';
import { TLS13 } from '../versions.ts';
import { type BoundPsk, binder } from './binder.ts';

/** A PSK as a client offers it. */
export interface OfferedPsk extends BoundPsk {
  readonly identity: Uint8Array;
  /** Milliseconds, hidden; 0 for an external key. */
  readonly obfuscatedTicketAge: number;
  /** The session it resumes; undefined for an external key. */
  readonly session: Session | undefined;
}

/** What a client has to offer: the session first, then its external keys (RFC 9846 §4.2.11). */
export function* offeredPsks(h: ClientHandshake, session: Session | undefined): Flow<OfferedPsk[]> {
  const { config } = h;
  if (!config.versions.includes(TLS13)) return [];
  const psks: OfferedPsk[] = session?.version === TLS13 ? [resumptionPsk(h, session)] : [];
  if (config.options.psks === undefined) return psks;
  const external = yield* perform('choosePsks', { hint: undefined });
  const hashes = config.cipherSuites.filter(isSuite13).map((suite) => suite.hash);
  return [...psks, ...external.map(externalPsk).filter((psk) => hashes.includes(psk.hash))];
}

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

/** Sends a ClientHello; the PSKs on offer go last and are bound to the whole hello (RFC 9846 §4.2.11.2). */
export function sendClientHello(h: ClientHandshake, offer: Offer): void {
  const { psks, hello } = offer;
  hello.extensions.delete(preSharedKey);
  if (psks.length === 0) {
    padHello(h.config.options, hello);
    sendEncoded(h, encodeMessage(clientHello, hello));
    return;
  }
  const offered: OfferedPsks = {
    identities: psks.map(({ identity, obfuscatedTicketAge }) => ({ identity, obfuscatedTicketAge })),
    binders: psks.map(({ hash }) => new Uint8Array(HASH_LENGTH[hash])),
  };
  hello.extensions.set(preSharedKey, offered);
  padHello(h.config.options, hello);
  const raw = encodeMessage(clientHello, hello);
  // The binders cover everything before them; they are filled in before anyone else sees the bytes.
  h.transcript.add(raw);
  const tail = bindersLength(offered.binders);
  let at = raw.length - tail + 2;
  for (const psk of psks) {
    const value = binder(h.provider, psk, h.transcript.digestWithoutTail(psk.hash, tail));
    raw[at] = value.length;
    raw.set(value, at + 1);
    at += 1 + value.length;
  }
  h.channel.writeHandshake(raw);
}
