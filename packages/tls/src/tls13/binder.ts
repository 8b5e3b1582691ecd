import type { CryptoProvider, HashName } from '@testudo/crypto';
import { CIPHER_SUITES, type CipherSuite13, isSuite13 } from '../suites.ts';
import { finishedData } from './finished.ts';
import { type BinderLabel, KeySchedule } from './key-schedule.ts';

/** A PSK with what its binder is made of. */
export interface BoundPsk {
  readonly key: Uint8Array;
  readonly hash: HashName;
  /** Where the key comes from: a ticket, outside, or an import (RFC 9846 §4.3.11.2, RFC 9258 §5.2). */
  readonly binderLabel: BinderLabel;
}

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
