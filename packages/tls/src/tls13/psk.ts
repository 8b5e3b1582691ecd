import { type CryptoProvider, HASH_LENGTH } from '@testudo/crypto';
import type { Offer } from '../client-hello-offer.ts';
import { MAX_PSK_IDENTITIES } from '../defaults.ts';
import { TlsError } from '../errors.ts';
import {
  bindersLength,
  type OfferedPsks,
  PSK_DHE_KE,
  preSharedKey,
  pskKeyExchangeModes,
} from '../extensions/pre-shared-key.ts';
import { type Flow, perform } from '../flow.ts';
import { satisfiesClientAuthentication } from '../handshake/authentication.ts';
import type { ClientHandshake } from '../handshake/client-handshake.ts';
import { sendEncoded } from '../handshake/handshake.ts';
import type { ServerHandshake } from '../handshake/server-handshake.ts';
import { type ClientHello, clientHello } from '../messages/client-hello.ts';
import { encodeMessage } from '../messages/handshake-type.ts';
import { isFresh, type Session } from '../sessions/session.ts';
import { type CipherSuite13, cipherSuite, cipherSuite13 } from '../suites.ts';
import { TLS13 } from '../versions.ts';
import { finishedData } from './finished.ts';
import { KeySchedule } from './key-schedule.ts';

/** Sends a ClientHello; with a 1.3 session on offer, its PSK goes last and is bound to the whole hello. */
export function sendClientHello(h: ClientHandshake, offer: Offer): void {
  const { session, hello } = offer;
  hello.extensions.delete(preSharedKey);
  if (session?.version !== TLS13) {
    sendEncoded(h, encodeMessage(clientHello, hello));
    return;
  }
  const suite = cipherSuite13(session.cipherSuite)!;
  const age = Math.max(0, h.now - session.createdAt);
  const offered: OfferedPsks = {
    identities: [{ identity: session.ticket, obfuscatedTicketAge: (age + session.ageAdd) % 2 ** 32 }],
    binders: [new Uint8Array(HASH_LENGTH[suite.hash])],
  };
  hello.extensions.set(preSharedKey, offered);
  const raw = encodeMessage(clientHello, hello);
  // The binder covers everything before the binders; it is filled in before anyone else sees the bytes.
  h.transcript.add(raw);
  const hash = h.transcript.digestWithoutTail(suite.hash, bindersLength(offered.binders));
  const binder = computeBinder(h.provider, suite, session.secret, hash);
  raw.set(binder, raw.length - binder.length);
  h.channel.writeHandshake(raw);
}

/** The PSK a server takes, with its place in the client's list. */
export interface AcceptedPsk {
  readonly session: Session;
  readonly index: number;
}

/** Looks for a session of ours among the client's PSKs, and checks its binder (RFC 9846 §4.2.11). */
export function* acceptPsk(
  h: ServerHandshake,
  hello: ClientHello,
  suite: CipherSuite13,
  name: string | undefined,
): Flow<AcceptedPsk | undefined> {
  const offered = hello.extensions.get(preSharedKey);
  if (offered === undefined) return undefined;
  checkOffer(hello, offered);
  if (!hello.extensions.get(pskKeyExchangeModes)!.includes(PSK_DHE_KE)) return undefined;
  for (const [index, { identity }] of offered.identities.slice(0, MAX_PSK_IDENTITIES).entries()) {
    const session = yield* perform('openTicket', identity);
    if (session === undefined || !fits(h, session, suite, name)) continue;
    const hash = h.transcript.digestWithoutTail(suite.hash, bindersLength(offered.binders));
    const binder = computeBinder(h.provider, suite, session.secret, hash);
    if (h.provider.equal(binder, offered.binders[index]!)) return { session, index };
    throw new TlsError(
      'bad-binder',
      'the PSK binder does not match: the ClientHello was changed, or the key differs',
    );
  }
  return undefined;
}

/** RFC 9846 §4.2.11: the extension is last, has a binder for each identity, and comes with the modes. */
function checkOffer(hello: ClientHello, offered: OfferedPsks): void {
  if (hello.extensions.ids.at(-1) !== preSharedKey.id) {
    throw new TlsError('illegal-parameter', 'pre_shared_key is not the last extension of ClientHello');
  }
  if (offered.identities.length !== offered.binders.length) {
    throw new TlsError('illegal-parameter', 'pre_shared_key has not one binder for each identity');
  }
  if (!hello.extensions.has(pskKeyExchangeModes)) {
    throw new TlsError('missing-extension', 'pre_shared_key came without psk_key_exchange_modes');
  }
}

/** Same hash, same name, not too old, and no less authenticated than a full handshake would be. */
function fits(h: ServerHandshake, session: Session, suite: CipherSuite13, name: string | undefined): boolean {
  const original = cipherSuite(session.cipherSuite);
  if (session.version !== TLS13 || original?.hash !== suite.hash || session.serverName !== (name ?? ''))
    return false;
  return isFresh(session, h.now) && satisfiesClientAuthentication(h.config, session);
}

function computeBinder(
  provider: CryptoProvider,
  suite: CipherSuite13,
  psk: Uint8Array,
  transcriptHash: Uint8Array,
): Uint8Array {
  const schedule = new KeySchedule(provider, suite, psk);
  const key = schedule.binderKey();
  const binder = finishedData(provider, suite.hash, key, transcriptHash);
  key.fill(0);
  schedule.wipe();
  return binder;
}
