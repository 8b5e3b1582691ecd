import type { X509Certificate } from 'node:crypto';
import { isIP, Socket, type SocketConstructorOpts } from 'node:net';
import { addAbortSignal, type Duplex } from 'node:stream';
import type {
  CipherNameAndProtocol,
  DetailedPeerCertificate,
  EphemeralKeyInfo,
  PeerCertificate,
} from 'node:tls';
import type { Connection } from '../connection.ts';
import { clientConnection, serverConnection } from '../endpoint.ts';
import type { TlsError } from '../errors.ts';
import type { ConnectionInfo } from '../handshake/result.ts';
import type { Observer } from '../observer.ts';
import type { Session } from '../sessions/session.ts';
import { readProtocols } from './alpn.ts';
import * as describe from './connection-details.ts';
import {
  connectionReset,
  handshakeTimeout,
  invalidState,
  nodeError,
  toNodeError,
  unsupportedOption,
} from './errors.ts';
import { checkServerIdentity } from './identity.ts';
import { keyLogObserver } from './key-log.ts';
import { emitsClose, Link, type LinkOwner } from './link.ts';
import { installNetworkProperties } from './network-properties.ts';
import type { Chunk, WriteCallback } from './outbox.ts';
import { contextOf, type SecureContext, sharedSecureContext } from './secure-context.ts';
import { type ServerSettings, settingsOf } from './server-settings.ts';
import { sessionFromBuffer, sessionToBuffer } from './sessions.ts';
import type { TLSSocketOptions } from './types.ts';

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
 * Differences from `node:tls`, all for safety: a certificate is judged before the handshake ends, so that a server
 * sees the alert; a transport that ends without close_notify is an error (`ERR_TESTUDO_TRUNCATED`), never 'end';
 * `destroy()` sends no close_notify, so that nobody takes what was sent so far for the whole; `end()` does.
 */
export class TLSSocket extends Socket implements LinkOwner {
  /** Always true: tells it from a plain net.Socket. */
  readonly encrypted: true = true;
  /** Whether the peer's certificate was verified and, for a server's, is for the wanted name. */
  authorized = false;
  /** Why the peer is not authorized: the error's code, as in Node. Null when it is, or nothing was asked. */
  authorizationError: string | null = null;
  /** The application protocol; false when none was agreed on, null before the handshake is complete. */
  alpnProtocol: string | false | null = null;
  /** The name in SNI; false when there was none, null before the handshake is complete. */
  servername: string | false | null = null;
  /** True until a client's handshake is complete. */
  secureConnecting = true;
  declare readonly server: unknown;
  /** @internal */
  _tlsOptions: TLSSocketOptions;
  #link: Link;
  #session: Session | undefined;
  #signatureSchemes: readonly number[] = [];
  #bytesRead = 0;
  #bytesWritten = 0;
  #hadError = false;
  #timer: NodeJS.Timeout | undefined;
  #info: ConnectionInfo | undefined;
  #settings: ServerSettings | undefined;
  #context: SecureContext | undefined;

