import { type Server as NetServer, Socket } from 'node:net';
import { addAbortSignal, type Duplex, PassThrough } from 'node:stream';
import type { SecureContext as NodesContext } from 'node:tls';
import type { Credential } from '../../certificates/credential.ts';
import type { CertificateVerifier } from '../../certificates/verdict.ts';
import type { Connection } from '../../connection/connection.ts';
import { TlsError } from '../../errors.ts';
import type { ConnectionInfo } from '../../handshake/result.ts';
import { type Observer, observers } from '../../observer.ts';
import { declined } from '../../tls12/renegotiation.ts';
import type { SecureContextOptions } from '../context/context-options.ts';
import {
  contextFrom,
  contextOf,
  type SecureContext,
  sharedSecureContext,
} from '../context/secure-context.ts';
import { type Strictness, strictnessOf } from '../context/strictness.ts';
import { checkInt32, checkObject, checkString, wrongType } from '../errors/arguments.ts';
import { connectionReset, nodeError, toNodeError } from '../errors/errors.ts';
import { isOfUser, userError } from '../errors/user-error.ts';
import { setupOf, withCredentials } from '../server/server-setup.ts';
import { endInHttp, isBetweenMessages } from '../transport/framing.ts';
import { Link, type LinkOwner } from '../transport/link.ts';
import type { Chunk, WriteCallback } from '../transport/outbox.ts';
import { StackedStream } from '../transport/stacked-stream.ts';
import type { ServerSetup, TLSSocketOptions } from '../types.ts';
import { type BufferReader, bufferReaderFor } from './buffer-reader.ts';
import * as describe from './connection-details.ts';
import { SessionSocket } from './connection-session.ts';
import { clientSide, earlyBytes, serverSide } from './handshake-side.ts';
import { askPeer, type HeartbeatOptions } from './heartbeat.ts';
import { posesAsNodes } from './http2-wrapper-probe.ts';
import { keyLogObserver } from './key-log.ts';
import { installNetworkProperties } from './network-properties.ts';
import {
  type RenegotiateOptions,
  type RenegotiationCallback,
  renegotiate,
  renegotiationDisabled,
} from './renegotiation.ts';
import { socketOptions } from './stream-options.ts';
import { traceObserver, wantsTrace } from './trace.ts';

/**
 * A TLS connection with the API of `tls.TLSSocket`.
 *
 * It extends net.Socket, since that is what `node:http` and much else look for, but has no handle of its own: the
 * stream's hooks (`_read`, `_write`, `_writev`, `_final`, `_destroy`) go to a {@link Link}, and what concerns the
 * network (addresses, `setNoDelay`, `ref` and so on) to the transport, which may be any Duplex. Node's own code
 * treats a missing handle as "not a native stream" everywhere and then uses the public stream interface. The other
 * ways were worse: a Duplex that poses as a socket fails the first check that is not `instanceof`, and a handle
 * written in JavaScript must keep up with internals of each Node version.
 *
 * Differences from `node:tls`, all for safety: a transport that ends without close_notify is told by 'truncated', and with `strict` an error;
 * `destroy()` sends no close_notify, so that nobody takes what was sent so far for the whole (but over HTTP between two
 * messages, where that cannot be); `end()` does.
 */
export class TLSSocket extends SessionSocket implements LinkOwner {
  /** Always true: tells it from a plain net.Socket. */
  override readonly encrypted: true = true;
  /** The application protocol; false when none was agreed on, null before the handshake is complete. */
  override alpnProtocol: string | false | null = null;
  /** The name in SNI; false when there was none, null before the handshake is complete. */
  override servername: string | false | null = null;
  /** True until 'secureConnect', or a server's 'secureConnection'. */
  secureConnecting = true;
  /** Whether the transport ended without close_notify, so that data may be missing at the end. Not in `node:tls`. */
  truncated = false;
  declare readonly server: NetServer | null;
  /** @internal */
  _tlsOptions: TLSSocketOptions;
  /** @internal A server's, since `setKeyCert`. */
  _shown: readonly Credential[] | undefined;
  #link: Link;
  #signatureSchemes: readonly number[] = [];
  #bytesRead = 0;
  #bytesWritten = 0;
  #hadError = false;
  #info: ConnectionInfo | undefined;
  #setup: ServerSetup | undefined;
  #context: SecureContext | undefined;
  #reader: BufferReader | undefined;
  #stacked: StackedStream | undefined;
  #trace: Observer | undefined;
  #takesRenegotiation = true;
  /** For its transport to be connected. */
  #isWaiting = false;
  /** A client's handshake has begun, or does when the transport is connected. */
  #isBegun = false;
  #verify: CertificateVerifier | undefined;
  readonly #strictness: Strictness;
  readonly #ownsTransport: boolean;

