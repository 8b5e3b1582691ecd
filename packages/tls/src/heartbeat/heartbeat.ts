import { bytesEqual } from '@testudo/codec';
import { HEARTBEAT_ANSWER_COST, HEARTBEAT_BUDGET, HEARTBEAT_BUDGET_PER_SECOND } from '../config/defaults.ts';
import { TlsError } from '../errors.ts';
import { HEARTBEAT } from '../record/content-type.ts';
import type { RecordLayer } from '../record/record-layer.ts';
import {
  HEARTBEAT_OVERHEAD,
  HEARTBEAT_REQUEST,
  HEARTBEAT_RESPONSE,
  MIN_PADDING,
  readHeartbeat,
  writeHeartbeat,
} from './message.ts';
import type { HeartbeatTerms } from './terms.ts';

export interface HeartbeatRequest {
  /** Comes back as it is. Default: 16 random bytes. */
  readonly payload?: Uint8Array | undefined;
  /** Random bytes behind it, which do not come back: at least 16, the default. */
  readonly padding?: number | undefined;
}

/** The heartbeat protocol on one connection (RFC 6520). What is not as it should be is discarded silently. */
export class Heartbeat {
  readonly #terms: HeartbeatTerms;
  readonly #records: RecordLayer;
  #pending: { readonly payload: Uint8Array; readonly answered: () => void } | undefined;
  /** What may still be spent on answers, and when that was so. */
  #budget = HEARTBEAT_BUDGET;
  #at: number;

  constructor(terms: HeartbeatTerms, records: RecordLayer) {
    this.#terms = terms;
    this.#records = records;
    this.#at = terms.now();
  }

  /** Asks the peer. Throws `not-connected` while another request is in flight, and where the peer wants none. */
  send(request: HeartbeatRequest, answered: () => void): void {
    const { maySend, provider } = this.#terms;
    if (!maySend) throw new TlsError('not-connected', 'the peer does not answer heartbeats');
    if (this.#pending !== undefined)
      throw new TlsError('not-connected', 'a heartbeat is already on its way (RFC 6520 §3)');
    const payload = request.payload?.slice() ?? provider.randomBytes(PAYLOAD);
    const padding = Math.max(MIN_PADDING, Math.floor(request.padding ?? MIN_PADDING));
    const most = this.#records.fragmentLength - HEARTBEAT_OVERHEAD;
    if (payload.length + padding - MIN_PADDING > most)
      throw new TlsError('bad-option', `a heartbeat carries at most ${most} bytes here`);
    this.#write(HEARTBEAT_REQUEST, payload, padding);
    this.#pending = { payload, answered };
  }

  /** Takes a record. Returns what is to be called when it answers our request. */
  receive(record: Uint8Array): (() => void) | undefined {
    const message = readHeartbeat(record);
    if (message === undefined) return undefined;
    if (message.type === HEARTBEAT_RESPONSE) return this.#answeredBy(message.payload);
    if (this.#terms.answers) this.#answer(message.payload);
    return undefined;
  }

  #answeredBy(payload: Uint8Array): (() => void) | undefined {
    const pending = this.#pending;
    if (pending === undefined || !bytesEqual(payload, pending.payload)) return undefined;
    this.#pending = undefined;
    return pending.answered;
  }

  #answer(payload: Uint8Array): void {
    const length = payload.length + HEARTBEAT_OVERHEAD;
    if (length > this.#records.fragmentLength || !this.#records.hasRoom) return;
    if (this.#spends(HEARTBEAT_ANSWER_COST + length)) this.#write(HEARTBEAT_RESPONSE, payload, MIN_PADDING);
  }

  /** A peer that asks without end is answered now and then only: it cannot make us work, or queue, without bounds. */
  #spends(cost: number): boolean {
    const now = this.#terms.now();
    const gained = (Math.max(0, now - this.#at) / 1000) * HEARTBEAT_BUDGET_PER_SECOND;
    this.#at = now;
    this.#budget = Math.min(HEARTBEAT_BUDGET, this.#budget + gained);
    if (cost > this.#budget) return false;
    this.#budget -= cost;
    return true;
  }

  #write(type: number, payload: Uint8Array, padding: number): void {
    const message = writeHeartbeat(type, payload, this.#terms.provider.randomBytes(padding));
    this.#records.write(HEARTBEAT, message);
  }
}

/** Too long to guess. */
const PAYLOAD = 16;
