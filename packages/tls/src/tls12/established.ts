import type { EstablishedSecrets } from '../connection/secrets.ts';
import { TlsError } from '../errors.ts';
import type { Flow } from '../flow.ts';
import type { Handshake } from '../handshake/context.ts';
import { RateLimit } from '../handshake/rate-limit.ts';
import type { AfterHandshake, Established } from '../handshake/result.ts';
import {
  HANDSHAKE_HEADER,
  HANDSHAKE_TYPE,
  handshakeTypeName,
  type RawMessage,
} from '../messages/handshake-type.ts';
import { SSL30 } from '../versions.ts';
import { exportKeyingMaterial12 } from './exporter.ts';
import { protectionOf } from './protection.ts';
import type { Renegotiation } from './renegotiation.ts';
import { keyBlock } from './secrets.ts';
import type { Terms } from './terms.ts';
import type { Role } from './version-rules.ts';

/** A connection up to TLS 1.2 after its handshake: no message may come any more but what begins a renegotiation. */
export class Established12 implements Established {
  readonly canUpdateKeys = false;
  readonly #provider: Handshake['provider'];
  readonly #channel: Handshake['channel'];
  readonly #config: Handshake['config'];
  readonly #role: Role;
  readonly #terms: Terms;
  readonly #master: Uint8Array;
  readonly #renegotiation: Renegotiation | undefined;
  #refusals: RateLimit | undefined;
  #wiped = false;
  #writeEnded = false;

  /** @param renegotiation undefined where it is refused. */
  constructor(
    { provider, channel, config }: Handshake,
    role: Role,
    terms: Terms,
    master: Uint8Array,
    renegotiation: Renegotiation | undefined,
  ) {
    this.#provider = provider;
    this.#channel = channel;
    this.#config = config;
    this.#role = role;
    this.#terms = terms;
    this.#master = master;
    this.#renegotiation = renegotiation;
  }

  get canRenegotiate(): boolean {
    return this.#renegotiation !== undefined;
  }

  receive(message: RawMessage): Flow<AfterHandshake> | undefined {
    const beginning = this.#role === 'client' ? HANDSHAKE_TYPE.hello_request : HANDSHAKE_TYPE.client_hello;
    if (message.type !== beginning) {
      throw new TlsError('unexpected-message', `${handshakeTypeName(message.type)} after the handshake`);
    }
    if (this.#role === 'client' && message.raw.length > HANDSHAKE_HEADER)
      throw new TlsError('malformed-message', 'hello_request: malformed: it is not empty');
    // There is no warning that could still be sent to it.
    if (this.#writeEnded) {
      if (this.#warnings() === 0) throw refusal();
      return undefined;
    }
    const flow = this.#renegotiation?.answer(message);
    if (flow === undefined) this.#refuse();
    return flow;
  }

  renegotiate(resume: boolean): Flow<AfterHandshake> | undefined {
    return this.#mayBegin().begin(resume);
  }

  requestClientCertificate(required: boolean): undefined {
    this.#mayBegin().requestCertificate(required);
  }

  renegotiationDeclined(): void {
    this.#renegotiation?.declined();
  }

  secrets(): EstablishedSecrets | undefined {
    if (this.#wiped) return undefined;
    const h = { provider: this.#provider, config: this.#config };
    const { client, server } = keyBlock(
      this.#provider,
      this.#terms,
      protectionOf(h, this.#terms),
      this.#master,
    );
    const [read, write] = this.#role === 'client' ? [server, client] : [client, server];
    return {
      masterSecret: this.#master.slice(),
      read: { trafficSecret: undefined, ...read },
      write: { trafficSecret: undefined, ...write },
    };
  }

  endWriting(): void {
    this.#writeEnded = true;
  }

  prepareToSend(): void {}

  updateKeys(): void {
    throw new TlsError('not-connected', 'TLS 1.2 has no key update');
  }

  exportKeyingMaterial(label: string, context: Uint8Array | undefined, length: number): Uint8Array {
    if (this.#wiped) throw new TlsError('not-connected', 'the connection is over and its secrets are wiped');
    const h = { provider: this.#provider, config: this.#config };
    return exportKeyingMaterial12(h, this.#terms, this.#master, label, context, length);
  }

  wipe(): void {
    this.#wiped = true;
    this.#master.fill(0);
  }

  #mayBegin(): Renegotiation {
    if (this.#renegotiation !== undefined) return this.#renegotiation;
    throw new TlsError(
      'not-connected',
      'renegotiation needs the option renegotiation, and a peer that supports secure renegotiation',
    );
  }

  /** With a warning (RFC 5246 §7.2.2), after which the connection goes on; SSL 3.0 has none for it (RFC 5746 §4.5). */
  #refuse(): void {
    this.#refusals ??= new RateLimit({ limit: this.#warnings(), window: 60 }, this.#config.now);
    if (this.#terms.rules.version === SSL30 || !this.#refusals.take()) throw refusal();
    this.#channel.warn('no_renegotiation');
  }

  #warnings(): number {
    return this.#config.maxRefusedRenegotiations;
  }
}

function refusal(): TlsError {
  return new TlsError('renegotiation-refused', 'the peer wants to renegotiate, which is refused');
}
