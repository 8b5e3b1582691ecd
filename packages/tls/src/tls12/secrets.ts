import { concat } from '@testudo/codec';
import type { Handshake } from '../handshake/handshake.ts';
import type { RecordOpener, RecordSealer } from '../record/protection.ts';
import { protectionOf } from './protection.ts';
import type { Terms } from './terms.ts';

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

/** The master secret of a session that is resumed. */
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

/** The keys of one direction, as the key block gives them. */
export interface DirectionKeys {
  readonly mac: Uint8Array;
  readonly key: Uint8Array;
  readonly iv: Uint8Array;
}

/** Cuts the key block: MAC keys, then keys, then IVs, the client's before the server's (RFC 5246 §6.3). */
export function connectionKeys(h: Handshake, terms: Terms, master: Uint8Array): ConnectionKeys {
  const { rules, suite, randoms } = terms;
  const protection = protectionOf(h, terms);
  const lengths = [protection.macKeyLength, protection.keyLength, protection.ivLength];
  const total = lengths.reduce((sum, length) => sum + 2 * length, 0);
  const seed = concat(randoms.server, randoms.client);
  const block = rules.prf(h.provider, suite, master, 'key expansion', seed, total);
  let at = 0;
  const parts = lengths.map((length) => {
    const client = block.slice(at, at + length);
    const server = block.slice(at + length, at + 2 * length);
    at += 2 * length;
    return { client, server };
  }) as [Pair, Pair, Pair];
  block.fill(0);
  const of = (role: 'client' | 'server'): DirectionKeys => ({
    mac: parts[0][role],
    key: parts[1][role],
    iv: parts[2][role],
  });
  return {
    clientSealer: () => protection.sealer(of('client')),
    clientOpener: () => protection.opener(of('client')),
    serverSealer: () => protection.sealer(of('server')),
    serverOpener: () => protection.opener(of('server')),
  };
}

interface Pair {
  readonly client: Uint8Array;
  readonly server: Uint8Array;
}
