import { concat } from '@testudo/codec';
import { CryptoError, type CryptoProvider, type HpkeReceiver } from '@testudo/crypto';
import { TlsError } from '../errors.ts';
import type { ExtensionBlock } from '../extensions/block.ts';
import { encryptedClientHello, type OuterEch } from '../extensions/encrypted-client-hello.ts';
import { supportedVersions } from '../extensions/negotiation.ts';
import type { ServerHandshake } from '../handshake/context.ts';
import { negotiatedOf } from '../handshake/negotiated.ts';
import { type ClientHello, clientHello } from '../messages/client-hello.ts';
import { decodeMessage } from '../messages/handshake-type.ts';
import type { CipherSuite13 } from '../suites/index.ts';
import { TLS13, VERSIONS } from '../versions.ts';
import type { EchConfig } from './config-list.ts';
import { CONFIRMATION_LENGTH, echConfirmation, IN_SERVER_HELLO } from './confirmation.ts';
import { decodeInner } from './encoded-inner.ts';
import { echInfo, echSuite } from './hpke.ts';
import { logEch } from './key-log.ts';
import type { EchServerKey, EchServerKeys } from './keys.ts';
import { outerAad } from './payload.ts';

/**
 * The hello that counts: the inner one, if the client sent one that this server can read (RFC 9849 §7.1). It takes the
 * outer one's place in the transcript.
 */
export function openFirstHello(h: ServerHandshake, hello: ClientHello, raw: Uint8Array): ClientHello {
  const ech = hello.extensions.get(encryptedClientHello);
  if (ech === undefined) return hello;
  if (ech.type === 'inner') return takeForwardedHello(h, hello);
  refuseOuterAtBackend(h);
  const opened = tryKeys(h, ech, raw);
  if (typeof opened === 'string') {
    h.receivedEch = { outcome: opened };
    negotiatedOf(h).ech = opened;
    return hello;
  }
  logEch(h, hello.random, opened.config, opened.context);
  h.receivedEch = { outcome: 'accepted', opened: { ech, context: opened.context } };
  negotiatedOf(h).ech = 'accepted';
  return takeInner(h, opened.encoded, raw);
}

/** As {@link openFirstHello}, for the hello after a retry: with the same key, or not at all (RFC 9849 §7.1.1). */
export function openSecondHello(h: ServerHandshake, hello: ClientHello, raw: Uint8Array): ClientHello {
  const ech = hello.extensions.get(encryptedClientHello);
  if (h.receivedEch?.outcome !== 'accepted') {
    if (ech?.type === 'inner') throw misplacedInner();
    return hello;
  }
  if (ech === undefined) {
    throw new TlsError('missing-extension', 'the second ClientHello came without encrypted_client_hello');
  }
  const { opened } = h.receivedEch;
  if (opened === undefined) {
    if (ech.type === 'inner') return hello;
    throw new TlsError('illegal-parameter', 'the second ClientHello is encrypted, the first was not');
  }
  const before = opened.ech;
  const isSame =
    ech.type === 'outer' &&
    ech.kdf === before.kdf &&
    ech.aead === before.aead &&
    ech.configId === before.configId &&
    ech.enc.length === 0;
  if (!isSame) {
    throw new TlsError(
      'illegal-parameter',
      'the second encrypted_client_hello is for another key than the first (RFC 9849 §7.1.1)',
    );
  }
  const encoded = opened.context.open(outerAad(raw), ech.payload);
  if (encoded === undefined) {
    throw new TlsError('ech-undecryptable', 'the second encrypted ClientHello does not decrypt');
  }
  return takeInner(h, encoded, raw);
}

/**
 * Marks a HelloRetryRequest (RFC 9849 §7.2.1); for a hello that could not be read, with something that looks like it to all
 * who have not the keys. It depends on the hello, so that a server that forgets (retryCookies) comes to the same again.
 */
export function reserveRetryConfirmation(
  h: ServerHandshake,
  helloHash: Uint8Array,
  extensions: ExtensionBlock<'hello_retry_request'>,
): void {
  if (h.receivedEch?.outcome === 'accepted')
    extensions.set(encryptedClientHello, new Uint8Array(CONFIRMATION_LENGTH));
  else if (h.receivedEch !== undefined && h.config.echServerKeys !== undefined) {
    const grease = h.provider.hmac('sha256', h.config.echServerKeys.greaseKey, helloHash);
    extensions.set(encryptedClientHello, grease.subarray(0, CONFIRMATION_LENGTH));
  }
}

/**
 * Puts the confirmation into a HelloRetryRequest that {@link reserveRetryConfirmation} has made room in, at its end; it is
 * not in the transcript yet.
 */
export function confirmRetry(
  h: ServerHandshake,
  suite: CipherSuite13,
  hello: ClientHello,
  raw: Uint8Array,
): void {
  confirm(h, suite, hello, 'HelloRetryRequest', raw, raw.length - CONFIRMATION_LENGTH);
}

