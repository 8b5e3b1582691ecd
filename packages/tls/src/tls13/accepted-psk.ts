import type { HashName } from '@testudo/crypto';
import { MAX_PSK_IDENTITIES } from '../config/defaults.ts';
import { TlsError } from '../errors.ts';
import {
  bindersLength,
  type OfferedPsks,
  PSK_DHE_KE,
  type PskIdentity,
  preSharedKey,
  pskKeyExchangeModes,
} from '../extensions/pre-shared-key.ts';
import { type Flow, perform } from '../flow.ts';
import { satisfiesClientAuthentication } from '../handshake/authentication.ts';
import type { ServerHandshake } from '../handshake/context.ts';
import type { BoundPsk } from '../handshake/offer.ts';
import type { ClientHello } from '../messages/client-hello.ts';
import { isFresh, type Session } from '../sessions/session.ts';
import { cipherSuite13, isSuite13 } from '../suites/index.ts';
import { TLS13 } from '../versions.ts';
import { binder } from './binder.ts';
import { externalBinding } from './offered-psk.ts';

/** A PSK of the client's that this server knows, with its place in the client's list. */
export interface AcceptedPsk extends BoundPsk {
  readonly index: number;
  readonly offered: PskIdentity;
  /** The session it resumes; undefined for an external key. */
  readonly session: Session | undefined;
}

/** Looks for a PSK that this server knows: a ticket of its own, or a key from outside (RFC 9846 §4.3.11). */
export function* findPsk(
  h: ServerHandshake,
  hello: ClientHello,
  name: string | undefined,
): Flow<AcceptedPsk | undefined> {
  const offered = hello.extensions.get(preSharedKey);
  if (offered === undefined) return undefined;
  checkOffer(hello, offered);
  if (!hello.extensions.get(pskKeyExchangeModes)!.includes(PSK_DHE_KE)) return undefined;
  for (const [index, identity] of offered.identities.slice(0, MAX_PSK_IDENTITIES).entries()) {
    const psk = (yield* sessionPsk(h, identity, name)) ?? (yield* externalPsk(h, identity));
    if (psk === undefined || !hasSuiteFor(h, hello, psk.hash)) continue;
    const { key, hash, binderLabel, session } = psk;
    return { key, hash, binderLabel, session, index, offered: identity };
  }
  return undefined;
}

/** A key goes only with suites of its hash (RFC 9846 §4.3.11). */
function hasSuiteFor(h: ServerHandshake, hello: ClientHello, hash: HashName): boolean {
  return h.config.cipherSuites.some(
    (suite) => isSuite13(suite) && suite.hash === hash && hello.cipherSuites.includes(suite.id),
  );
}

type KnownPsk = BoundPsk & Pick<AcceptedPsk, 'session'>;

function* sessionPsk(
  h: ServerHandshake,
  { identity }: PskIdentity,
  name: string | undefined,
): Flow<KnownPsk | undefined> {
  const session = yield* perform('openTicket', identity);
  const hash = session === undefined ? undefined : resumableHash(h, session, name);
  if (session === undefined || hash === undefined) return undefined;
  return { key: session.secret, hash, binderLabel: 'res binder', session };
}

function* externalPsk(h: ServerHandshake, { identity }: PskIdentity): Flow<KnownPsk | undefined> {
  const psk = yield* perform('findPsk', { identity, version: TLS13 });
  // A key that is not in a certificate does not stand in for one.
  if (h.config.clientCertificate === 'require') {
    h.refusesPsk ||= psk !== undefined;
    return undefined;
  }
  return psk === undefined ? undefined : { ...externalBinding(psk), session: undefined };
}

/** Same name, not too old, and no less authenticated than a full handshake would be (RFC 9846 §4.7.1). */
function resumableHash(h: ServerHandshake, session: Session, name: string | undefined): HashName | undefined {
  const isForName =
    session.serverName === (name ?? '') || (session.acrossNames === true && h.config.resumptionAcrossNames);
  if (session.version !== TLS13 || !isForName) return undefined;
  if (!isFresh(session, h.now) || !satisfiesClientAuthentication(h.config, session)) return undefined;
  return cipherSuite13(session.cipherSuite)?.hash;
}

/** Throws `bad-binder` unless the client knows the key and nobody changed its hello (RFC 9846 §4.3.11.2). */
export function checkBinder(h: ServerHandshake, hello: ClientHello, psk: AcceptedPsk): void {
  const { binders } = hello.extensions.get(preSharedKey)!;
  const hash = h.transcript.digestWithoutTail(psk.hash, bindersLength(binders));
  if (h.provider.equal(binder(h.provider, psk, hash), binders[psk.index]!)) return;
  throw new TlsError(
    'bad-binder',
    'the PSK binder does not match: the ClientHello was changed, or the key differs',
  );
}

/** RFC 9846 §4.3.11: the extension is last, has a binder for each identity, and comes with the modes. */
function checkOffer(hello: ClientHello, offered: OfferedPsks): void {
  if (hello.extensions.ids.at(-1) !== preSharedKey.id) {
    throw new TlsError('illegal-parameter', 'pre_shared_key is not the last extension of ClientHello');
  }
  if (offered.identities.length !== offered.binders.length) {
    throw new TlsError('illegal-parameter', 'pre_shared_key does not have one binder for each identity');
  }
  if (!hello.extensions.has(pskKeyExchangeModes)) {
    throw new TlsError('missing-extension', 'pre_shared_key came without psk_key_exchange_modes');
  }
}