  /** @param transport any connected or connecting Duplex, usually a net.Socket; none for one to `connect` later. */
  constructor(transport?: Duplex | null, options: TLSSocketOptions = {}) {
    super(socketOptions(transport, options));
    this._guardErrors();
    const below = transport ?? new Socket({ allowHalfOpen: true });
    this.#ownsTransport = below !== transport;
    this._tlsOptions = options;
    this.#isBegun = options.begins === true;
    this.#reader = bufferReaderFor(options.onread);
    if (wantsTrace(options.enableTrace)) this.enableTrace();
    (this as { server: unknown }).server = options.server ?? null;
    if (options.session) this.setSession(options.session);
    const isOwn = this.#ownsTransport || options.ownsTransport === true;
    this.#link = new Link(below, this, isOwn);
    if (!isOwn && below instanceof Socket) (this as { _parent?: Socket })._parent = below;
    if (options.isServer) this.#setup = options.settings ?? setupOf(options);
    else this.#context = contextOf(options, sharedSecureContext);
    this.#strictness = (this.#context ?? this.#setup)?.strictness ?? strictnessOf(options.strict);
    if (transport instanceof PassThrough && posesAsNodes(this)) return;
    // Not by the base class: a signal that is aborted already would call `destroy` before the fields are there.
    if (options.signal) addAbortSignal(options.signal, this);
    // A socket that nobody told to connect yet is waited for, too.
    if (below instanceof Socket && below.pending && !below.destroyed) {
      this.#setConnecting(!this.#ownsTransport);
      this.#isWaiting = true;
      below.once('connect', () => this.#onConnect());
      return;
    }
    this.#link.take();
    if (options.isServer) this.#start();
    // The caller still has listeners to add, and may set a session or a name.
    else if (options.begins === true) process.nextTick(() => this.#start());
    else process.nextTick(listenTo, this.#link);
  }

  /** The name for SNI; before the handshake starts. */
  setServername(name: string): void {
    checkString('name', name);
    if (this._isServer) {
      throw nodeError('ERR_TLS_SNI_FROM_SERVER', 'Cannot issue SNI from a TLS server-side socket');
    }
    this._tlsOptions = { ...this._tlsOptions, servername: name };
  }

  /** Shows another certificate; before the handshake has begun, or in `ALPNCallback`. */
  override setKeyCert(context: SecureContext | NodesContext | SecureContextOptions): void {
    const secureContext = contextFrom(context);
    if (!this._isServer) {
      this.#context = secureContext;
      return;
    }
    this._shown = secureContext.credentials;
    this.#setup = withCredentials(this.#setup!, secureContext.credentials);
    this.#link.replace(() => this.#side());
  }

  // What TLS 1.3 no longer has ------------------------------------------------------------------------------------

  /** A server: a renegotiation ends the connection from now on with `ERR_TLS_RENEGOTIATION_DISABLED`. */
  override disableRenegotiation(): void {
    this.#takesRenegotiation = false;
    if (this._connection !== undefined) this.#barRenegotiation(this._connection);
  }

  #barRenegotiation(connection: Connection): void {
    if (!this._isServer) return;
    connection.barRenegotiation(userError('disableRenegotiation', renegotiationDisabled()));
  }

  /**
   * TLS 1.0 to 1.2: negotiates anew; a server with `requestCert` asks for the client's certificate, in TLS 1.3 with
   * `postHandshakeAuth`. The callback is called with null when 'secure' was emitted again, or with why it cannot begin:
   * `ERR_SSL_WRONG_SSL_VERSION` for TLS 1.3, `ERR_TLS_RENEGOTIATION_DISABLED` where `strict` or an option has it off.
   */
  override renegotiate(options: RenegotiateOptions, callback?: RenegotiationCallback): boolean {
    checkObject('options', options);
    if (callback !== undefined && typeof callback !== 'function')
      throw wrongType('callback', 'of type function', callback);
    if (this.destroyed) return undefined as never;
    return renegotiate(this, options, callback, () => this.#link.flush());
  }

  // How it goes on the wire ---------------------------------------------------------------------------------------

  /** Most plaintext bytes in a record from now on, 512 to 16,384: false for anything else. */
  override setMaxSendFragment(size: number): boolean {
    checkInt32('size', size);
    if (size < 512 || size > 16_384) return false;
    this.#link.limitFragments(size);
    return true;
  }

  /**
   * Asks the peer for a sign of life (RFC 6520): the round trip in milliseconds. Both sides need the option `heartbeat`.
   * Rejects with the engine's `not-connected` where there are none, `ETIMEDOUT`, or `ECONNRESET`.
   */
  heartbeat(options: HeartbeatOptions = {}): Promise<number> {
    return askPeer(this, () => this.#link.flush(), options);
  }

  /** Writes records and messages to stderr; before the handshake starts, so best the option of the same name. */
  override enableTrace(): void {
    this.#trace ??= traceObserver();
  }

  /**
   * Begins the handshake, if it has not begun. As in Node, a client that nobody made by `connect` waits for this, or for the
   * first bytes that are written, or that come.
   */
  _start(): void {
    this.#isBegun = true;
    if (!this.#isWaiting) this.#start();
  }

  /** Connects the transport of a socket that was made without one, as `net.Socket.connect`. */
  override connect(...args: readonly unknown[]): this {
    const { transport } = this;
    if (!this.#ownsTransport || !(transport instanceof Socket)) {
      throw nodeError(
        'ERR_SOCKET_ALREADY_CONNECTED',
        'this socket already has a transport: use connect() to make another',
      );
    }
    const [options] = args as [Partial<TLSSocketOptions>?];
    if (typeof options === 'object' && options !== null) {
      const { host, servername, port, path } = options;
      this._tlsOptions = { host, servername, port, path, ...this._tlsOptions };
    }
    const listener = args.at(-1);
    if (typeof listener === 'function') this.once('connect', listener as () => void);
    const rest = typeof listener === 'function' ? args.slice(0, -1) : args;
    // The transport ends when we say so.
    (transport.connect as (...args: readonly unknown[]) => void)(...rest);
    return this;
  }

  override get transport(): Duplex {
    return this.#link.base;
  }

  override get _traffic(): { readonly read: number; readonly written: number } {
    return { read: this.#bytesRead, written: this.#bytesWritten };
  }

  override get connectionInfo(): ConnectionInfo | undefined {
    return this.#info;
  }

  override get _connection(): Connection | undefined {
    return this.#link.connection;
  }

  override get _isServer(): boolean {
    return this._tlsOptions.isServer === true;
  }

  override get _signatureSchemes(): { readonly ours: readonly number[]; readonly theirs: readonly number[] } {
    const ours = this.#signatureSchemes;
    const { peerSignatureSchemes } = (this.#info ?? {}) as { peerSignatureSchemes?: readonly number[] };
    return { ours, theirs: peerSignatureSchemes ?? ours };
  }

  // Stream hooks ------------------------------------------------------------------------------------------------

  override _read(): void {
    if (this.#reader === undefined && this.#stacked === undefined) this.#link.resume();
  }

  override pause(): this {
    this.#reader?.pause();
    return super.pause();
  }

  override resume(): this {
    if (this.#reader?.resume()) this.#link.resume();
    return super.resume();
  }

  override _write(chunk: Uint8Array | string, encoding: BufferEncoding, callback: WriteCallback): void {
    this.#bytesWritten += typeof chunk === 'string' ? Buffer.byteLength(chunk, encoding) : chunk.length;
    this.#touch();
    this.#link.write(chunk, encoding, callback);
    if (!this.#isBegun) this._start();
  }

  override _writev(chunks: Chunk[], callback: WriteCallback): void {
    for (const { chunk, encoding } of chunks) {
      this.#bytesWritten += typeof chunk === 'string' ? Buffer.byteLength(chunk, encoding) : chunk.length;
    }
    this.#touch();
    this.#link.writev(chunks, callback);
    if (!this.#isBegun) this._start();
  }

  override _final(callback: WriteCallback): void {
    if (this._isServer || this.#isBegun) this.#link.finish(callback);
    else if (this.connecting) this.once('connect', () => this.#link.endUnbegun(callback));
    else this.#link.endUnbegun(callback);
  }

  override destroy(error?: Error): this {
    // net.Socket clears its timer in `_destroy`, which is replaced here.
    if (!this.destroyed && this.timeout) super.setTimeout(0);
    return super.destroy(error);
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.stopHandshakeTimer();
    this.#hadError = error !== null && error !== undefined;
    this.#setConnecting(false);
    // Whoever hears that a handshake failed wants to know for whom it was.
    if (this.#info === undefined) this.servername = this._connection?.requestedName ?? this.servername;
    const isAll = !this.#hadError && this.#info !== undefined && isBetweenMessages(this);
    this.#link.whenClosed(() => this.emit('close', this.#hadError));
    this.#link.close(error ?? undefined, isAll);
    callback(error);
  }

  /** @internal For TLS in TLS: see {@link privateStream}. */
  _takeIncoming(): Duplex {
    this.#stacked ??= new StackedStream(this, () => this.#link.resume());
    return this.#stacked;
  }

  // From the link -----------------------------------------------------------------------------------------------

  /** @internal */
  onSecure(info: ConnectionInfo): void {
    this.stopHandshakeTimer();
    this.#info = info;
    this._settleSession(info);
    this.alpnProtocol = info.alpnProtocol ?? false;
    this.servername = info.serverName ?? false;
    this.#judge(info);
    if (this._tlsOptions.requestOCSP) this.#tellOfStaple(info);
    if (!this.destroyed) this.emit('secure');
  }

  /** Whoever does not like the response ends the connection before the server hears that it is secure. */
  #tellOfStaple({ version, resumed, ocspResponse }: ConnectionInfo): void {
    // As OpenSSL, which looks for one in TLS 1.3 in any case.
    if (resumed && version !== 'TLSv1.3') return;
    this.#link.withhold(() => this.emit('OCSPResponse', describe.buffer(ocspResponse) ?? null));
  }

  /** @internal Renegotiated, or the client has shown its certificate. */
  onChanged(info: ConnectionInfo): void {
    this.#info = info;
    this.#judge(info);
    this.emit('secure');
  }

  /** @internal */
  onRenegotiationDeclined(): void {
    this._connection?.abort(declined());
  }

  /** @internal */
  onData(bytes: Uint8Array): boolean {
    this.#bytesRead += bytes.length;
    this.#touch();
    if (this.#stacked !== undefined) return this.#stacked.push(bytes);
    return this.#reader === undefined ? this.push(bytes) : this.#reader.deliver(bytes);
  }

  /** @internal */
  onEnd(): void {
    if (this.#stacked !== undefined) {
      this.#stacked.push(null);
      return;
    }
    this.push(null);
    // Nobody may be reading: then 'end' would never come, and the socket would stay.
    if (this.readableLength === 0) this.read(0);
  }

  /** @internal */
  onFailure(error: TlsError): void {
    // Neither does an attacker.
    if (isOfUser(error) || error.code === 'too-many-renegotiations') this._connection?.takeOutgoing();
    if (error.code !== 'truncated') this.destroy(toNodeError(error, this.#link.isAwaited));
    else if (this.#info === undefined) this.#onHangUp(error);
    else this.onTruncation(error);
  }

  /** @internal */
  get toleratesTruncation(): boolean {
    return !this.#strictness.closeNotify;
  }

  /** @internal The end came without close_notify. Who knows better whether something is missing is left to find out. */
  onTruncation(cause?: TlsError): void {
    const failure = this.#truncate(cause);
    if (failure !== undefined) this.destroy(failure);
    else if (!this.destroyed) this.onEnd();
  }

  #truncate(
    cause: TlsError = new TlsError('truncated', 'the peer ended the connection without close_notify'),
  ): Error | undefined {
    const error = toNodeError(cause);
    this.truncated = true;
    this.emit('truncated', error);
    if (this.destroyed) return undefined;
    const end = endInHttp(this, error) ?? (this.#strictness.closeNotify ? 'incomplete' : 'told');
    return end === 'told' ? undefined : error;
  }

  /** @internal */
  onTransportError(error: Error): void {
    // A reset after both close_notify costs nothing; what came before it may still be read.
    if (!this.#link.isOver) this.destroy(error);
  }

  /** @internal */
  onBaseError(error: Error): void {
    if (!this.destroyed && !this.#link.isOver) this._emitTLSError(error);
  }

  /** @internal The program has closed what is below: that is no error, but the engine knows whether something is missing. */
  onBaseClose(): void {
    const isCut = this.#info !== undefined && !this.destroyed && !this.#link.isReadOver;
    this.destroy(isCut ? this.#truncate() : undefined);
  }

  #setConnecting(connecting: boolean): void {
    (this as { connecting: boolean }).connecting = connecting;
  }

  #onConnect(): void {
    this.#setConnecting(false);
    this.#link.take();
    this.emit('connect');
    this.emit('ready');
    this.#isWaiting = false;
    if (this._isServer || this.#isBegun) this.#start();
    else this.#link.listen();
  }

  #start(): void {
    if (this.destroyed || this.#link.connection !== undefined) return;
    // Closed long ago, or it will say so in this turn of the loop.
    if (this.transport.destroyed) setImmediate(setImmediate, () => this.destroy(this.#reset()));
    try {
      this.#link.start(this.#side(), earlyBytes(this._tlsOptions));
      // As Node: from now on data goes to a listener at once, so that one that takes the socket away gets no more.
      if (!this.destroyed) this.read(0);
    } catch (error) {
      // Nobody called who could catch it.
      if (!(error instanceof TlsError)) throw error;
      this.destroy(toNodeError(error));
    }
  }

  #side(): Connection {
    const observer = keyLogObserver(this, observers(this._tlsOptions.observer, this.#trace));
    const session = this._offerSession();
    const { connection, signatureSchemes, verify } = this._isServer
      ? serverSide(this, this.#setup!, this.#link, observer)
      : clientSide(this._tlsOptions, this.#context!, this.#link, { observer, session });
    this.#signatureSchemes = signatureSchemes;
    this.#verify = verify;
    if (!this.#takesRenegotiation) this.#barRenegotiation(connection);
    return connection;
  }

  #judge(info: ConnectionInfo): void {
    const isJudged = this.#strictness.verdictInHandshake;
    this.authorize(info, this.#verify, { name: this._tlsOptions.identity, isJudged });
  }

  /** The peer ended the connection before the handshake was complete. Who took the socket over hears that it is an error. */
  #onHangUp(cause: TlsError): void {
    this.prependOnceListener('end', () => {
      this.destroy(this._controlReleased ? this.#reset(cause) : undefined);
    });
    this.onEnd();
  }

  #reset(cause?: unknown): Error {
    const { isServer, host, port, path, localAddress } = this._tlsOptions;
    if (isServer) return connectionReset('server', cause);
    return Object.assign(connectionReset('client', cause), { path, host, port, localAddress });
  }

  #touch(): void {
    if (this.timeout) (this as unknown as { _unrefTimer(): void })._unrefTimer();
  }
}

function listenTo(link: Link): void {
  link.listen();
}

installNetworkProperties(TLSSocket.prototype);
