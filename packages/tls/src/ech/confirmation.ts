import type { CryptoProvider, HashName } from '@testudo/crypto';
import { HASH_LENGTH } from '@testudo/crypto';
import { HANDSHAKE_HEADER } from '../messages/handshake-type.ts';
import { expandLabel } from '../tls13/hkdf-label.ts';

/** Bytes of a confirmation. */
export const CONFIRMATION_LENGTH = 8;

/** Where a ServerHello holds it: in the last bytes of its random, which follows legacy_version. */
export const IN_SERVER_HELLO: number = HANDSHAKE_HEADER + 2 + 32 - CONFIRMATION_LENGTH;

/**
 * What shows the client that the server read its inner hello (RFC 9849 §7.2). `messages` are those of the inner handshake, the
 * last of which is the ServerHello or HelloRetryRequest that holds the confirmation at byte `at`; whatever stands there
 * counts as zeros.
 */
export function echConfirmation(
  provider: CryptoProvider,
  hash: HashName,
  messages: Uint8Array,
  confirmed: {
    readonly message: 'ServerHello' | 'HelloRetryRequest';
    readonly raw: Uint8Array;
    readonly at: number;
    /** The random of the first inner hello. */
    readonly random: Uint8Array;
  },
): Uint8Array {
  const from = messages.length - confirmed.raw.length + confirmed.at;
  const unconfirmed = messages.slice().fill(0, from, from + CONFIRMATION_LENGTH);
  const secret = provider.hkdfExtract(hash, new Uint8Array(HASH_LENGTH[hash]), confirmed.random);
  const digest = provider.digest(hash, unconfirmed);
  return expandLabel(provider, hash, secret, LABELS[confirmed.message], digest, CONFIRMATION_LENGTH);
}

const LABELS = {
  ServerHello: 'ech accept confirmation',
  HelloRetryRequest: 'hrr ech accept confirmation',
} as const;
