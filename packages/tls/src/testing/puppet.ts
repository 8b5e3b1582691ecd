import { concat } from '@testudo/codec';
import type { CryptoProvider } from '@testudo/crypto';
import { alertName } from '../alerts.ts';
import { HandshakeBuffer } from '../handshake/handshake-buffer.ts';
import { Transcript } from '../handshake/transcript.ts';
import { encodeMessage, type Message, type RawMessage } from '../messages/handshake-type.ts';
import { ALERT, APPLICATION_DATA, CHANGE_CIPHER_SPEC, HANDSHAKE, HEARTBEAT } from '../record/content-type.ts';
import {
  PlaintextSealer,
  plaintextOpener,
  type RecordOpener,
  type RecordSealer,
} from '../record/protection.ts';
import { RecordBuffer } from '../record/record-buffer.ts';
import type { TestEnd } from './end.ts';

/**
 * A peer that says what the test wants, whenever it wants, under the right keys. It is made of the engine's own
 * pieces (codecs, key schedule, record protection) but has none of its order.
 */
export abstract class Puppet {
  readonly provider: CryptoProvider;
  /** The engine under test. */
  readonly end: TestEnd;
  transcript: Transcript;
  sealer: RecordSealer = new PlaintextSealer();
  opener: RecordOpener = plaintextOpener;
  /** Alerts of the engine, as `fatal decode_error`. */
  readonly alerts: string[] = [];
  /** Application data of the engine. */
  readonly data: Uint8Array[] = [];
  /** Heartbeat records of the engine. */
  readonly heartbeats: Uint8Array[] = [];
  /** Handshake messages of the engine. */
  readonly messages: RawMessage[] = [];
  /** ChangeCipherSpec records of the engine. */
  changeCipherSpecs = 0;
  /** Records of the engine that did not decrypt: the puppet or the engine has the wrong keys. */
  unreadable = 0;
  readonly #incoming = new RecordBuffer();
  readonly #handshake = new HandshakeBuffer({ handshakeMessage: 0xffffff, certificateMessage: 0xffffff });

  constructor(provider: CryptoProvider, end: TestEnd) {
    this.provider = provider;
    this.end = end;
    this.transcript = new Transcript(provider);
    this.#incoming.takeHeartbeats();
    end.connection.start();
    this.collect();
  }

  /** Whatever is to happen when the engine sent a handshake message; it is in the transcript already. */
  protected abstract onMessage(message: RawMessage): void;
  protected onChangeCipherSpec(): void {}

  // What goes out -----------------------------------------------------------------------------------------------

  /** Bytes as they are. */
  bytes(bytes: Uint8Array): this {
    this.end.connection.receive(bytes);
    return this.collect();
  }

  /** One record under the present keys. */
  sealed(type: number, content: Uint8Array, padding = 0): Uint8Array {
    const out = new Uint8Array(this.sealer.sealedLength(content.length) + padding);
    const length = this.sealer.seal(type, content, padding, out, 0);
    return out.subarray(0, length);
  }

  record(type: number, content: Uint8Array, padding = 0): this {
    return this.bytes(this.sealed(type, content, padding));
  }

  /** Each message in a record of its own. */
  send(...messages: readonly Uint8Array[]): this {
    for (const message of messages) this.record(HANDSHAKE, message);
    return this;
  }

  /** All messages in one record. */
  sendTogether(...messages: readonly Uint8Array[]): this {
    return this.record(HANDSHAKE, concat(...messages));
  }

  changeCipherSpec(content: Uint8Array = Uint8Array.of(1)): this {
    const sealer = this.ccsInTheClear ? new PlaintextSealer() : this.sealer;
    const out = new Uint8Array(sealer.sealedLength(content.length));
    sealer.seal(CHANGE_CIPHER_SPEC, content, 0, out, 0);
    return this.bytes(out);
  }

  alert(level: number, code: number): this {
    return this.record(ALERT, Uint8Array.of(level, code));
  }

  applicationData(content: Uint8Array): this {
    return this.record(APPLICATION_DATA, content);
  }

  /** A message's bytes, counted in the transcript as if it had been sent. */
  encoded<T>(definition: Message<T>, value: T): Uint8Array {
    const raw = encodeMessage(definition, value);
    this.transcript.add(raw);
    return raw;
  }

  // What comes in -----------------------------------------------------------------------------------------------

  /** Reads everything the engine has to say. */
  collect(): this {
    const bytes = this.end.take();
    if (bytes.length > 0) this.#incoming.push(bytes);
    for (let record = this.#incoming.next(); record !== undefined; record = this.#incoming.next()) {
      const plaintext = this.opener.open(record);
      if (plaintext === undefined) this.unreadable++;
      else this.#take(plaintext.type, plaintext.content);
    }
    return this;
  }

  /** TLS 1.3 sends CCS in the clear whatever the keys. */
  protected get ccsInTheClear(): boolean {
    return true;
  }

