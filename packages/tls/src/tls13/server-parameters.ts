import { bytesEqual } from '@testudo/codec';
import { clientHelloInfo } from '../client-hello-info.ts';
import { SKIPPED_EARLY_DATA } from '../defaults.ts';
import { TlsError } from '../errors.ts';
import { ExtensionBlock } from '../extensions/block.ts';
import { keyShare } from '../extensions/key-share.ts';
import { padding, supportedGroups, supportedVersions } from '../extensions/negotiation.ts';
import { earlyData, preSharedKey } from '../extensions/pre-shared-key.ts';
import type { Flow } from '../flow.ts';
import type { Group } from '../groups.ts';
import { receive, send } from '../handshake/handshake.ts';
import type { ServerHandshake } from '../handshake/server-handshake.ts';
import { type ClientHello, clientHello } from '../messages/client-hello.ts';
import { RETRY_RANDOM, serverHello } from '../messages/server-hello.ts';
import { type CipherSuite13, isSuite13 } from '../suites.ts';
import { TLS12, TLS13 } from '../versions.ts';
import { type AcceptedPsk, findPsk } from './accepted-psk.ts';

/** The suite by our order, or the client's (RFC 9846 §4.1.3); one with the hash of the PSK if there is one. */
function chooseSuite(h: ServerHandshake, hello: ClientHello, psk: AcceptedPsk | undefined): CipherSuite13 {
  const ours = h.config.cipherSuites.filter(isSuite13);
  const common =
    h.config.options.preferServerOrder === false
      ? hello.cipherSuites.flatMap((id) => ours.find((own) => own.id === id) ?? [])
      : ours.filter((own) => hello.cipherSuites.includes(own.id));
  const suite = common.find((each) => each.hash === psk?.hash) ?? common[0];
  if (suite !== undefined) return suite;
  throw new TlsError('no-common-cipher-suite', 'client and server share no TLS 1.3 cipher suite');
}

/** What the keys depend on. */
export interface Agreement {
  /** The hello that counts: the second one after a retry. */
  readonly hello: ClientHello;
  readonly suite: CipherSuite13;
  /** The PSK to use; its binder is not checked yet. */
  readonly psk: AcceptedPsk | undefined;
  readonly group: Group;
  readonly clientShare: Uint8Array;
  readonly retried: boolean;
  /** The client meant to send early data, in its first hello. */
  readonly offeredEarlyData: boolean;
}

/** Suite, PSK and group; asks for a share with HelloRetryRequest when there is none (RFC 9846 §4.1.4). */
export function* agreeOnKeys(h: ServerHandshake, hello: ClientHello): Flow<Agreement> {
  const name = clientHelloInfo(h, hello).serverName;
  const first = offeredGroups(hello);
  const offeredEarlyData = hello.extensions.has(earlyData);
  const psk = yield* findPsk(h, hello, name);
  const suite = chooseSuite(h, hello, psk);
  const usable = psk?.hash === suite.hash ? psk : undefined;
  h.channel.useTls13();
  const withShare = h.config.groups13.find((group) => first.shares.has(group.id));
  if (withShare !== undefined) {
    const clientShare = first.shares.get(withShare.id)!;
    return { hello, suite, psk: usable, group: withShare, clientShare, retried: false, offeredEarlyData };
  }
  const group = h.config.groups13.find((candidate) => first.groups.includes(candidate.id));
  if (group === undefined)
    throw new TlsError('no-common-group', 'client and server share no key exchange group');
  const second = yield* retry(h, hello, suite, group);
  const retriedPsk = yield* findPsk(h, second.hello, name);
  return {
    ...second,
    suite,
    psk: retriedPsk?.hash === suite.hash ? retriedPsk : undefined,
    group,
    retried: true,
    offeredEarlyData,
  };
}

/** Asks for a share of this group, and gets the client's second hello. */
function* retry(
  h: ServerHandshake,
  hello: ClientHello,
  suite: CipherSuite13,
  group: Group,
): Flow<{ hello: ClientHello; clientShare: Uint8Array }> {
  if (hello.extensions.has(earlyData)) h.channel.skipUndecryptable(SKIPPED_EARLY_DATA);
  h.transcript.replaceClientHello(suite.hash);
  sendRetry(h, hello, suite, group);
  const second = yield* receive(h, clientHello);
  checkSecondHello(hello, second);
  const { shares } = offeredGroups(second);
  const clientShare = shares.get(group.id);
  if (clientShare === undefined || shares.size !== 1) {
    throw new TlsError('illegal-parameter', `the second ClientHello must hold one share, for ${group.name}`);
  }
  return { hello: second, clientShare };
}

/** RFC 9846 §4.2.8, §9.2: both extensions, each share for a group that is offered, in order, once. */
function offeredGroups(hello: ClientHello): { groups: readonly number[]; shares: Map<number, Uint8Array> } {
  const groups = hello.extensions.get(supportedGroups);
  const entries = hello.extensions.get(keyShare);
  if (groups === undefined || entries === undefined) {
    throw new TlsError('missing-extension', 'a TLS 1.3 ClientHello needs supported_groups and key_share');
  }
  const shares = new Map<number, Uint8Array>();
  let last = -1;
  for (const { group, keyExchange } of entries) {
    const place = groups.indexOf(group);
    if (place <= last) throw new TlsError('illegal-parameter', 'key_share does not follow supported_groups');
    last = place;
    shares.set(group, keyExchange);
  }
  return { groups, shares };
}

function sendRetry(h: ServerHandshake, hello: ClientHello, suite: CipherSuite13, group: Group): void {
  send(h, serverHello, {
    legacyVersion: TLS12,
    random: RETRY_RANDOM,
    legacySessionIdEcho: hello.legacySessionId,
    cipherSuite: suite.id,
    legacyCompressionMethod: 0,
    extensions: new ExtensionBlock('hello_retry_request')
      .set(supportedVersions, TLS13)
      .set(keyShare, group.id),
  });
  if (hello.legacySessionId.length > 0) h.channel.writeChangeCipherSpec();
}

/** What may differ between the two hellos (RFC 9846 §4.1.2). Not the cookie: our retries hold none. */
const MAY_CHANGE = new Set([keyShare.id, earlyData.id, preSharedKey.id, padding.id]);

function checkSecondHello(first: ClientHello, second: ClientHello): void {
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
  if (second.extensions.has(earlyData)) {
    throw new TlsError('illegal-parameter', 'early_data in a ClientHello that answers a retry');
  }
}

function fixedExtensions(hello: ClientHello): string {
  const entries = [...hello.extensions.entries()].filter(([id]) => !MAY_CHANGE.has(id));
  return JSON.stringify(entries, (_key, value) => (value instanceof Uint8Array ? [...value] : value));
}
