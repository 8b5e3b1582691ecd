import { ALERTS, type AlertName, type Observer } from '@testudo/tls';

/** What `-expect-msg-callback` compares, and the traffic secrets of TLS 1.3. */
export class MessageTrace {
  text = '';
  /** What a server chose; 0 before. */
  version = 0;
  /** The peer's hello holds the empty renegotiation_info (RFC 5746 §3.4). */
  knowsSecureRenegotiation = false;
  /** Of the first ticket that the client names. */
  obfuscatedTicketAge = 0;
  /** Types of messages that came. */
  readonly received = new Set<number>();
  readonly secrets = new Map<string, Uint8Array>();
  #isSsl2Hello = false;
  readonly observer: Observer = {
    record: (_direction, type) => {
      if (type === SSL2_HELLO) this.#isSsl2Hello = true;
    },
    message: (direction, { type, raw }) => {
      if (direction === 'received') this.received.add(type);
      if (direction === 'received' && type === CLIENT_HELLO) this.obfuscatedTicketAge = ticketAgeIn(raw);
      const isFirst = this.text === '';
      this.#note(direction, isFirst && this.#isSsl2Hello ? 'v2clienthello' : `hs ${type}`);
      if (direction === 'received' && type === SERVER_HELLO) this.version = versionOf(raw);
      if (direction === 'received' && (type === SERVER_HELLO || type === CLIENT_HELLO))
        this.knowsSecureRenegotiation ||= Buffer.from(raw).includes(RENEGOTIATION_INFO);
    },
    innerHello: (direction) => this.#note(direction, 'clienthelloinner'),
    changeCipherSpec: (direction) => this.#note(direction, 'ccs'),
    alert: (direction, level, name) =>
      this.#note(direction, `alert ${level === 'fatal' ? 2 : 1} ${ALERTS[name as AlertName]}`),
    secret: (label, _random, secret) => void this.secrets.set(label, secret.slice()),
  };

  #note(direction: 'sent' | 'received', what: string): void {
    this.text += `${direction === 'sent' ? 'write' : 'read'} ${what}\n`;
  }
}

/** What the engine calls a record with a hello in SSL 2.0's form. */
const SSL2_HELLO = 0x80;
const CLIENT_HELLO = 1;
const SERVER_HELLO = 2;
const RENEGOTIATION_INFO = Buffer.of(0xff, 0x01, 0, 1, 0);
const SUPPORTED_VERSIONS = 43;
const PRE_SHARED_KEY = 41;

/** From supported_versions, or where there is none from the field that is older. */
function versionOf(raw: Uint8Array): number {
  const bytes = Buffer.from(raw);
  const legacy = bytes.readUInt16BE(4);
  const sessionIdLength = bytes[38] ?? 0;
  for (let at = 44 + sessionIdLength; at + 4 <= bytes.length; at += 4 + bytes.readUInt16BE(at + 2)) {
    if (bytes.readUInt16BE(at) === SUPPORTED_VERSIONS) return bytes.readUInt16BE(at + 4);
  }
  return legacy;
}

/** From pre_shared_key, which is last: the length of the first identity stands behind those of the extension and the list. */
function ticketAgeIn(raw: Uint8Array): number {
  const bytes = Buffer.from(raw);
  const suites = 39 + bytes[38]!;
  const methods = suites + 2 + bytes.readUInt16BE(suites);
  for (
    let at = methods + 1 + bytes[methods]! + 2;
    at + 4 <= bytes.length;
    at += 4 + bytes.readUInt16BE(at + 2)
  ) {
    if (bytes.readUInt16BE(at) === PRE_SHARED_KEY)
      return bytes.readUInt32BE(at + 8 + bytes.readUInt16BE(at + 6));
  }
  return 0;
}
