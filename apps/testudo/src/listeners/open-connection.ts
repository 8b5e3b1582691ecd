import type { Socket } from 'node:net';
import { TlsError } from '@testudo/tls';
import type { TLSSocket } from '@testudo/tls/node';
import { ACME_TLS_PROTOCOL } from '../acme/challenge-board.ts';
import { addressText } from '../config/address.ts';
import type { Limits } from '../config/limits.ts';
import { ConnectionRecord } from '../observe/connection-record.ts';
import type { Log } from '../output/log.ts';
import type { FailureLog } from './failure-log.ts';
import { farewell } from './farewell.ts';
import type { Served, Service } from './service.ts';
import type { TlsEndpoint } from './tls-endpoint.ts';
import { describeTlsFailure } from './tls-failure.ts';

/** What the connections of a listener get; those that are open keep theirs when the listener gets others. */
export interface ListenerSettings {
  readonly name: string;
  readonly endpoint: TlsEndpoint;
  readonly service: Service;
  readonly limits: Limits;
  readonly log: Log;
}

/** One connection of a listener, from the first byte on. There may be thousands that do nothing: what it holds is little. */
export class OpenConnection {
  readonly settings: ListenerSettings;
  readonly #raw: Socket;
  readonly #failures: FailureLog;
  /** The client's address with its port, for logs. */
  readonly #remote: string;
  readonly #record: ConnectionRecord | undefined;
  readonly #tls: TLSSocket;
  /** Until the handshake is complete. */
  #timer: NodeJS.Timeout | undefined;
  #isSecure = false;
  #served: Served | undefined;

  /** Begins TLS on a TCP connection. */
  constructor(raw: Socket, settings: ListenerSettings, failures: FailureLog) {
    const { endpoint, service, limits } = settings;
    this.settings = settings;
    this.#raw = raw;
    this.#failures = failures;
    this.#remote = addressText({ host: raw.remoteAddress, port: raw.remotePort ?? 0 });
    this.#record = service.wantsRecords ? new ConnectionRecord() : undefined;
    const tls = endpoint.secure(raw, this.#record);
    this.#tls = tls;
    this.#timer = setTimeout(handshakeIsOver, limits.handshake, this);
    tls.on('close', () => this.#stopTimer());
    tls.on('error', (error: Error) => this.#failed(error));
    tls.once('secure', () => this.#secured());
  }

  /** Ends it from our side; `grace` as in `farewell`. */
  end(grace?: number): void {
    if (this.#served === undefined) this.#raw.destroy();
    else this.#served.end(grace);
  }

  giveUpHandshake(): void {
    sayGoodbyeEarly(this.#raw);
    this.#tls.destroy(handshakeTimeout(this.settings.limits.handshake));
  }

  #stopTimer(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #failed(error: Error): void {
    const failure = describeTlsFailure(error);
    if (this.#isSecure)
      this.settings.log.debug({ remote: this.#remote, ...failure.details }, 'a connection broke');
    else this.#failures.note(this.#raw.remoteAddress ?? 'unknown', this.#remote, failure);
  }

  #secured(): void {
    const { endpoint, service, limits, log } = this.settings;
    const tls = this.#tls;
    this.#stopTimer();
    this.#isSecure = true;
    // A CA that has seen what it came for: no data follows (RFC 8737 §3).
    if (tls.alpnProtocol === ACME_TLS_PROTOCOL && endpoint.answersChallenges) {
      log.info({ remote: this.#remote, name: tls.servername }, 'a CA looks for the answer to tls-alpn-01');
      farewell(tls);
      return;
    }
    this.#served = service.accept(tls, this.#record);
    this.#raw.setTimeout(limits.idle);
    this.#raw.on('timeout', () => this.#idle());
  }

  /** Any byte either way counts, also of a slow reader; while the service itself is at work, nobody is idle. */
  #idle(): void {
    const { limits, log } = this.settings;
    if (this.#served?.isBusy()) {
      this.#raw.setTimeout(limits.idle);
      return;
    }
    log.debug({ remote: this.#remote }, 'a connection was idle and has been ended');
    this.#served?.end();
  }
}

function handshakeIsOver(connection: OpenConnection): void {
  connection.giveUpHandshake();
}

/** An alert without protection is still one as long as nothing of ours is under keys (RFC 9846 §6). */
function sayGoodbyeEarly(raw: Socket): void {
  if (raw.bytesWritten === 0 && raw.writable) raw.write(CLOSE_NOTIFY);
}

/** A record with the warning close_notify. */
const CLOSE_NOTIFY: Uint8Array = new Uint8Array([21, 3, 3, 0, 2, 1, 0]);

function handshakeTimeout(limit: number): TlsError {
  return new TlsError('handshake-timeout', `the client did not finish the handshake within ${limit} ms`);
}
