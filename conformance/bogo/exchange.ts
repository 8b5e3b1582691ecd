import { connect, type Socket } from 'node:net';
import {
  type Connection,
  type ConnectionEvents,
  type ConnectionInfo,
  clientConfig,
  clientConnection,
  type Session,
  serverConfig,
  serverConnection,
  TlsError,
} from '@testudo/tls';
import { complaintAbout } from './checks.ts';
import { loadCredentials, loadPsks, type ShimCredential } from './credentials.ts';
import { clientOptions, type SharedState, serverOptions } from './engine-options.ts';
import { Failure } from './failure.ts';
import type { ConnectionFlags } from './flags.ts';
import { MessageTrace } from './message-trace.ts';
import type { Notes } from './notes.ts';
import { sameBytes } from './values.ts';

export interface ExchangeRequest {
  readonly flags: ConnectionFlags;
  /** What holds after early data was refused. */
  readonly retry: ConnectionFlags;
  readonly isResume: boolean;
  readonly session: Session | undefined;
  readonly shared: SharedState;
  /** The process that asked is gone. */
  readonly signal: AbortSignal;
}

const GREETING = Buffer.from('hello');
/** Lengths that have tripped up the splitting of CBC records. */
const WRITE_LENGTHS = [0, 1, 255, 256, 257, 16_383, 16_384, 16_385, 32_767, 32_768, 32_769];
/** BoringSSL's shim reads, and so answers, at most so many bytes at a time. */
const READ_LENGTH = 512;

/** One connection with the runner. Resolves with the session that came last; throws {@link Failure}. */
export function exchange(request: ExchangeRequest): Promise<Session | undefined> {
  return new Promise((resolve, reject) => {
    new Exchange(request, resolve, reject).run();
  });
}

class Exchange {
  #flags: ConnectionFlags;
  readonly #request: ExchangeRequest;
  readonly #resolve: (session: Session | undefined) => void;
  readonly #reject: (failure: unknown) => void;
  readonly #isServer: boolean;
  readonly #trace = new MessageTrace();
  readonly #notes: Notes;
  readonly #credentials: ShimCredential[];
  /** What the engine reported, to be handled when it is off the stack. */
  readonly #reports: (() => void)[] = [];
  #socket: Socket | undefined;
  #connection: Connection | undefined;
  #info: ConnectionInfo | undefined;
  #session: Session | undefined;
  #changes = 0;
  #startedFalsely = false;
  /** What was amiss when this side began to shut down. */
  #shutDownComplaint: Failure | undefined;
  /** Bytes of the greeting that went out. */
  #greeted = 0;
  #outcome: { failure: unknown } | undefined;
  #working = false;

