import type { CryptoProvider, HashName } from '@testudo/crypto';
import type { BoundPsk } from '../handshake/offer.ts';
import { CIPHER_SUITES, type CipherSuite13, isSuite13 } from '../suites/index.ts';
import { finishedData } from './finished.ts';
import { KeySchedule } from './key-schedule.ts';

/** The binder of a PSK over a ClientHello up to its binders (RFC 9846 §4.3.11.2). */
export function binder(provider: CryptoProvider, psk: BoundPsk, transcriptHash: Uint8Array): Uint8Array {
  const schedule = new KeySchedule(provider, anySuiteWith(psk.hash), psk.key);
  const key = schedule.binderKey(psk.binderLabel);
  const value = finishedData(provider, psk.hash, key, transcriptHash);
  schedule.wipe();
  return value;
}

/** A binder does not depend on the suite's AEAD. */
function anySuiteWith(hash: HashName): CipherSuite13 {
  return CIPHER_SUITES.find((suite): suite is CipherSuite13 => isSuite13(suite) && suite.hash === hash)!;
}
