import type { CryptoProvider, HashName } from '@testudo/crypto';
import { TlsError } from '../errors.ts';
import { type FinishedVerified, finishedVerified } from '../handshake/finished-verified.ts';
import { checkFinishedLength } from '../messages/finished.ts';
import { expandLabel } from './hkdf-label.ts';

/** verify_data (RFC 9846 §4.5.3): an HMAC over the transcript under a key from the sender's traffic secret. */
export function finishedData(
  provider: CryptoProvider,
  hash: HashName,
  trafficSecret: Uint8Array,
  transcriptHash: Uint8Array,
): Uint8Array {
  const finishedKey = expandLabel(provider, hash, trafficSecret, 'finished', NOTHING, transcriptHash.length);
  const data = provider.hmac(hash, finishedKey, transcriptHash);
  finishedKey.fill(0);
  return data;
}

/** Compares the peer's verify_data with what it must be (RFC 9846 §4.5.3). Throws `malformed-message` or `bad-finished`. */
export function verifyFinished(
  provider: CryptoProvider,
  received: Uint8Array,
  expected: Uint8Array,
): FinishedVerified {
  checkFinishedLength(received, expected.length);
  if (provider.equal(received, expected)) return finishedVerified();
  throw new TlsError(
    'bad-finished',
    'Finished does not match the handshake: someone changed it, or the keys differ',
  );
}

const NOTHING = new Uint8Array(0);
