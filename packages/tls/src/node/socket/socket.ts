import type { X509Certificate } from 'node:crypto';
import { type Server as NetServer, Socket } from 'node:net';
import { addAbortSignal, type Duplex, PassThrough } from 'node:stream';
import type {
  CipherNameAndProtocol,
  DetailedPeerCertificate,
  EphemeralKeyInfo,
  SecureContext as NodesContext,
  TLSSocket as NodeTlsSocket,
  PeerCertificate,
} from 'node:tls';
import type { Credential } from '../../certificates/credential.ts';
import type { Connection } from '../../connection/connection.ts';
import type { ConnectionInfo } from '../../handshake/result.ts';
import type { SecureContextOptions } from '../context/context-options.ts';
import { contextFrom, type SecureContext } from '../context/secure-context.ts';
import { checkInt32, checkObject, checkString, wrongType } from '../errors/arguments.ts';
import { handshakeTimeout, nodeError } from '../errors/errors.ts';
import { isBetweenMessages } from '../transport/framing.ts';
import type { Link } from '../transport/link.ts';
import type { Chunk, WriteCallback } from '../transport/outbox.ts';
import type { TLSSocketOptions } from '../types.ts';
import { setConnecting } from './configured-socket.ts';
import { ConnectionSession } from './connection-session.ts';
import { guardErrors, noteError, releaseControl, tellError } from './error-control.ts';
import { SocketFacts } from './facts.ts';
import { HandshakeSide } from './handshake-side.ts';
import { HandshakeStart } from './handshake-start.ts';
import { askPeer, type HeartbeatOptions } from './heartbeat.ts';
import { posesAsNodes } from './http2-wrapper-probe.ts';
import { Incoming } from './incoming.ts';
import { LinkEvents } from './link-events.ts';
import { installNetworkProperties } from './network-properties.ts';
import { NodeSocket } from './node-socket.ts';
import { connectTransport } from './own-transport.ts';
import { type RenegotiateOptions, type RenegotiationCallback, renegotiate } from './renegotiation.ts';
import { type SslView, sslView } from './ssl-view.ts';
import { staysHalfOpen, streamOptions } from './stream-options.ts';
import { wantsTrace } from './trace.ts';
import { Traffic } from './traffic.ts';

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
export class TLSSocket extends NodeSocket {
  /** Not documented in Node, but looked at by libraries: whether its errors are those of whoever has it. */
  _controlReleased = false;
  /** Whether the peer's certificate was verified and, for a server's, is for the wanted name. */
  override authorized = false;
  /** Why the peer is not authorized: the error's code, as in Node. Null when it is, or nothing was asked. */
  override authorizationError: NodeTlsSocket['authorizationError'] = null as never;
  /** @internal What the verifier found wrong with the peer's certificate. */
  _peerError: Error | undefined;
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
  readonly #facts: SocketFacts = new SocketFacts(this);
  readonly #session: ConnectionSession = new ConnectionSession(this);
  readonly #traffic: Traffic = new Traffic(this);
  readonly #incoming: Incoming;
  readonly #side: HandshakeSide;
  readonly #start: HandshakeStart;
  readonly #link: Link;
  #ssl: SslView | null | undefined;
  readonly #ownsTransport: boolean;

  /** @param transport any connected or connecting Duplex, usually a net.Socket; none for one to `connect` later. */
  constructor(transport?: Duplex | null, options: TLSSocketOptions = {}) {
    super(streamOptions(transport, options));
    this.allowHalfOpen = staysHalfOpen(transport, options);
    guardErrors(this);
    const below = transport ?? new Socket();
    this.#ownsTransport = below !== transport;
    this._tlsOptions = options;
    this.#incoming = new Incoming(this, this.#traffic, options.onread);
    const traces = wantsTrace(options.enableTrace);
    this.#side = new HandshakeSide(this);
    if (traces) this.enableTrace();
    (this as { server: unknown }).server = options.server ?? null;
    if (options.session) this.setSession(options.session);
    this.#start = new HandshakeStart(this, this.#side, this.#session);
    const isOwn = this.#ownsTransport || options.ownsTransport === true;
    const parts = {
      facts: this.#facts,
      session: this.#session,
      side: this.#side,
      start: this.#start,
      incoming: this.#incoming,
    };
    this.#link = new LinkEvents(this, parts, below, isOwn).link;
    if (below instanceof Socket && (!isOwn || options.isServer))
      (this as { _parent?: Socket })._parent = below;
    if (transport instanceof PassThrough && posesAsNodes(this)) return;
    // Not by the base class: a signal that is aborted already would call `destroy` before the fields are there.
    if (options.signal) addAbortSignal(options.signal, this);
    this.#start.take(this.#link, !this.#ownsTransport);
  }

