import { concat } from '@testudo/codec';
import { AEAD_SIZES, type CryptoProvider } from '@testudo/crypto';
import type { Handshake } from '../handshake/handshake.ts';
import type { CipherSuite } from '../suites.ts';
import { prf } from './prf.ts';
import { fixedIvLength, Opener12, Sealer12 } from './record-protection.ts';

const MASTER_SECRET_LENGTH = 48;

/** The randoms and the suite, which every derivation needs. */
export interface Randoms {
  readonly client: Uint8Array;
  readonly server: Uint8Array;
}

/** The master secret: bound to the whole handshake when both sides know how (RFC 7627 §4), else RFC 5246 §8.1. */
export function masterSecret(
  h: Handshake,
  suite: CipherSuite,
  preMasterSecret: Uint8Array,
  randoms: Randoms,
  extended: boolean,
): Uint8Array {
  const label = extended ? 'extended master secret' : 'master secret';
  const seed = extended ? h.transcript.digest() : concat(randoms.client, randoms.server);
  const secret = prf(h.provider, suite.hash, preMasterSecret, label, seed, MASTER_SECRET_LENGTH);
  preMasterSecret.fill(0);
  h.observer?.secret?.('CLIENT_RANDOM', randoms.client, secret);
  return secret;
}

/** Record protection for both directions, cut from the key block (RFC 5246 §6.3). */
export interface ConnectionKeys {
  readonly clientSealer: () => Sealer12;
  readonly clientOpener: () => Opener12;
  readonly serverSealer: () => Sealer12;
  readonly serverOpener: () => Opener12;
}

export function connectionKeys(
  provider: CryptoProvider,
  suite: CipherSuite,
  master: Uint8Array,
  randoms: Randoms,
): ConnectionKeys {
  const keyLength = AEAD_SIZES[suite.aead].key;
  const ivLength = fixedIvLength(suite.aead);
  const seed = concat(randoms.server, randoms.client);
  const block = prf(provider, suite.hash, master, 'key expansion', seed, 2 * (keyLength + ivLength));
  const key = (index: number) => block.subarray(index * keyLength, (index + 1) * keyLength);
  const iv = (index: number) =>
    block.slice(2 * keyLength + index * ivLength, 2 * keyLength + (index + 1) * ivLength);
  const client = provider.aead(suite.aead, key(0))!;
  const server = provider.aead(suite.aead, key(1))!;
  const ivs = [iv(0), iv(1)] as const;
  block.fill(0);
  return {
    clientSealer: () => new Sealer12(client, ivs[0]),
    clientOpener: () => new Opener12(client, ivs[0]),
    serverSealer: () => new Sealer12(server, ivs[1]),
    serverOpener: () => new Opener12(server, ivs[1]),
  };
}
