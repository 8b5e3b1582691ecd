import { concat } from '@testudo/codec';
import type { Handshake } from '../handshake/context.ts';
import type { RecordOpener, RecordSealer } from '../record/protection.ts';
import { protectionOf } from './protection.ts';
import type { DirectionKeys, Protection, Terms } from './terms.ts';

const MASTER_SECRET_LENGTH = 48;

/** The master secret: bound to the whole handshake when both sides know how (RFC 7627 §4), else RFC 5246 §8.1. */
export function masterSecret(h: Handshake, terms: Terms, preMasterSecret: Uint8Array): Uint8Array {
  const { rules, suite, randoms } = terms;
  const label = terms.extended ? 'extended master secret' : 'master secret';
  const seed = terms.extended ? h.transcript.digest() : concat(randoms.client, randoms.server);
  const secret = rules.prf(h.provider, suite, preMasterSecret, label, seed, MASTER_SECRET_LENGTH);
  preMasterSecret.fill(0);
  h.observer?.secret?.('CLIENT_RANDOM', randoms.client, secret);
  return secret;
}

/** The master secret of a session that is resumed (RFC 5246 §7.3, §8.1). */
export function resumedMasterSecret(h: Handshake, { randoms }: Terms, secret: Uint8Array): Uint8Array {
  h.observer?.secret?.('CLIENT_RANDOM', randoms.client, secret);
  return secret.slice();
}

/** Record protection for both directions. */
export interface ConnectionKeys {
  readonly clientSealer: () => RecordSealer;
  readonly clientOpener: () => RecordOpener;
  readonly serverSealer: () => RecordSealer;
  readonly serverOpener: () => RecordOpener;
}

/** Both directions' keys from the master secret and the randoms (RFC 5246 §6.3). */
export function connectionKeys(h: Handshake, terms: Terms, master: Uint8Array): ConnectionKeys {
  const protection = protectionOf(h, terms);
  const { client, server } = keyBlock(h.provider, terms, protection, master);
  return {
    clientSealer: () => protection.sealer(client),
    clientOpener: () => protection.opener(client),
    serverSealer: () => protection.sealer(server),
    serverOpener: () => protection.opener(server),
  };
}

/** Cuts the key block: MAC keys, then keys, then IVs, the client's before the server's (RFC 5246 §6.3). */
export function keyBlock(
  provider: Handshake['provider'],
  { rules, suite, randoms }: Terms,
  { macKeyLength, keyLength, ivLength }: Protection,
  master: Uint8Array,
): { readonly client: DirectionKeys; readonly server: DirectionKeys } {
  const total = 2 * (macKeyLength + keyLength + ivLength);
  const seed = concat(randoms.server, randoms.client);
  const block = rules.prf(provider, suite, master, 'key expansion', seed, total);
  let at = 0;
  const next = (length: number): Uint8Array => {
    at += length;
    return block.slice(at - length, at);
  };
  const [clientMac, serverMac] = [next(macKeyLength), next(macKeyLength)];
  const [clientKey, serverKey] = [next(keyLength), next(keyLength)];
  const [clientIv, serverIv] = [next(ivLength), next(ivLength)];
  block.fill(0);
  return {
    client: { mac: clientMac, key: clientKey, iv: clientIv },
    server: { mac: serverMac, key: serverKey, iv: serverIv },
  };
}
