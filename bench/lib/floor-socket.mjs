import { EventEmitter } from 'node:events';
import { floorFlights } from './floor-flights.mjs';
import { TLS12 } from './settings.mjs';

const HEADER = 5;
const TAG = 16;
/** The most plaintext in a record (RFC 9846 §5.1). */
const LONGEST = 16_384;
/** What the first byte of a record says here: in the clear, or sealed. */
const [CHANGE_CIPHER_SPEC, ALERT, CLEAR, SEALED] = [20, 21, 22, 23];
const CLOSE_NOTIFY = Buffer.alloc(2);
const NOTHING = Buffer.alloc(0);

/**
 * One connection of the floor: the turns, the records and the calls of TLS on a TCP socket, and nothing of its sense. What
 * comes is opened in place; what is sent in answer to one read is one write. As much of a `TLSSocket` as the workloads need.
 */
export class FloorSocket extends EventEmitter {
  #tcp;
  #role;
  #setting;
  #calls;
  #isResumed;
  /** While the handshake lasts: its flights, which of them comes next, and how many of that one's records are missing. */
  #flights;
  #turn = 0;
  #missing = 0;
  #state;
  #aead;
  /** Where a plaintext lies in what is sealed, and what a record takes beside it. */
  #start;
  #overhead;
  /** The beginning of a record whose end has not come. */
  #rest = NOTHING;
  #isReading = false;
  #pending = [];

