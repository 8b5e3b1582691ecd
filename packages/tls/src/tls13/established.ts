import { LAST_EPOCH, MAX_KEY_UPDATES, MAX_TICKETS, MAX_TICKETS_PASSED_OVER } from '../config/defaults.ts';
import type { EstablishedSecrets, TrafficKeys } from '../connection/secrets.ts';
import { TlsError } from '../errors.ts';
import type { Flow } from '../flow.ts';
import type { Channel } from '../handshake/context.ts';
import type { FinishedVerified } from '../handshake/finished-verified.ts';
import type { AfterHandshake, Established } from '../handshake/result.ts';
import {
  decodeMessage,
  encodeMessage,
  handshakeTypeName,
  type RawMessage,
} from '../messages/handshake-type.ts';
import { keyUpdate, UPDATE_NOT_REQUESTED, UPDATE_REQUESTED } from '../messages/key-update.ts';
import { type NewSessionTicket13, newSessionTicket13 } from '../messages/new-session-ticket.ts';
import { APPLICATION_DATA } from '../record/content-type.ts';
import type { RecordOpener } from '../record/protection.ts';
import type { KeySchedule } from './key-schedule.ts';
import type { LaterAuthentication } from './later-authentication.ts';

/** A TLS 1.3 connection after its handshake: tickets, KeyUpdate, exporters (RFC 9846 §4.7, §7.5). */
export class Established13 implements Established {
  readonly canRenegotiate = false;
  readonly #schedule: KeySchedule;
  readonly #channel: Channel;
  readonly #proof: FinishedVerified;
  readonly #exporterMainSecret: Uint8Array;
  readonly #resumptionSecret: Uint8Array | undefined;
  readonly #onTicket: ((ticket: NewSessionTicket13) => void) | undefined;
  readonly #later: LaterAuthentication | undefined;
  #readSecret: Uint8Array;
  #writeSecret: Uint8Array;
  #readEpoch = 0;
  #writeEpoch = 0;
  #keyUpdates = 0;
  #tickets = 0;
  readonly #lastEpoch: number;
  /** An update that we asked for is on its way. */
  #updateAsked = false;
  #updateDue = false;
  #wiped = false;
  #writeEnded = false;

  constructor(parts: {
    schedule: KeySchedule;
    channel: Channel;
    /** That the peer's Finished was verified. */
    proof: FinishedVerified;
    readSecret: Uint8Array;
    writeSecret: Uint8Array;
    exporterMainSecret: Uint8Array;
    /** While tickets may come, or may have to be revoked; wiped with the others. */
    resumptionSecret: Uint8Array | undefined;
    /** What a client does with a ticket; a server gets none. */
    onTicket: ((ticket: NewSessionTicket13) => void) | undefined;
    /** Post-handshake authentication; undefined where the client did not offer it. */
    later: LaterAuthentication | undefined;
    /** How often our own keys may be replaced. Default {@link LAST_EPOCH}. */
    lastEpoch?: number;
  }) {
    this.#schedule = parts.schedule;
    this.#channel = parts.channel;
    this.#proof = parts.proof;
    this.#readSecret = parts.readSecret;
    this.#writeSecret = parts.writeSecret;
    this.#exporterMainSecret = parts.exporterMainSecret;
    this.#resumptionSecret = parts.resumptionSecret;
    this.#onTicket = parts.onTicket;
    this.#later = parts.later;
    this.#lastEpoch = parts.lastEpoch ?? LAST_EPOCH;
  }

  get canUpdateKeys(): boolean {
    return this.#writeEpoch < this.#lastEpoch;
  }

