import { TlsError } from '../errors.ts';
import { type Flow, perform } from '../flow.ts';
import type { Handshake } from '../handshake/context.ts';
import { type FinishedVerified, finishedVerified } from '../handshake/finished-verified.ts';
import { receive, send } from '../handshake/message-flow.ts';
import { checkFinishedLength, finished } from '../messages/finished.ts';
import type { RecordOpener, RecordSealer } from '../record/protection.ts';
import type { Terms } from './terms.ts';
import type { Role } from './version-rules.ts';

/**
 * Sends ChangeCipherSpec and, under the new key, Finished; returns its verify_data (RFC 5246 §7.1, §7.4.9). `sendFirst` sends
 * what stands between them.
 */
export function sendFinished(
  h: Handshake,
  role: Role,
  terms: Terms,
  master: Uint8Array,
  sealer: RecordSealer,
  sendFirst?: () => void,
): Uint8Array {
  h.channel.writeChangeCipherSpec();
  h.channel.setSealer(sealer, 'application');
  sendFirst?.();
  const verifyData = terms.rules.finishedData(h.provider, h.transcript, terms.suite, master, role);
  send(h, finished, { verifyData });
  return verifyData;
}

/**
 * Waits for the peer's ChangeCipherSpec and Finished (RFC 5246 §7.1, §7.4.9). Throws `bad-finished`. `role` is the peer's;
 * `receiveFirst` takes what stands between them.
 */
export function* receiveFinished(
  h: Handshake,
  role: Role,
  terms: Terms,
  master: Uint8Array,
  opener: RecordOpener,
  receiveFirst?: () => Flow<void>,
): Flow<{ proof: FinishedVerified; received: Uint8Array }> {
  yield* perform('changeCipherSpec', undefined);
  h.channel.setOpener(opener, 'application');
  if (receiveFirst !== undefined) yield* receiveFirst();
  const expected = terms.rules.finishedData(h.provider, h.transcript, terms.suite, master, role);
  const { verifyData } = yield* receive(h, finished);
  return { proof: verifyFinished(h, verifyData, expected), received: verifyData };
}

/** Compares the peer's verify_data with what it must be. Throws `malformed-message` or `bad-finished`. */
function verifyFinished(h: Handshake, received: Uint8Array, expected: Uint8Array): FinishedVerified {
  checkFinishedLength(received, expected.length);
  if (h.provider.equal(received, expected)) return finishedVerified();
  throw new TlsError(
    'bad-finished',
    'Finished does not match the handshake: someone changed it, or the keys differ',
  );
}