  /** @param isResumed undefined for a server, which sees it in what comes first. */
  constructor(tcp, { role, setting, calls, isResumed }) {
    super();
    this.#tcp = tcp;
    this.#role = role;
    this.#setting = setting;
    this.#calls = calls;
    this.#isResumed = isResumed;
    // TLS 1.2 sends eight bytes of the nonce (RFC 5288 §3). The type inside a record of TLS 1.3, one byte, is left out.
    this.#start = HEADER + (setting.version === TLS12.version ? 8 : 0);
    this.#overhead = this.#start + TAG;
    tcp.on('data', (chunk) => this.#onChunk(chunk));
    tcp.on('end', () => {
      this.emit('end');
      this.end();
    });
    for (const name of ['close', 'drain', 'error']) tcp.on(name, (argument) => this.emit(name, argument));
    if (role === 'client') tcp.on('connect', () => this.#begin());
  }

  isSessionReused() {
    return this.#isResumed;
  }

  setNoDelay(on) {
    this.#tcp.setNoDelay(on);
    return this;
  }

  resume() {
    return this;
  }

  destroy() {
    this.#tcp.destroy();
    return this;
  }

  write(data) {
    const bytes = this.#sealed(SEALED, typeof data === 'string' ? Buffer.from(data) : data);
    if (this.#isReading && bytes.length <= LONGEST) {
      this.#pending.push(bytes);
      return true;
    }
    this.#flush();
    return bytes.length > LONGEST ? this.#writeMuch(bytes) : this.#tcp.write(bytes);
  }

  /** What the kernel took at once is memory for the next write at once. */
  #writeMuch(bytes) {
    let isFree = false;
    const free = () => {
      if (!isFree) spare.push(bytes);
      isFree = true;
    };
    const mayContinue = this.#tcp.write(bytes, free);
    if (this.#tcp.writableLength === 0) free();
    return mayContinue;
  }

  end(data) {
    if (this.#tcp.writableEnded) return this;
    if (data !== undefined) this.write(data);
    this.#pending.push(this.#sealed(ALERT, CLOSE_NOTIFY));
    this.#tcp.end(this.#takePending());
    return this;
  }

  #begin() {
    this.#flights = floorFlights(this.#setting, this.#isResumed);
    this.#state = this.#calls.begin();
    this.#aead = this.#state.aead;
    this.#proceed();
  }

  /** Our flights, until it is the other side's turn. */
  #proceed() {
    while (this.#turn < this.#flights.length) {
      const flight = this.#flights[this.#turn];
      const isOwn = flight.by === this.#role;
      this.#missing = isOwn ? 0 : recordsOf(flight);
      if (this.#missing > 0) return;
      this.#turn++;
      if (isOwn) this.#play(flight);
    }
    this.#flights = undefined;
    this.#state = undefined;
    if (this.#role === 'client') this.emit('session', NOTHING);
  }

  #play({ calls, clear = [], sealed = [], isDone }) {
    this.#calls.handshake(calls, this.#state);
    this.#aead = this.#state.aead;
    if (clear.length > 0) this.#pending.push(this.#inClear(clear));
    for (const length of sealed) this.#pending.push(this.#sealed(SEALED, new Uint8Array(length)));
    // What is written in answer leaves with the flight.
    if (isDone) this.emit('secureConnect');
    if (!this.#isReading) this.#flush();
  }

  /** The first byte of the first record says whether the handshake is a resumed one. */
  #inClear(lengths) {
    const bytes = Buffer.alloc(lengths.reduce((sum, length) => sum + HEADER + length, 0));
    let at = 0;
    for (const length of lengths) {
      putHeader(bytes, at, length === 1 ? CHANGE_CIPHER_SPEC : CLEAR, length);
      bytes[at + HEADER] = this.#isResumed ? 1 : 0;
      at += HEADER + length;
    }
    return bytes;
  }

  #sealed(type, content) {
    const count = Math.ceil(content.length / LONGEST);
    const out = roomFor(content.length + count * this.#overhead);
    let at = 0;
    for (let from = 0; from < content.length; from += LONGEST) {
      const length = Math.min(LONGEST, content.length - from);
      const end = at + this.#overhead + length;
      putHeader(out, at, type, end - at - HEADER);
      const plaintext = length === content.length ? content : content.subarray(from, from + length);
      this.#calls.seal(this.#aead, plaintext, out, at + this.#start);
      at = end;
    }
    return out;
  }

  #onChunk(chunk) {
    this.#isReading = true;
    let [bytes, at] = [chunk, 0];
    if (this.#rest.length > 0) [bytes, at] = this.#join(chunk);
    while (bytes.length - at >= HEADER) {
      const end = at + HEADER + lengthAt(bytes, at);
      if (end > bytes.length) break;
      this.#onRecord(bytes, at, end);
      at = end;
    }
    this.#rest = at === bytes.length ? NOTHING : bytes.subarray(at);
    this.#isReading = false;
    this.#flush();
  }

  /** Copies only the record that straddles two reads, where that ends in the second. */
  #join(chunk) {
    const rest = this.#rest;
    const length = rest.length < HEADER ? Infinity : HEADER + lengthAt(rest, 0);
    const missing = length - rest.length;
    if (missing > chunk.length) return [Buffer.concat([rest, chunk]), 0];
    const record = Buffer.allocUnsafeSlow(length);
    record.set(rest);
    record.set(chunk.subarray(0, missing), rest.length);
    this.#onRecord(record, 0, length);
    return [chunk, missing];
  }

  #onRecord(bytes, at, end) {
    const type = bytes[at];
    if (this.#aead === undefined) {
      this.#isResumed = bytes[at + HEADER] === 1;
      this.#begin();
    }
    const content = type === SEALED || type === ALERT ? this.#opened(bytes, at, end) : undefined;
    if (this.#flights !== undefined) {
      this.#missing--;
      if (this.#missing > 0) return;
      this.#turn++;
      this.#proceed();
    } else if (type === SEALED) {
      this.emit('data', content);
    }
  }

  #opened(bytes, at, end) {
    const sealed = bytes.subarray(at + this.#start, end);
    return this.#calls.open(this.#aead, sealed, sealed);
  }

  #flush() {
    if (this.#pending.length > 0) this.#tcp.write(this.#takePending());
  }

  #takePending() {
    const pending = this.#pending;
    this.#pending = [];
    return pending.length === 1 ? pending[0] : Buffer.concat(pending);
  }
}

/** Memory of large writes that are done, for the next. */
const spare = [];

function roomFor(length) {
  if (length <= LONGEST) return Buffer.allocUnsafe(length);
  const room = spare.pop();
  return room?.length === length ? room : Buffer.allocUnsafeSlow(length);
}

function recordsOf({ clear = [], sealed = [] }) {
  return clear.length + sealed.length;
}

function putHeader(out, at, type, length) {
  out[at] = type;
  out[at + 1] = out[at + 2] = 3;
  out[at + 3] = length >> 8;
  out[at + 4] = length & 0xff;
}

function lengthAt(bytes, at) {
  return (bytes[at + 3] << 8) | bytes[at + 4];
}
