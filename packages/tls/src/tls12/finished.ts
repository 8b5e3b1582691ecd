import { TlsError } from '../errors.ts';
import { type FinishedVerified, finishedVerified } from '../handshake/finished-verified.ts';
import type { Handshake } from '../handshake/handshake.ts';
import type { CipherSuite } from '../suites.ts';
import { prf } from './prf.ts';

const VERIFY_DATA_LENGTH = 12;

/** verify_data of one side over the transcript so far (RFC 5246 §7.4.9). */
export function finishedData(
  h: Handshake,
  suite: CipherSuite,
  master: Uint8Array,
  role: 'client' | 'server',
): Uint8Array {
  return prf(h.provider, suite.hash, master, `${role} finished`, h.transcript.digest(), VERIFY_DATA_LENGTH);
}

/** Compares the peer's verify_data with what it must be. Throws `bad-finished`. */
export function verifyFinished(h: Handshake, received: Uint8Array, expected: Uint8Array): FinishedVerified {
  if (h.provider.equal(received, expected)) return finishedVerified();
  throw new TlsError(
    'bad-finished',
    'Finished does not match the handshake: someone changed it, or the keys differ',
  );
}
