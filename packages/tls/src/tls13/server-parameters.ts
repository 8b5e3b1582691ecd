import { TlsError } from '../errors.ts';
import { keyShare } from '../extensions/key-share.ts';
import { supportedGroups } from '../extensions/negotiation.ts';
import { earlyData } from '../extensions/pre-shared-key.ts';
import type { Flow } from '../flow.ts';
import type { Group } from '../groups/index.ts';
import { commonChoices } from '../handshake/common-choices.ts';
import type { ServerHandshake } from '../handshake/context.ts';
import type { ClientHello } from '../messages/client-hello.ts';
import { type CipherSuite13, isSuite13 } from '../suites/index.ts';
import { type AcceptedPsk, findPsk } from './accepted-psk.ts';
import { type Choices, choose, chooseAgain } from './server-choices.ts';
import { restoreRetry, retry } from './server-retry.ts';

/** The suite by our order, or the client's (RFC 9846 §4.2.3); one with the hash of the PSK if there is one (§4.3.11). */
function chooseSuite(h: ServerHandshake, hello: ClientHello, psk: AcceptedPsk | undefined): CipherSuite13 {
  const ours = h.config.cipherSuites.filter(isSuite13);
  const common = commonChoices(h.config, ours, hello.cipherSuites);
  const suite = common.find((each) => each.hash === psk?.hash) ?? common[0];
  if (suite !== undefined) return suite;
  throw new TlsError('no-common-cipher-suite', 'client and server share no TLS 1.3 cipher suite');
}

/** What the keys depend on, and what was chosen beside it. */
export interface Agreement extends Choices {
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

/**
 * Suite, PSK and group (RFC 9846 §4.2.1), then what is chosen by the application; and only if all of them are found, a
 * HelloRetryRequest where there is no share (RFC 9846 §4.2.4).
 */
export function* agreeOnKeys(h: ServerHandshake, hello: ClientHello): Flow<Agreement> {
  const name = h.channel.requestedName;
  const first = offeredGroups(hello);
  const offeredEarlyData = hello.extensions.has(earlyData);
  const before = restoreRetry(h, hello);
  const psk = yield* findPsk(h, hello, name);
  h.channel.useTls13();
  if (before !== undefined) {
    const keys = afterRetry(h, hello, before.suite, psk, before.group);
    return agreement(keys, yield* choose(h, hello, keys.psk !== undefined), true, false);
  }

  const suite = chooseSuite(h, hello, psk);
  const usable = psk?.hash === suite.hash ? psk : undefined;
  const common = commonChoices(h.config, h.config.groups13, first.groups);
  const withShare = common.find(({ id }) => first.shares.has(id));
  const group = withShare ?? common[0];
  if (group === undefined)
    throw new TlsError('no-common-group', 'client and server share no key exchange group');
  const choices = yield* choose(h, hello, usable !== undefined);
  if (withShare !== undefined && h.config.retryCookies === undefined) {
    const clientShare = first.shares.get(withShare.id)!;
    const keys = { hello, suite, psk: usable, group: withShare, clientShare };
    return agreement(keys, choices, false, offeredEarlyData);
  }
  const wanted = withShare === undefined ? group.id : undefined;
  const second = yield* retry(h, hello, suite, wanted);
  const keys = afterRetry(h, second, suite, yield* findPsk(h, second, name), wanted);
  const again = yield* chooseAgain(h, second, keys.psk !== undefined, choices);
  return agreement(keys, again, true, offeredEarlyData);
}

type Keys = Pick<Agreement, 'hello' | 'suite' | 'psk' | 'group' | 'clientShare'>;

/** Field by field: spreading costs V8 ten times as much. */
function agreement(
  { hello, suite, psk, group, clientShare }: Keys,
  { info, alpnProtocol, own }: Choices,
  retried: boolean,
  offeredEarlyData: boolean,
): Agreement {
  return { hello, suite, psk, group, clientShare, info, alpnProtocol, own, retried, offeredEarlyData };
}

/** What the second hello settles: one share, of the group that was asked for, or those of the first (RFC 9846 §4.2.2). */
function afterRetry(
  h: ServerHandshake,
  hello: ClientHello,
  suite: CipherSuite13,
  psk: AcceptedPsk | undefined,
  wanted: number | undefined,
): Keys {
  const { groups, shares } = offeredGroups(hello);
  const common = commonChoices(h.config, h.config.groups13, groups);
  const group = common.find(({ id }) => (wanted === undefined ? shares.has(id) : id === wanted));
  const clientShare = group === undefined ? undefined : shares.get(group.id);
  if (group === undefined || clientShare === undefined || (wanted !== undefined && shares.size !== 1)) {
    const name = group?.name ?? 'a group of this server';
    throw new TlsError('illegal-parameter', `the second ClientHello must hold one share, for ${name}`);
  }
  const usable = psk?.hash === suite.hash ? psk : undefined;
  return { hello, suite, psk: usable, group, clientShare };
}

/** RFC 9846 §4.3.8, §9.2: both extensions, each share for a group that is offered, in order, once. */
function offeredGroups(hello: ClientHello): { groups: readonly number[]; shares: Map<number, Uint8Array> } {
  const groups = hello.extensions.get(supportedGroups);
  const entries = hello.extensions.get(keyShare);
  if (groups === undefined || entries === undefined) {
    throw new TlsError('missing-extension', 'a TLS 1.3 ClientHello needs supported_groups and key_share');
  }
  const shares = new Map<number, Uint8Array>();
  let last = -1;
  for (const { group, keyExchange } of entries) {
    // From the last one on: so long lists cost no more than to read them.
    const place = groups.indexOf(group, last + 1);
    if (place < 0) throw new TlsError('illegal-parameter', 'key_share does not follow supported_groups');
    last = place;
    shares.set(group, keyExchange);
  }
  return { groups, shares };
}