  constructor(
    request: ExchangeRequest,
    resolve: (session: Session | undefined) => void,
    reject: (failure: unknown) => void,
  ) {
    this.#request = request;
    this.#flags = request.flags;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#isServer = request.flags.has('server');
    this.#credentials = loadCredentials(request.flags);
    const trace = this.#trace;
    this.#notes = {
      storedSession: false,
      verifierFlags: undefined,
      sawKeyMisuse: false,
      opened: undefined,
      complaints: [],
      get version() {
        return trace.version;
      },
    };
  }

  run(): void {
    const flags = this.#flags;
    const connection = this.#makeConnection();
    this.#connection = connection;
    const host = flags.has('ipv6') ? '::1' : '127.0.0.1';
    const socket = connect({ host, port: flags.number('port') ?? 0, allowHalfOpen: true, noDelay: true });
    this.#socket = socket;
    this.#request.signal.addEventListener('abort', () => socket.destroy(), { once: true });
    socket.on('connect', () => {
      this.#sendId(socket);
      this.#work(() => this.#start(connection));
    });
    socket.on('data', (chunk) => {
      for (const piece of flags.has('async') ? crumbs(chunk) : [chunk])
        this.#work(() => this.#receive(connection, piece));
    });
    socket.on('end', () => this.#work(() => connection.receiveEnd()));
    socket.on('error', () => this.#work(() => connection.receiveEnd()));
    socket.on('close', () => this.#settle());
  }

  #makeConnection(): Connection {
    const { shared, session } = this.#request;
    const flags = this.#flags;
    const common = { events: this.#events(), observer: this.#trace.observer, halfClose: true };
    if (this.#isServer)
      return serverConnection(
        serverConfig(serverOptions(flags, this.#credentials, shared, this.#notes)),
        common,
      );
    return clientConnection(clientConfig(clientOptions(flags, this.#credentials, shared, this.#notes)), {
      ...common,
      serverName: flags.text('host-name') ?? '',
      session,
      earlyData: flags.has('enable-early-data'),
    });
  }

  #events(): ConnectionEvents {
    const later = (report: () => void) => void this.#reports.push(report);
    return {
      secure: (info) => later(() => this.#secure(info)),
      falseStart: () => later(() => this.#startFalsely()),
      data: (bytes) => later(() => this.#answer(bytes)),
      earlyData: (bytes) => later(() => this.#answerEarly(bytes)),
      changed: () => later(() => this.#changes++),
      session: (session) => {
        this.#session = session;
      },
      end: () => later(() => this.#ended()),
      failed: (error) => later(() => this.#failed(error)),
      wake: () => this.#work(() => {}),
    };
  }

  /** Older runners know no numbers: then there is no such flag. */
  #sendId(socket: Socket): void {
    const id = this.#flags.text('shim-id');
    if (id === undefined) return;
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(BigInt(id));
    socket.write(bytes);
  }

  /** Calls the engine, hands on what it reported, and writes what it has to say. */
  #work(call: () => void): void {
    if (this.#outcome !== undefined || this.#working) {
      if (this.#working) this.#reports.push(call);
      return;
    }
    this.#working = true;
    try {
      call();
      for (let report = this.#reports.shift(); report !== undefined; report = this.#reports.shift()) {
        if (this.#outcome === undefined) report();
      }
    } catch (error) {
      this.#finish(error);
    } finally {
      this.#working = false;
      this.#flush();
      if (this.#outcome !== undefined) this.#socket?.end();
    }
  }

  #flush(): void {
    const bytes = this.#connection?.takeOutgoing();
    if (bytes !== undefined && this.#socket?.writable) this.#socket.write(bytes);
  }

  #start(connection: Connection): void {
    connection.start();
    const isEarly = connection.earlyDataLeft > 0;
    if (isEarly && this.#flags.has('expect-no-offer-early-data')) throw new Failure('early data was offered');
    // A server that takes early data shows no certificate.
    if (isEarly) this.#notes.verifierFlags = this.#request.retry;
    if (this.#flags.number('early-write-after-message') === undefined) this.#greetEarly(connection);
  }

  #receive(connection: Connection, bytes: Uint8Array): void {
    connection.receive(bytes);
    const due = this.#flags.number('early-write-after-message');
    if (due !== undefined && this.#greeted === 0 && this.#trace.received.has(due))
      this.#greetEarly(connection);
  }

  #greetEarly(connection: Connection): void {
    if (connection.earlyDataLeft > 0 && this.#flags.has('shim-writes-first')) {
      this.#greeted = Math.min(connection.earlyDataLeft, GREETING.length);
      connection.sendEarlyData(GREETING.subarray(0, this.#greeted));
    }
  }

  // After the handshake -----------------------------------------------------------------------------------------

  #secure(info: ConnectionInfo): void {
    this.#info = info;
    if (!this.#isServer && this.#flags.has('expect-reject-early-data')) {
      if (info.earlyData !== 'rejected') throw new Failure('early data was not refused');
      this.#flags = this.#request.retry;
      this.#greeted = 0;
    }
    if (this.#flags.has('handshake-never-done')) throw new Failure('the handshake was completed');
    if (this.#flags.has('false-start') && !this.#request.isResume && !this.#startedFalsely)
      throw new Failure('no false start took place');
    const complaint =
      this.#notes.complaints[0] ??
      complaintAbout(this.#flags, {
        info,
        isServer: this.#isServer,
        isResume: this.#request.isResume,
        credentials: this.#credentials,
        psks: loadPsks(this.#flags),
        hasSession: this.#isServer ? this.#notes.storedSession : this.#session !== undefined,
      });
    if (complaint !== undefined) throw new Failure(complaint);
    if (this.#flags.has('expect-key-usage-invalid') !== this.#notes.sawKeyMisuse)
      throw new Failure('the key usage is not as expected');
    this.#checkTicketAge();
    const isSecure = info.version === 'TLSv1.3' || this.#trace.knowsSecureRenegotiation;
    if (this.#flags.has('expect-secure-renegotiation') && !isSecure)
      throw new Failure('the peer does not know secure renegotiation');
    if (info.resumed && this.#flags.has('reverify-on-resume') && this.#flags.has('verify-fail')) {
      const code = this.#flags.has('use-custom-verify-callback')
        ? 'certificate-unknown'
        : 'client-certificate-missing';
      this.#connection!.abort(new TlsError(code, 'CERTIFICATE_VERIFY_FAILED'));
      return;
    }
    if (!this.#startedFalsely) this.#writeFirst(this.#connection!);
  }

  /** What can be checked is checked when the handshake is complete, which it must not be yet. */
  #startFalsely(): void {
    this.#startedFalsely = true;
    this.#writeFirst(this.#connection!);
  }

  /** What the client says of its ticket's age against what we see, in seconds. */
  #checkTicketAge(): void {
    const expected = this.#flags.number('expect-ticket-age-skew');
    const opened = this.#notes.opened;
    if (expected === undefined || opened === undefined) return;
    const { session, at } = opened;
    const stated = (this.#trace.obfuscatedTicketAge - session.ageAdd + 2 ** 32) % 2 ** 32;
    const skew = Math.trunc((stated - (at - session.createdAt)) / 1000);
    if (skew !== expected) throw new Failure(`the ticket's age is off by ${skew} s, not ${expected} s`);
  }

  #writeFirst(connection: Connection): void {
    const flags = this.#flags;
    const length = flags.number('export-keying-material') ?? 0;
    if (length > 0) connection.send(this.#exported(length));
    if (flags.has('export-traffic-secrets')) this.#sendTrafficSecrets(connection);
    if (flags.has('tls-unique')) connection.send(this.#tlsUnique());
    if (flags.has('send-alert')) {
      connection.abort(new TlsError('decompression-failure', 'an alert that was asked for'));
      return;
    }
    if (flags.has('write-different-record-sizes')) {
      for (const each of WRITE_LENGTHS) connection.send(Buffer.alloc(each, 0x42));
    } else {
      this.#greet();
    }
    if (flags.has('shim-shuts-down')) this.#shutDown(connection);
    else if (flags.has('key-update-before-read')) connection.updateKeys({ requestPeer: false });
  }

  #greet(): void {
    const wants = this.#flags.has('shim-writes-first') || this.#flags.has('read-with-unfinished-write');
    if (!wants || this.#greeted === GREETING.length) return;
    this.#connection!.send(GREETING.subarray(this.#greeted));
    this.#greeted = GREETING.length;
  }

  #exported(length: number): Uint8Array {
    const flags = this.#flags;
    const context = flags.has('use-export-context')
      ? Buffer.from(flags.text('export-context') ?? '')
      : undefined;
    return this.#connection!.exportKeyingMaterial(length, flags.text('export-label') ?? '', context);
  }

  /** First those that we read with, then those that we write with; their length before them, in two bytes. */
  #sendTrafficSecrets(connection: Connection): void {
    const client = this.#trace.secrets.get('CLIENT_TRAFFIC_SECRET_0')!;
    const server = this.#trace.secrets.get('SERVER_TRAFFIC_SECRET_0')!;
    const length = Buffer.alloc(2);
    length.writeUInt16LE(client.length);
    connection.send(length);
    for (const secret of this.#isServer ? [client, server] : [server, client]) connection.send(secret);
  }

  /** RFC 5929 §3.1: the first Finished of the handshake. */
  #tlsUnique(): Uint8Array {
    const { finished, resumed, extendedMasterSecret } = this.#info!;
    // Else the same value could stand for two connections (RFC 7627 §5.4).
    if (resumed && !extendedMasterSecret) throw new Failure('failed to get tls-unique');
    return this.#isServer === resumed ? finished.sent : finished.received;
  }

  #answerEarly(bytes: Uint8Array): void {
    this.#greet();
    this.#answer(bytes);
  }

  #answer(bytes: Uint8Array): void {
    const connection = this.#connection!;
    const length = this.#flags.number('read-size') ?? READ_LENGTH;
    for (let at = 0; at < bytes.length; at += length) {
      if (this.#flags.has('use-exporter-between-reads')) connection.exportKeyingMaterial(1, '');
      if (this.#flags.has('key-update')) connection.updateKeys({ requestPeer: false });
      connection.send(bytes.subarray(at, at + length).map((byte) => byte ^ 0xff));
      if (this.#flags.has('key-update-before-read')) connection.updateKeys({ requestPeer: false });
    }
  }

  // The end -----------------------------------------------------------------------------------------------------

  /** Without a check of close_notify, BoringSSL neither sends nor awaits one here. */
  #shutDown(connection: Connection): void {
    this.#shutDownComplaint = this.#complaintAtEnd();
    if (this.#flags.has('check-close-notify')) connection.close();
    else this.#finish(this.#shutDownComplaint);
  }

  #ended(): void {
    const connection = this.#connection!;
    if (this.#flags.has('check-close-notify') && !connection.isWriteClosed) connection.close();
    this.#finish(this.#flags.has('shim-shuts-down') ? this.#shutDownComplaint : this.#complaintAtEnd());
  }

  #failed(error: TlsError): void {
    if (this.#flags.has('send-alert') && error.code === 'decompression-failure') {
      this.#finish(undefined);
      return;
    }
    const isUnclean = error.code === 'truncated' && this.#info !== undefined;
    if (!isUnclean) this.#finish(this.#echRejection(error) ?? error);
    else if (this.#flags.has('check-close-notify'))
      this.#finish(new Failure('Unexpected SSL_shutdown result: -1 != 1: no close_notify came'));
    else this.#finish(this.#complaintAtEnd());
  }

  #echRejection(error: TlsError): Failure | undefined {
    const expected = this.#flags.bytes('expect-ech-retry-configs');
    if (expected === undefined && !this.#flags.has('expect-no-ech-retry-configs')) return undefined;
    if (error.code !== 'ech-rejected') return new Failure(`ECH was not rejected: ${error.message}`);
    return sameBytes(expected, error.retryConfigs)
      ? undefined
      : new Failure('the configurations to try again with are not as expected');
  }

  #complaintAtEnd(): Failure | undefined {
    const flags = this.#flags;
    const info = this.#info!;
    if (!this.#isServer && info.version === 'TLSv1.3') {
      const expected = !flags.has('expect-no-session') && !flags.has('shim-shuts-down');
      if (expected !== (this.#session !== undefined))
        return new Failure(`a new session ${expected ? 'was expected' : 'was not expected'}`);
      const takesEarly = (this.#session?.maxEarlyData ?? 0) > 0;
      if (expected && takesEarly !== flags.has('expect-ticket-supports-early-data'))
        return new Failure(`the new session takes ${takesEarly ? '' : 'no '}early data`);
    }
    const isAcross = this.#session?.acrossNames === true;
    if (flags.has(isAcross ? 'expect-not-resumable-across-names' : 'expect-resumable-across-names'))
      return new Failure(`the new session is ${isAcross ? '' : 'not '}good for other names`);
    const renegotiations = flags.number('expect-total-renegotiations') ?? 0;
    if (this.#changes !== renegotiations) return new Failure(`${this.#changes} renegotiations`);
    const trace = flags.text('expect-msg-callback') ?? '';
    if (trace !== '' && trace !== this.#trace.text)
      return new Failure(`messages: expected\n${trace}got\n${this.#trace.text}`);
    return undefined;
  }

  #finish(failure: unknown): void {
    this.#outcome ??= { failure };
  }

  /** The runner has closed its side, too: it has read what was sent. */
  #settle(): void {
    const { failure } = this.#outcome ?? { failure: new Failure('the runner went away') };
    if (failure === undefined) this.#resolve(this.#session);
    else this.#reject(failure);
  }
}

/** What comes from a slow network: byte by byte, or in odd pieces where that would take too long. */
function* crumbs(chunk: Uint8Array): Generator<Uint8Array> {
  const length = chunk.length > 2048 ? 97 : 1;
  for (let at = 0; at < chunk.length; at += length) yield chunk.subarray(at, at + length);
}
