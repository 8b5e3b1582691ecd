import { TlsError } from '../errors.ts';
import { type Flow, perform } from '../flow.ts';
import { type FinishedVerified, finishedVerified } from '../handshake/finished-verified.ts';
import { type Handshake, receive, send } from '../handshake/handshake.ts';
import { finished } from '../messages/finished.ts';
import type { RecordOpener, RecordSealer } from '../record/protection.ts';
import type { CipherSuite } from '../suites.ts';
import { prf } from './prf.ts';

const VERIFY_DATA_LENGTH = 12;

type Role = 'client' | 'server';

/** Sends ChangeCipherSpec and, under the new key, Finished; returns its verify_data (RFC 5246 §7.1, §7.4.9). */
export function sendFinished(
  h: Handshake,
  role: Role,
  suite: CipherSuite,
  master: Uint8Array,
  sealer: RecordSealer,
): Uint8Array {
  h.channel.writeChangeCipherSpec();
  h.channel.setSealer(sealer, 'application');
  const verifyData = finishedData(h, suite, master, role);
  send(h, finished, { verifyData });
  return verifyData;
}

/** Waits for the peer's ChangeCipherSpec and Finished. Throws `bad-finished`. `role` is the peer's. */
export function* receiveFinished(
  h: Handshake,
  role: Role,
  suite: CipherSuite,
  master: Uint8Array,
  opener: RecordOpener,
): Flow<{ proof: FinishedVerified; received: Uint8Array }> {
  yield* perform('changeCipherSpec', undefined);
  h.channel.setOpener(opener, 'application');
  const expected = finishedData(h, suite, master, role);
  const { verifyData } = yield* receive(h, finished);
  return { proof: verifyFinished(h, verifyData, expected), received: verifyData };
}

/** verify_data of one side over the transcript so far (RFC 5246 §7.4.9). */
export function finishedData(h: Handshake, suite: CipherSuite, master: Uint8Array, role: Role): Uint8Array {
  return prf(h.provider, suite.hash, master, `${role} finished`, h.transcript.digest(), VERIFY_DATA_LENGTH);
}

/** Compares the peer's verify_data with what it must be. Throws `bad-finished`. */
function verifyFinished(h: Handshake, received: Uint8Array, expected: Uint8Array): FinishedVerified {
  if (h.provider.equal(received, expected)) return finishedVerified();
  throw new TlsError(
    'bad-finished',
    'Finished does not match the handshake: someone changed it, or the keys differ',
  );
}