  /** @param transport any connected or connecting Duplex, usually a net.Socket. */
  constructor(transport: Duplex, options: TLSSocketOptions = {}) {
    super(socketOptions(transport, options));
    this._tlsOptions = options;
    (this as { server: unknown }).server = options.server ?? null;
    if (options.session !== undefined) this.setSession(options.session);
    this.#link = new Link(transport, this);
    if (options.isServer) this.#settings = options.settings ?? settingsOf(options);
    else this.#context = contextOf(options, sharedSecureContext);
    // Not by the base class: a signal that is aborted already would call `destroy` before the fields are there.
    if (options.signal !== undefined) addAbortSignal(options.signal, this);
    // A socket that nobody told to connect yet is waited for, too.
    if (transport instanceof Socket && transport.pending && !transport.destroyed) {
      this.#setConnecting(true);
      transport.once('connect', () => this.#onConnect());
    } else if (options.isServer) {
      this.#start();
    } else {
      // The caller still has listeners to add, and may set a session or a name.
      process.nextTick(() => this.#start());
    }
  }

  // What is agreed on -------------------------------------------------------------------------------------------

  /** Everything both sides agreed on; undefined until the handshake is complete. Not in `node:tls`. */
  get connectionInfo(): ConnectionInfo | undefined {
    return this.#info;
  }

  getProtocol(): string | null {
    return this.#info?.version ?? null;
  }

  getCipher(): CipherNameAndProtocol {
    return describe.cipher(this.#info);
  }

  /** The group of the key exchange; empty on a server, as in Node, and null before the handshake is complete. */
  getEphemeralKeyInfo(): EphemeralKeyInfo | object | null {
    return describe.ephemeralKey(this.#info, this._tlsOptions.isServer === true);
  }

  getPeerCertificate(detailed: true): DetailedPeerCertificate;
  getPeerCertificate(detailed?: false): PeerCertificate;
  getPeerCertificate(detailed?: boolean): PeerCertificate | DetailedPeerCertificate {
    return describe.peerCertificate(this.#info, detailed === true);
  }

  getPeerX509Certificate(): X509Certificate | undefined {
    return describe.x509(this.#info?.peerCertificates);
  }

  getCertificate(): PeerCertificate | object | null {
    return describe.localCertificate(this.#info);
  }

  getX509Certificate(): X509Certificate | undefined {
    return describe.x509(this.#info?.localCertificates);
  }

  /** verify_data of the Finished that this side sent last; undefined before that. */
  getFinished(): Buffer | undefined {
    return describe.buffer(this.#info?.finished.sent);
  }

  getPeerFinished(): Buffer | undefined {
    return describe.buffer(this.#info?.finished.received);
  }

  /** Signature algorithms that this side takes, as `RSA-PSS+SHA256`. Node leaves out what the peer does not take. */
  getSharedSigalgs(): string[] {
    return describe.signatureAlgorithms(this.#signatureSchemes);
  }

  /** Keying material for another protocol (RFC 5705); `length` in bytes. Throws `ERR_TLS_INVALID_STATE`. */
  exportKeyingMaterial(length: number, label: string, context?: Buffer): Buffer {
    if (this.#info === undefined || this.destroyed) throw invalidState();
    const material = this.#connection!.exportKeyingMaterial(length, label, context);
    return Buffer.from(material.buffer, material.byteOffset, material.length);
  }

  // Sessions ----------------------------------------------------------------------------------------------------

  /** A client's session for the option `session` of a later connection. With TLS 1.3, better wait for 'session'. */
  getSession(): Buffer | undefined {
    return this.#session === undefined ? undefined : sessionToBuffer(this.#session);
  }

  /** The session to resume; before the handshake starts. What is no session of ours is ignored. */
  setSession(session: Buffer | string): void {
    const bytes = typeof session === 'string' ? Buffer.from(session, 'latin1') : session;
    this.#session = sessionFromBuffer(bytes);
  }

  getTLSTicket(): Buffer | undefined {
    const ticket = this.#session?.ticket;
    return ticket === undefined || ticket.length === 0 ? undefined : Buffer.from(ticket);
  }

  isSessionReused(): boolean {
    return this.#info?.resumed === true;
  }

  /** The name for SNI; before the handshake starts. */
  setServername(name: string): void {
    if (this._tlsOptions.isServer) {
      throw nodeError('ERR_TLS_SNI_FROM_SERVER', 'Cannot issue SNI from a TLS server-side socket');
    }
    this._tlsOptions = { ...this._tlsOptions, servername: name };
  }

  // What TLS 1.3 no longer has, or we do not do -------------------------------------------------------------------

  disableRenegotiation(): void {}

  /** There is no renegotiation: the callback gets `ERR_TLS_RENEGOTIATION_DISABLED`. */
  renegotiate(_options: object, callback?: (error: Error | null) => void): boolean {
    const error = nodeError(
      'ERR_TLS_RENEGOTIATION_DISABLED',
      'TLS session renegotiation is not done here: it is gone from TLS 1.3, and was a source of attacks before',
    );
    if (callback !== undefined) process.nextTick(callback, error);
    return false;
  }

  /** False: records are cut when the connection is made; use the option `maxFragmentLength` of the engine. */
  setMaxSendFragment(_size: number): boolean {
    return false;
  }

  /** Use the option `observer`, which sees each record and message. */
  enableTrace(): void {}

  /** A TLSSocket is made for a transport: use `connect` of this module. */
  override connect(): this {
    throw unsupportedOption(
      'TLSSocket.connect',
      'use connect(), or give the constructor a connected transport',
    );
  }

  // The transport -----------------------------------------------------------------------------------------------

  /** The stream below: a net.Socket, or whatever the constructor was given. Not in `node:tls`. */
  get transport(): Duplex {
    return this.#link.transport;
  }

  override setNoDelay(enable?: boolean): this {
    (this.transport as Partial<Socket>).setNoDelay?.(enable);
    return this;
  }

  override setKeepAlive(enable?: boolean, initialDelay?: number): this {
    (this.transport as Partial<Socket>).setKeepAlive?.(enable, initialDelay);
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

  /** @internal Bytes of application data, for `bytesRead` and `bytesWritten`. */
  get _traffic(): { readonly read: number; readonly written: number } {
    return { read: this.#bytesRead, written: this.#bytesWritten };
  }

  // Stream hooks ------------------------------------------------------------------------------------------------

  override _read(): void {
    this.#link.resume();
  }

  override _write(chunk: Uint8Array | string, encoding: BufferEncoding, callback: WriteCallback): void {
    this.#bytesWritten += typeof chunk === 'string' ? Buffer.byteLength(chunk, encoding) : chunk.length;
    this.#touch();
    this.#link.write(chunk, encoding, callback);
  }

  override _writev(chunks: Chunk[], callback: WriteCallback): void {
    for (const { chunk, encoding } of chunks) {
      this.#bytesWritten += typeof chunk === 'string' ? Buffer.byteLength(chunk, encoding) : chunk.length;
    }
    this.#touch();
    this.#link.writev(chunks, callback);
  }

  override _final(callback: WriteCallback): void {
    this.#link.finish(callback);
  }

  override destroy(error?: Error): this {
    // net.Socket clears its timer in `_destroy`, which is replaced here.
    if (!this.destroyed && this.timeout) super.setTimeout(0);
    return super.destroy(error);
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    clearTimeout(this.#timer);
    this.#hadError = error !== null && error !== undefined;
    this.#setConnecting(false);
    const willClose = emitsClose(this.transport);
    this.#link.close();
    callback(error);
    if (!willClose) process.nextTick(emitCloseOf, this);
  }

  // From the link -----------------------------------------------------------------------------------------------

  /** @internal */
  onSecure(info: ConnectionInfo): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#info = info;
    this.alpnProtocol = info.alpnProtocol ?? false;
    this.servername = info.serverName ?? false;
    this.secureConnecting = false;
    this.#authorize(info);
    if (this._tlsOptions.requestOCSP) this.emit('OCSPResponse', describe.buffer(info.ocspResponse) ?? null);
    this.emit('secure');
    if (!this._tlsOptions.isServer && !this.destroyed) this.emit('secureConnect');
  }

  /** @internal */
  onData(bytes: Uint8Array): boolean {
    this.#bytesRead += bytes.length;
    this.#touch();
    return this.push(bytes);
  }

  /** @internal */
  onSession(session: Session): void {
    this.#session = session;
    if (this.listenerCount('session') > 0) this.emit('session', sessionToBuffer(session));
  }

  /** @internal */
  onEnd(): void {
    this.push(null);
    // Nobody may be reading: then 'end' would never come, and the socket would stay.
    if (this.readableLength === 0) this.read(0);
  }

  /** @internal */
  onFailure(error: TlsError): void {
    const role = this._tlsOptions.isServer ? 'server' : 'client';
    const cut = error.code === 'truncated' && this.#info === undefined;
    this.destroy(cut ? this.#reset(error) : toNodeError(error, role));
  }

  /** @internal */
  onTransportError(error: Error): void {
    // A reset after both close_notify costs nothing; what came before it may still be read.
    if (!this.#link.isOver) this.destroy(error);
  }

  /** @internal */
  onTransportClose(): void {
    if (this.destroyed) {
      process.nextTick(emitCloseOf, this);
      return;
    }
    if (this.#link.isOver) return;
    // A transport that closes without having ended: the engine knows whether something is missing.
    this.#link.transportGone();
    if (!this.destroyed) this.destroy(this.#info === undefined ? this.#reset() : undefined);
  }

  /** @internal */
  _emitClose(): void {
    this.emit('close', this.#hadError);
  }

  /** @internal A server's deadline for the handshake, in milliseconds. */
  _setHandshakeTimeout(milliseconds: number): void {
    this.#timer = setTimeout(giveUp, milliseconds, this);
    this.#timer.unref();
  }

  #setConnecting(connecting: boolean): void {
    (this as { connecting: boolean }).connecting = connecting;
  }

  get #connection(): Connection | undefined {
    return this.#link.connection;
  }

  #onConnect(): void {
    this.#setConnecting(false);
    this.emit('connect');
    this.emit('ready');
    this.#start();
  }

  #start(): void {
    if (this.destroyed) return;
    if (this.transport.destroyed) {
      this.destroy(this.#reset());
      return;
    }
    const observer = keyLogObserver(this, this._tlsOptions.observer);
    this.#link.start(this._tlsOptions.isServer ? this.#serverSide(observer) : this.#clientSide(observer));
  }

  #serverSide(observer: Observer | undefined): Connection {
    const { config: given } = this.#settings!;
    const config = typeof given === 'function' ? given() : given;
    this.#signatureSchemes = config.signatureSchemeIds;
    return serverConnection(config, { events: this.#link, observer, halfClose: true });
  }

  #clientSide(observer: Observer | undefined): Connection {
    const options = this._tlsOptions;
    const rejectUnauthorized = options.rejectUnauthorized !== false;
    const config = this.#context!.clientConfig({
      alpnProtocols: readProtocols(options.ALPNProtocols),
      rejectUnauthorized,
      checkServerIdentity: options.checkServerIdentity ?? checkServerIdentity,
      requestOcsp: options.requestOCSP === true,
    });
    this.#signatureSchemes = config.signatureSchemeIds;
    const session = this.#session;
    this.#session = undefined;
    const { servername } = options;
    const sni = servername && isIP(servername) === 0 ? servername.replace(/\.$/, '').toLowerCase() : '';
    return clientConnection(config, {
      events: this.#link,
      observer,
      halfClose: true,
      host: options.identity || servername || options.host || undefined,
      serverName: sni,
      // What was not verified once is no better now.
      session: session?.peerVerified === false && rejectUnauthorized ? undefined : session,
    });
  }

  #authorize(info: ConnectionInfo): void {
    const error = info.authorizationError as (Error & { code?: string }) | undefined;
    if (error !== undefined) this.authorizationError = error.code ?? error.message;
    else if (info.peerCertificates.length > 0) this.authorized = true;
    else if (this.#settings?.requestCert) this.authorizationError = 'UNABLE_TO_GET_ISSUER_CERT';
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

installNetworkProperties(TLSSocket.prototype);

function socketOptions(transport: Duplex, options: TLSSocketOptions): SocketConstructorOpts {
  const isSocket = transport instanceof Socket;
  const made: SocketConstructorOpts & { highWaterMark?: number } = {
    allowHalfOpen: options.allowHalfOpen ?? (isSocket && transport.allowHalfOpen),
  };
  if (options.highWaterMark !== undefined) made.highWaterMark = options.highWaterMark;
  return made;
}

function giveUp(socket: TLSSocket): void {
  socket.destroy(handshakeTimeout());
}

function emitCloseOf(socket: TLSSocket): void {
  socket._emitClose();
}