/** Puts the confirmation into a ServerHello, which is not in the transcript yet (RFC 9849 §7.2). */
export function confirmServerHello(
  h: ServerHandshake,
  suite: CipherSuite13,
  hello: ClientHello,
  raw: Uint8Array,
): void {
  confirm(h, suite, hello, 'ServerHello', raw, IN_SERVER_HELLO);
}

/** Tells a client whose hello could not be read which keys there are (RFC 9849 §7.1). */
export function offerRetryConfigs(
  h: ServerHandshake,
  hello: ClientHello,
  extensions: ExtensionBlock<'encrypted_extensions'>,
): void {
  if (h.config.echServerKeys === undefined || h.receivedEch?.outcome === 'accepted') return;
  if (hello.extensions.has(encryptedClientHello))
    extensions.set(encryptedClientHello, h.config.echServerKeys.retryConfigs);
}

function confirm(
  h: ServerHandshake,
  { hash }: CipherSuite13,
  { random }: ClientHello,
  message: 'ServerHello' | 'HelloRetryRequest',
  raw: Uint8Array,
  at: number,
): void {
  if (h.receivedEch?.outcome !== 'accepted') return;
  const messages = concat(h.transcript.messages(), raw);
  raw.set(echConfirmation(h.provider, hash, messages, { message, raw, at, random }), at);
}

/** Split mode: a client-facing server has decrypted the hello and sends what was in it. */
function takeForwardedHello(h: ServerHandshake, hello: ClientHello): ClientHello {
  if (!h.config.echBackend) throw misplacedInner();
  h.receivedEch = { outcome: 'accepted' };
  negotiatedOf(h).ech = 'accepted';
  return hello;
}

/** RFC 9849 §7: who only stands behind a client-facing server gets nothing that is still encrypted. */
function refuseOuterAtBackend({ config }: ServerHandshake): void {
  if (!config.echBackend || config.echServerKeys !== undefined) return;
  throw new TlsError('illegal-parameter', 'an encrypted ClientHello for a backend server, which has no keys');
}

function misplacedInner(): TlsError {
  return new TlsError('illegal-parameter', 'an inner ClientHello that was not encrypted (RFC 9849 §7)');
}

interface OpenedHello {
  readonly config: EchConfig;
  readonly encoded: Uint8Array;
  readonly context: HpkeReceiver;
}

/** What the first key gives that opens it; else how it comes that none did. */
function tryKeys(h: ServerHandshake, ech: OuterEch, raw: Uint8Array): OpenedHello | 'rejected' | 'grease' {
  const { keys }: Pick<EchServerKeys, 'keys'> = h.config.echServerKeys ?? { keys: [] };
  const named = keys.filter(({ config }) => config.configId === ech.configId);
  const candidates = h.config.echTrialDecryption ? keys : named;
  const aad = candidates.length === 0 ? undefined : outerAad(raw);
  for (const key of candidates) {
    const opened = tryKey(h.provider, key, ech, aad!);
    if (opened !== undefined) return opened;
  }
  return named.length > 0 ? 'rejected' : 'grease';
}

function tryKey(
  provider: CryptoProvider,
  { config, pair }: EchServerKey,
  ech: OuterEch,
  aad: Uint8Array,
): OpenedHello | undefined {
  if (!config.cipherSuites.some(({ kdf, aead }) => kdf === ech.kdf && aead === ech.aead)) return undefined;
  const suite = echSuite(provider, config.kem, ech);
  if (suite === undefined || ech.enc.length !== suite.publicKeyLength) return undefined;
  try {
    const context = suite.setupReceiver(pair, ech.enc, echInfo(config.bytes));
    const encoded = context.open(aad, ech.payload);
    return encoded && { config, encoded, context };
  } catch (error) {
    // An `enc` that is no key is like any other that does not fit.
    if (error instanceof CryptoError) return undefined;
    throw error;
  }
}

function takeInner(h: ServerHandshake, encoded: Uint8Array, outer: Uint8Array): ClientHello {
  const raw = decodeInner(encoded, outer);
  const inner = decodeMessage(clientHello, { type: clientHello.type, raw });
  checkInner(inner);
  h.observer?.innerHello?.('received', raw);
  h.transcript.replaceLast(raw);
  return inner;
}

/** RFC 9849 §7.1: it is marked as inner, and offers nothing before TLS 1.3. */
function checkInner({ extensions }: ClientHello): void {
  if (extensions.get(encryptedClientHello)?.type !== 'inner') {
    throw new TlsError('illegal-parameter', 'what was encrypted is not marked as an inner ClientHello');
  }
  const offered = extensions.get(supportedVersions) ?? OLDER;
  if (!offered.includes(TLS13) || offered.some((version) => OLDER.includes(version))) {
    throw new TlsError('illegal-parameter', 'an inner ClientHello must offer TLS 1.3 and nothing older');
  }
}

const OLDER: readonly number[] = Object.values(VERSIONS).filter((version) => version < TLS13);
