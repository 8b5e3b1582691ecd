import { bytesEqual } from '@testudo/codec';
import { SKIPPED_EARLY_DATA } from '../config/defaults.ts';
import { confirmRetry, openSecondHello, reserveRetryConfirmation } from '../ech/server.ts';
import { TlsError } from '../errors.ts';
import { ExtensionBlock } from '../extensions/block.ts';
import { cookie } from '../extensions/cookie.ts';
import { encryptedClientHello } from '../extensions/encrypted-client-hello.ts';
import { keyShare } from '../extensions/key-share.ts';
import { supportedVersions } from '../extensions/negotiation.ts';
import { padding } from '../extensions/padding.ts';
import { earlyData, preSharedKey } from '../extensions/pre-shared-key.ts';
import type { Flow } from '../flow.ts';
import type { ServerHandshake } from '../handshake/context.ts';
import { receiveRaw } from '../handshake/message-flow.ts';
import { type ClientHello, checkLegacyVersion, clientHello } from '../messages/client-hello.ts';
import { encodeMessage } from '../messages/handshake-type.ts';
import { RETRY_RANDOM, serverHello } from '../messages/server-hello.ts';
import { type CipherSuite13, cipherSuite13 } from '../suites/index.ts';
import { TLS12, TLS13 } from '../versions.ts';

/**
 * Sends a HelloRetryRequest and gets the client's second hello (RFC 9846 §4.2.4). `group` is the one a share is asked
 * for, if any; with cookies in the options, one is asked back, too.
 */
export function* retry(
  h: ServerHandshake,
  hello: ClientHello,
  suite: CipherSuite13,
  group: number | undefined,
): Flow<ClientHello> {
  if (hello.extensions.has(earlyData)) h.channel.skipUndecryptable(SKIPPED_EARLY_DATA);
  const helloHash = h.transcript.replaceClientHello(suite.hash);
  const state = { helloHash, cipherSuite: suite.id, group: group ?? 0 };
  const sealed = h.config.retryCookies?.seal(state, h.now);
  const raw = retryMessage(h, hello, { suite, group, helloHash, sealed });
  confirmRetry(h, suite, hello, raw);
  h.transcript.add(raw);
  h.channel.writeHandshake(raw);
  if (hello.legacySessionId.length > 0) h.channel.writeChangeCipherSpec();
  const received = yield* receiveRaw(h, clientHello);
  const second = openSecondHello(h, received.value, received.raw);
  checkLegacyVersion(received.value, second);
  checkSecondHello(hello, second, sealed);
  return second;
}

/**
 * A hello that brings back a cookie answers a retry that this server, or one with the same keys, sent on another
 * connection: the transcript becomes what it was there (RFC 9846 §4.1, §4.3.2). Throws `illegal-parameter` for a cookie that
 * is not ours.
 */
export function restoreRetry(
  h: ServerHandshake,
  hello: ClientHello,
): { suite: CipherSuite13; group: number | undefined } | undefined {
  const sealed = hello.extensions.get(cookie);
  const cookies = h.config.retryCookies;
  if (sealed === undefined || cookies === undefined) return undefined;
  const state = cookies.open(sealed, h.now);
  const suite = state && cipherSuite13(state.cipherSuite);
  // A server with the same keys for its cookies may have other suites.
  const isCommon = (each: CipherSuite13) =>
    h.config.cipherSuites.includes(each) && hello.cipherSuites.includes(each.id);
  if (state === undefined || suite === undefined || !isCommon(suite)) {
    throw new TlsError(
      'illegal-parameter',
      'the cookie in ClientHello was not issued by this server, or is too old',
    );
  }
  refuseEarlyData(hello);
  const group = state.group === 0 ? undefined : state.group;
  const { helloHash } = state;
  h.transcript.restoreRetry(helloHash, retryMessage(h, hello, { suite, group, helloHash, sealed }));
  return { suite, group };
}

interface RetryTerms {
  readonly suite: CipherSuite13;
  readonly group: number | undefined;
  /** Of the first hello. */
  readonly helloHash: Uint8Array;
  /** The cookie, if any. */
  readonly sealed: Uint8Array | undefined;
}

function retryMessage(
  h: ServerHandshake,
  hello: ClientHello,
  { suite, group, helloHash, sealed }: RetryTerms,
): Uint8Array {
  const extensions = new ExtensionBlock('hello_retry_request').set(supportedVersions, TLS13);
  if (group !== undefined) extensions.set(keyShare, group);
  if (sealed !== undefined) extensions.set(cookie, sealed);
  reserveRetryConfirmation(h, helloHash, extensions);
  return encodeMessage(serverHello, {
    legacyVersion: TLS12,
    random: RETRY_RANDOM,
    legacySessionIdEcho: hello.legacySessionId,
    cipherSuite: suite.id,
    legacyCompressionMethod: 0,
    extensions,
  });
}

/** What may differ between the two hellos (RFC 9846 §4.2.2), and what is looked at by itself: the cookie, and ECH. */
const MAY_CHANGE = new Set([
  keyShare.id,
  earlyData.id,
  preSharedKey.id,
  padding.id,
  cookie.id,
  encryptedClientHello.id,
]);

function checkSecondHello(first: ClientHello, second: ClientHello, sealed: Uint8Array | undefined): void {
  const same =
    first.legacyVersion === second.legacyVersion &&
    bytesEqual(first.random, second.random) &&
    bytesEqual(first.legacySessionId, second.legacySessionId) &&
    String(first.cipherSuites) === String(second.cipherSuites) &&
    String(first.legacyCompressionMethods) === String(second.legacyCompressionMethods) &&
    fixedExtensions(first) === fixedExtensions(second);
  if (!same)
    throw new TlsError(
      'illegal-parameter',
      'the second ClientHello differs from the first where it must not',
    );
  const back = second.extensions.get(cookie);
  const expected = sealed ?? first.extensions.get(cookie);
  if (!bytesEqual(back ?? NOTHING, expected ?? NOTHING)) {
    throw new TlsError('illegal-parameter', 'the second ClientHello does not return the cookie');
  }
  refuseEarlyData(second);
}

/** A client that was told to retry must not send early data any more (RFC 9846 §4.3.10). */
function refuseEarlyData(hello: ClientHello): void {
  if (!hello.extensions.has(earlyData)) return;
  throw new TlsError('illegal-parameter', 'early_data in a ClientHello that answers a retry');
}

function fixedExtensions(hello: ClientHello): string {
  const entries = [...hello.extensions.entries()].filter(([id]) => !MAY_CHANGE.has(id));
  return JSON.stringify(entries, (_key, value) => (value instanceof Uint8Array ? [...value] : value));
}

const NOTHING = new Uint8Array(0);
