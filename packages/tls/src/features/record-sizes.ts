import type { ClientTerms } from '../config/config.ts';
import { TlsError } from '../errors.ts';
import type { ExtensionBlock } from '../extensions/block.ts';
import { earlyData } from '../extensions/pre-shared-key.ts';
import { maxFragmentLength, recordSizeLimit } from '../extensions/record-size.ts';
import type { ClientHandshake, Handshake, ServerHandshake } from '../handshake/context.ts';
import { negotiatedOf } from '../handshake/negotiated.ts';
import { MAX_PLAINTEXT } from '../record/content-type.ts';

/** The least limit that can be asked for (RFC 8449 §4). */
const LEAST = 64;

/** Our option as the code on the wire (RFC 6066 §4). Throws `bad-option`. */
export function maxFragmentLengthCode(length: number | undefined): number | undefined {
  if (length === undefined) return undefined;
  const code = [512, 1024, 2048, 4096].indexOf(length) + 1;
  if (code > 0) return code;
  throw new TlsError('bad-option', `requestMaxFragmentLength is 512, 1024, 2048 or 4096, not ${length}`);
}

export function offerRecordSizes(config: ClientTerms, block: ExtensionBlock<'client_hello'>): void {
  const { features, recordSizeLimit: limit } = config;
  if (features.maxFragmentLengthCode !== undefined)
    block.set(maxFragmentLength, features.maxFragmentLengthCode);
  if (limit !== undefined) block.set(recordSizeLimit, limit);
}

/** A client: what the server said to our offer. */
export function learnRecordSizes(h: ClientHandshake, answer: ExtensionBlock<'encrypted_extensions'>): void {
  const limit = answer.get(recordSizeLimit);
  const code = answer.get(maxFragmentLength);
  if (limit !== undefined && code !== undefined) {
    throw new TlsError(
      'illegal-parameter',
      'record_size_limit and max_fragment_length in one answer (RFC 8449 §5)',
    );
  }
  if (limit !== undefined)
    limitRecords(h, answer, { sent: limit, received: h.config.recordSizeLimit! }, KEYS_IN_PLACE);
  else if (code === undefined) noLimits(h, answer);
  if (code === undefined) return;
  if (code !== h.config.features.maxFragmentLengthCode) {
    throw new TlsError(
      'illegal-parameter',
      'the server answers with a max_fragment_length that was not asked for',
    );
  }
  limitFragments(h, answer, code, KEYS_IN_PLACE);
}

/** A server: record_size_limit counts where a client offers both (RFC 8449 §5). */
export function answerRecordSizes(
  h: ServerHandshake,
  asked: ExtensionBlock<'client_hello'>,
  answer: ExtensionBlock<'encrypted_extensions'>,
): void {
  const limit = asked.get(recordSizeLimit);
  const code = asked.get(maxFragmentLength);
  if (limit !== undefined) {
    const ours = Math.min(h.config.recordSizeLimit ?? MAX_PLAINTEXT + 1, mostOf(answer));
    limitRecords(h, answer, { sent: limit, received: ours }, KEYS_TO_COME);
    answer.set(recordSizeLimit, ours);
  } else if (code !== undefined) {
    limitFragments(h, answer, code, KEYS_TO_COME);
    answer.set(maxFragmentLength, code);
  } else noLimits(h, answer);
}

/** What a record may hold in this version, as record_size_limit counts it: in TLS 1.3 with the type. */
function mostOf(answer: ExtensionBlock<'encrypted_extensions'>): number {
  return MAX_PLAINTEXT + typeLength(answer);
}

function typeLength(answer: ExtensionBlock<'encrypted_extensions'>): number {
  return isTls13(answer) ? 1 : 0;
}

function isTls13({ place }: ExtensionBlock<'encrypted_extensions'>): boolean {
  return place === 'encrypted_extensions';
}

function limitRecords(
  h: Handshake,
  answer: ExtensionBlock<'encrypted_extensions'>,
  { sent, received }: { sent: number; received: number },
  keys: Keys,
): void {
  if (sent < LEAST)
    throw new TlsError('illegal-parameter', `a record_size_limit of ${sent}, less than ${LEAST}`);
  const type = typeLength(answer);
  // A peer of a later version may take more than this one knows (RFC 8449 §4).
  const [most, ours] = [Math.min(sent - type, MAX_PLAINTEXT), Math.min(received - type, MAX_PLAINTEXT)];
  limit(h, answer, { sent: most, received: ours, unprotected: false }, keys);
}

function limitFragments(
  h: Handshake,
  answer: ExtensionBlock<'encrypted_extensions'>,
  code: number,
  keys: Keys,
): void {
  if (code < 1 || code > 4)
    throw new TlsError('illegal-parameter', `max_fragment_length ${code} (RFC 6066 §4)`);
  const length = 2 ** (8 + code);
  limit(h, answer, { sent: length, received: length, unprotected: true }, keys);
}

/** Where a TLS 1.3 handshake stands: a client learns the limits under handshake keys, a server agrees before it has any. */
type Keys = typeof KEYS_IN_PLACE | typeof KEYS_TO_COME;
const KEYS_IN_PLACE = 'in place';
const KEYS_TO_COME = 'to come';

/** The limits of a handshake before this one end with its keys. */
function noLimits(h: Handshake, answer: ExtensionBlock<'encrypted_extensions'>): void {
  if (isTls13(answer)) return;
  h.channel.recordLimits.limitSent(undefined, 'next keys');
  h.channel.recordLimits.limitReceived(undefined, 'next keys');
}

function limit(
  h: Handshake,
  answer: ExtensionBlock<'encrypted_extensions'>,
  { sent, received, unprotected }: { sent: number; received: number; unprotected: boolean },
  keys: Keys,
): void {
  negotiatedOf(h).recordLimits = { sent, received };
  const { recordLimits } = h.channel;
  const ours = received < MAX_PLAINTEXT ? { length: received, unprotected } : undefined;
  // max_fragment_length holds at once (RFC 6066 §4). A client that sends early data knew of neither.
  const holdsNow = unprotected || (isTls13(answer) && keys === KEYS_IN_PLACE);
  const from = holdsNow && !answer.has(earlyData) ? 'now' : 'next keys';
  recordLimits.limitSent({ length: sent, unprotected }, from);
  recordLimits.limitReceived(ours, from);
}