  #take(type: number, content: Uint8Array): void {
    if (type === ALERT) {
      const level = content[0] === 1 ? 'warning' : content[0] === 2 ? 'fatal' : `level ${content[0]}`;
      this.alerts.push(`${level} ${alertName(content[1]!)}`);
    } else if (type === CHANGE_CIPHER_SPEC) {
      this.changeCipherSpecs++;
      this.onChangeCipherSpec();
    } else if (type === APPLICATION_DATA) {
      this.data.push(content);
    } else if (type === HEARTBEAT) {
      this.heartbeats.push(content);
    } else {
      this.#handshake.push(content);
      for (let next = this.#handshake.next(); next !== undefined; next = this.#handshake.next()) {
        this.messages.push(next);
        this.transcript.add(next.raw);
        this.onMessage(next);
      }
    }
  }
}

/** What became of the engine: to compare with {@link refused}. */
export interface Outcome {
  readonly state: string;
  readonly codes: readonly string[];
  readonly alerts: readonly string[];
  readonly unreadable: number;
  /** Bytes that came out after the failure, whatever was done to the connection. */
  readonly afterwards: number;
}

/** Looks at the engine, and does to it what a careless owner or a stubborn peer might do after a failure. */
export function outcomeOf(puppet: Puppet): Outcome {
  puppet.collect();
  const { connection, errors } = puppet.end;
  const { state } = connection;
  const before = [...puppet.alerts];
  if (state !== 'failed')
    return { state, codes: [], alerts: before, unreadable: puppet.unreadable, afterwards: 0 };
  connection.receive(Uint8Array.of(22, 3, 3, 0, 4, 14, 0, 0, 0));
  connection.receive(Uint8Array.of(21, 3, 3, 0, 2, 2, 40));
  connection.close();
  connection.abort();
  connection.receiveEnd();
  try {
    connection.send(Uint8Array.of(1));
  } catch {
    // As it should: `not-connected`.
  }
  const afterwards = puppet.end.take().length;
  return {
    state: connection.state,
    codes: errors.map((error) => error.code),
    alerts: before,
    unreadable: puppet.unreadable,
    afterwards,
  };
}

/** The outcome of a connection that refused what came: one error, one alert, then silence. */
export function refused(code: string): Outcome {
  const alert = ALERTS_DUE[code];
  if (alert === undefined) throw new Error(`no alert is written down for ${code}`);
  const alerts = alert === 'none' ? [] : [`fatal ${alert}`];
  return { state: 'failed', codes: [code], alerts, unreadable: 0, afterwards: 0 };
}

/** The alert that each failure owes the peer (RFC 9846 §6.2, RFC 5246 §7.2.2), written down apart from the engine. */
const ALERTS_DUE: Readonly<Record<string, string>> = {
  'unexpected-message': 'unexpected_message',
  'interleaved-handshake': 'unexpected_message',
  'too-many-empty-records': 'unexpected_message',
  'too-many-key-updates': 'unexpected_message',
  'too-many-warning-alerts': 'unexpected_message',
  'too-many-tickets': 'unexpected_message',
  'too-much-early-data': 'unexpected_message',
  'bad-record': 'unexpected_message',
  'renegotiation-refused': 'handshake_failure',
  'too-many-renegotiations': 'handshake_failure',
  'renegotiation-declined': 'handshake_failure',
  'peer-changed': 'bad_certificate',
  'illegal-parameter': 'illegal_parameter',
  'bad-key-share': 'illegal_parameter',
  'misplaced-extension': 'illegal_parameter',
  'duplicate-extension': 'illegal_parameter',
  'downgrade-detected': 'illegal_parameter',
  'message-too-long': 'illegal_parameter',
  'unsolicited-extension': 'unsupported_extension',
  'missing-extension': 'missing_extension',
  'bad-signature': 'decrypt_error',
  'bad-finished': 'decrypt_error',
  'bad-binder': 'decrypt_error',
  'insecure-renegotiation': 'handshake_failure',
  'extended-master-secret-mismatch': 'handshake_failure',
  'no-extended-master-secret': 'handshake_failure',
  'request-by-anonymous-server': 'handshake_failure',
  'encrypt-then-mac-dropped': 'handshake_failure',
  'no-common-cipher-suite': 'handshake_failure',
  'no-common-group': 'handshake_failure',
  'no-common-signature-scheme': 'handshake_failure',
  'no-common-finite-field': 'insufficient_security',
  'client-certificate-missing': 'handshake_failure',
  'weak-parameters': 'insufficient_security',
  'no-psk': 'handshake_failure',
  'no-common-version': 'protocol_version',
  'early-data-refused-by-version': 'protocol_version',
  'not-tls': 'protocol_version',
  'no-common-protocol': 'no_application_protocol',
  'no-certificate-for-name': 'unrecognized_name',
  'inappropriate-fallback': 'inappropriate_fallback',
  'empty-certificate-list': 'decode_error',
  'malformed-message': 'decode_error',
  'ech-undecryptable': 'decrypt_error',
  'ech-rejected': 'ech_required',
  'malformed-record': 'decode_error',
  'bad-record-mac': 'bad_record_mac',
  'record-overflow': 'record_overflow',
  'bad-certificate': 'bad_certificate',
  'certificate-unsupported': 'unsupported_certificate',
  'no-common-certificate-type': 'unsupported_certificate',
  'certificate-required': 'certificate_required',
  'certificate-expired': 'certificate_expired',
  'certificate-revoked': 'certificate_revoked',
  'bad-certificate-status': 'bad_certificate_status_response',
  'unknown-ca': 'unknown_ca',
  'alert-received': 'none',
  truncated: 'none',
};