  // Before the handshake ------------------------------------------------------------------------------------------

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
    const again = (): Connection => this.#side.connection(this.#link, this.#session);
    this.#side.show(contextFrom(context), () => this.#link.replace(again));
  }

  /** The session to resume; before the handshake starts. What is no session of ours is ignored. */
  setSession(session: Buffer | string): void {
    this.#session.set(session);
  }

  /** Writes records and messages to stderr; before the handshake starts, so best the option of the same name. */
  override enableTrace(): void {
    this.#side.trace();
  }

  /**
   * Begins the handshake, if it has not begun. As in Node, a client that nobody made by `connect` waits for this, or for the
   * first bytes that are written, or that come.
   */
  _start(): void {
    this.#start.begin(this.#link);
  }

  /** @internal A server's deadline for the handshake, in milliseconds. */
  _setHandshakeTimeout(milliseconds: number): void {
    this.#start.setDeadline(milliseconds);
  }

  /** The handshake has taken too long. */
  _handleTimeout(): void {
    this.destroy(handshakeTimeout());
  }

  // What was agreed on --------------------------------------------------------------------------------------------

  /** Everything both sides agreed on; undefined until the handshake is complete. Not in `node:tls`. */
  get connectionInfo(): ConnectionInfo | undefined {
    return this.#facts.info;
  }

  /** Null before the handshake is complete, and when the socket is destroyed. */
  override getProtocol(): string | null {
    return this.#facts.protocol();
  }

  /** Null when the socket is destroyed, though Node's types do not say so. */
  override getCipher(): CipherNameAndProtocol {
    return this.#facts.cipher();
  }

  /** The group of the key exchange; empty on a server, as in Node, and null before the handshake is complete. */
  override getEphemeralKeyInfo(): EphemeralKeyInfo | object | null {
    return this.#facts.ephemeralKey();
  }

  override getPeerCertificate(detailed: true): DetailedPeerCertificate;
  override getPeerCertificate(detailed?: false): PeerCertificate;
  override getPeerCertificate(detailed?: boolean): PeerCertificate | DetailedPeerCertificate {
    return this.#facts.peerCertificate(detailed === true);
  }

  override getPeerX509Certificate(): X509Certificate | undefined {
    return this.#facts.peerX509();
  }

  override getCertificate(): PeerCertificate | object | null {
    return this.#facts.certificate();
  }

  override getX509Certificate(): X509Certificate | undefined {
    return this.#facts.x509();
  }

  /** verify_data of the Finished that this side sent last; undefined before that. */
  override getFinished(): Buffer<ArrayBuffer> | undefined {
    return this.#facts.finished('sent');
  }

  override getPeerFinished(): Buffer<ArrayBuffer> | undefined {
    return this.#facts.finished('received');
  }

  /**
   * Signature algorithms that both sides take, by this side's preference, as `RSA-PSS+SHA256`; on a client, those
   * that the server would take of its certificate.
   */
  override getSharedSigalgs(): string[] {
    return this.#facts.sharedSignatureAlgorithms(this.#side.signatureSchemes);
  }

  /**
   * Keying material for another protocol (RFC 5705); `length` in bytes. Throws `ERR_TLS_INVALID_STATE`;
   * `export-refused` up to TLS 1.2 with a peer that has no extended master secret (RFC 7627 §5.4).
   */
  override exportKeyingMaterial(length: number, label: string, context?: Uint8Array): Buffer<ArrayBuffer> {
    return this.#facts.exportKeyingMaterial(length, label, context);
  }

  override isSessionReused(): boolean {
    return this.#facts.isSessionReused();
  }

  /**
   * A client's session for the option `session` of a later connection: the one that was resumed, or a newer one that the
   * server gave. With TLS 1.3, better wait for 'session'. A server's is a name for the connection and of no use.
   */
  override getSession(): Buffer<ArrayBuffer> | undefined {
    return this.#session.bytes();
  }

  override getTLSTicket(): Buffer<ArrayBuffer> | undefined {
    return this.#session.ticket();
  }

  /** What programs ask of OpenSSL's object in Node, which it has here in its place; null when the socket is destroyed. */
  get ssl(): SslView | null {
    if (this.destroyed) return null;
    if (this.#ssl === undefined) this.#ssl = sslView(this);
    return this.#ssl;
  }

  /** Node's gives OpenSSL's object up; what is to be said to the peer is said by `destroy`. */
  _destroySSL(): void {
    this.#ssl = null;
  }

  // What TLS 1.3 no longer has ------------------------------------------------------------------------------------

  /** A server: a renegotiation ends the connection from now on with `ERR_TLS_RENEGOTIATION_DISABLED`. */
  override disableRenegotiation(): void {
    this.#side.barRenegotiation();
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

  // The network: goes to the transport, which need not be a socket ---------------------------------------------------

  /** The stream below: a net.Socket, or whatever the constructor was given. Not in `node:tls`. */
  get transport(): Duplex {
    return this.#link.base;
  }

  /** Connects the transport of a socket that was made without one, as `net.Socket.connect`. */
  override connect(...args: readonly unknown[]): this {
    connectTransport(this, this.#ownsTransport, args);
    return this;
  }

  override setNoDelay(enable?: boolean): this {
    (this.transport as Partial<Socket>).setNoDelay?.(enable);
    return this;
  }

  /** Node 26 takes an object, too, and more numbers. */
  override setKeepAlive(enable?: boolean | object, initialDelay?: number, ...more: number[]): this {
    const set = (this.transport as { setKeepAlive?: (...all: unknown[]) => void }).setKeepAlive;
    set?.call(this.transport, enable, initialDelay, ...more);
    return this;
  }

  override ref(): this {
    (this.transport as Partial<Socket>).ref?.();
    return this;
  }

  override unref(): this {
    (this.transport as Partial<Socket>).unref?.();
    return this;
  }

  /** Closes with a TCP reset where the transport can. */
  override resetAndDestroy(): this {
    (this.transport as Partial<Socket>).resetAndDestroy?.();
    return this.destroy();
  }

  // Errors ----------------------------------------------------------------------------------------------------------

  /** The error is the caller's from now on. False when it was already. */
  _releaseControl(): boolean {
    return releaseControl(this);
  }

  /** Null when nobody has to hear of it. */
  _tlsError(error: Error): Error | null {
    return noteError(this, error);
  }

  /** Tells an error that does not end the socket by itself. */
  _emitTLSError(error: Error): void {
    tellError(this, error);
  }

  // For the parts of the door -----------------------------------------------------------------------------------------

  /** @internal */
  get _connection(): Connection | undefined {
    return this.#link.connection;
  }

  /** @internal */
  get _isServer(): boolean {
    return this._tlsOptions.isServer === true;
  }

  /** @internal Bytes of application data, for `bytesRead` and `bytesWritten`. */
  get _traffic(): { readonly read: number; readonly written: number } {
    return this.#traffic;
  }

  /** @internal For TLS in TLS: see {@link privateStream}. */
  _takeIncoming(): Duplex {
    return this.#incoming.divert(this.#link);
  }

  // Stream hooks ------------------------------------------------------------------------------------------------

  override _read(): void {
    if (this.#incoming.isStreamed) this.#link.resume();
  }

  override pause(): this {
    this.#incoming.pause();
    return super.pause();
  }

  override resume(): this {
    if (this.#incoming.resume()) this.#link.resume();
    return super.resume();
  }

  override _write(chunk: Uint8Array | string, encoding: BufferEncoding, callback: WriteCallback): void {
    this.#traffic.sent(chunk, encoding);
    this.#link.write(chunk, encoding, callback);
    if (!this.#start.isBegun) this._start();
  }

  override _writev(chunks: Chunk[], callback: WriteCallback): void {
    this.#traffic.sentAll(chunks);
    this.#link.writev(chunks, callback);
    if (!this.#start.isBegun) this._start();
  }

  override _final(callback: WriteCallback): void {
    if (this._isServer || this.#start.isBegun) this.#link.finish(callback);
    else if (this.connecting) this.once('connect', () => this.#link.endUnbegun(callback));
    else this.#link.endUnbegun(callback);
  }

  override destroy(error?: Error): this {
    // net.Socket clears its timer in `_destroy`, which is replaced here.
    if (!this.destroyed && this.timeout) super.setTimeout(0);
    return super.destroy(error);
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#start.clearDeadline();
    const hadError = error !== null && error !== undefined;
    setConnecting(this, false);
    const { info } = this.#facts;
    // Whoever hears that a handshake failed wants to know for whom it was.
    if (info === undefined) this.servername = this._connection?.requestedName ?? this.servername;
    const isAll = !hadError && info !== undefined && isBetweenMessages(this);
    this.#link.whenClosed(() => this.emit('close', hadError));
    this.#link.close(error ?? undefined, isAll);
    callback(error);
  }
}

installNetworkProperties(TLSSocket.prototype);