  receive(message: RawMessage): Flow<AfterHandshake> | undefined {
    if (message.type === keyUpdate.type) this.#receiveKeyUpdate(message);
    else if (message.type === newSessionTicket13.type && this.#onTicket !== undefined)
      this.#receiveTicket(message);
    else if (this.#later?.takes(message.type)) return this.#receiveLater(this.#later, message);
    else throw new TlsError('unexpected-message', `${handshakeTypeName(message.type)} after the handshake`);
    return undefined;
  }

  renegotiate(): undefined {
    throw new TlsError('not-connected', 'TLS 1.3 has no renegotiation');
  }

  renegotiationDeclined(): void {}

  requestClientCertificate(required: boolean): undefined {
    if (this.#later === undefined) {
      throw new TlsError('not-connected', 'the client does not take part in post-handshake authentication');
    }
    this.#later.request(required);
  }

  endWriting(): void {
    this.#writeEnded = true;
  }

  secrets(): EstablishedSecrets | undefined {
    if (this.#wiped) return undefined;
    const keys = (trafficSecret: Uint8Array): TrafficKeys => ({
      trafficSecret: trafficSecret.slice(),
      mac: new Uint8Array(0),
      ...this.#schedule.trafficKeys(trafficSecret),
    });
    return { masterSecret: undefined, read: keys(this.#readSecret), write: keys(this.#writeSecret) };
  }

  /** After the last update another one that is asked for is passed over (RFC 9846 §4.7.3). */
  prepareToSend(): void {
    if (this.#updateDue && this.canUpdateKeys) this.updateKeys(false);
  }

  /**
   * KeyUpdate, which still goes out under the old key (RFC 9846 §4.7.3), and the next one (§7.2). The peer is not asked again
   * while it has not answered.
   */
  updateKeys(requestPeer: boolean): void {
    this.#updateDue = false;
    const asks = requestPeer && !this.#updateAsked;
    if (asks) this.#updateAsked = true;
    const requestUpdate = asks ? UPDATE_REQUESTED : UPDATE_NOT_REQUESTED;
    this.#channel.writeHandshake(encodeMessage(keyUpdate, { requestUpdate }));
    this.#writeSecret = this.#replace(this.#writeSecret);
    const sealer = this.#schedule.sealer(this.#writeSecret);
    this.#channel.setSealer(sealer, `application ${++this.#writeEpoch}`);
  }

  exportKeyingMaterial(label: string, context: Uint8Array | undefined, length: number): Uint8Array {
    if (this.#wiped) throw new TlsError('not-connected', 'the connection is over and its secrets are wiped');
    // No context and an empty one are the same in TLS 1.3 (RFC 9846 §7.5).
    return this.#schedule.exporter(this.#exporterMainSecret, label, context ?? new Uint8Array(0), length);
  }

  wipe(): void {
    this.#wiped = true;
    this.#readSecret.fill(0);
    this.#writeSecret.fill(0);
    this.#exporterMainSecret.fill(0);
    this.#resumptionSecret?.fill(0);
  }

  #receiveLater(later: LaterAuthentication, message: RawMessage): Flow<AfterHandshake> | undefined {
    return later.receive(message, {
      read: () => this.#readSecret,
      write: () => this.#writeSecret,
      writeEnded: () => this.#writeEnded,
    });
  }

  /** New keys for what the peer sends; if it asks, ours change before our next data (RFC 9846 §4.7.3). */
  #receiveKeyUpdate(message: RawMessage): void {
    const { requestUpdate } = decodeMessage(keyUpdate, message);
    if (requestUpdate !== UPDATE_REQUESTED && requestUpdate !== UPDATE_NOT_REQUESTED) {
      throw new TlsError('illegal-parameter', `KeyUpdate with request_update ${requestUpdate}`);
    }
    if (++this.#keyUpdates > MAX_KEY_UPDATES) {
      throw new TlsError(
        'too-many-key-updates',
        `more than ${MAX_KEY_UPDATES} KeyUpdates without data between them`,
      );
    }
    this.#updateAsked = false;
    this.#readSecret = this.#replace(this.#readSecret);
    const opener = this.#countingOpener(this.#schedule.opener(this.#readSecret));
    this.#channel.setApplicationOpener(opener, this.#proof, `application ${++this.#readEpoch}`);
    // Due before our next application data, and once however often it is asked for (RFC 9846 §4.7.3): a peer that
    // asks and does not read cannot make us queue answers.
    if (requestUpdate === UPDATE_REQUESTED) this.#updateDue = true;
  }

  /** Application data between KeyUpdates shows that the peer does not just make us work. */
  #countingOpener(opener: RecordOpener): RecordOpener {
    return {
      isProtected: true,
      get sequence(): number {
        return opener.sequence;
      },
      open: (record) => {
        const plaintext = opener.open(record);
        if (plaintext?.type === APPLICATION_DATA && plaintext.content.length > 0) this.#keyUpdates = 0;
        return plaintext;
      },
    };
  }

  /** A client: any number of them may come at any time, which is why they are counted (RFC 9846 §4.7.1). */
  #receiveTicket(message: RawMessage): void {
    if (++this.#tickets > MAX_TICKETS_PASSED_OVER) {
      throw new TlsError(
        'too-many-tickets',
        `more than ${MAX_TICKETS_PASSED_OVER} tickets on one connection`,
      );
    }
    const ticket = decodeMessage(newSessionTicket13, message);
    if (this.#tickets <= MAX_TICKETS) this.#onTicket!(ticket);
  }

  #replace(secret: Uint8Array): Uint8Array {
    const next = this.#schedule.nextTrafficSecret(secret);
    secret.fill(0);
    return next;
  }
}
