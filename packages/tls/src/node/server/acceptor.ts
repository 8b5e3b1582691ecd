import type { EventEmitter } from 'node:events';
import type { Duplex } from 'node:stream';
import type { EarlyDataOptions } from '../../options/server.ts';
import { readProtocols } from '../context/alpn.ts';
import { serverEarlyData } from '../context/engine-options.ts';
import { givenFunction, givenToServer } from '../context/option-table.ts';
import { contextFrom, contextOf, type SecureContext } from '../context/secure-context.ts';
import { checkNumber, checkObject, checkString } from '../errors/arguments.ts';
import { connectionReset, nodeError, nodeTypeError } from '../errors/errors.ts';
import { judgeClient } from '../socket/judgement.ts';
import { contextMark, EventSessionStore } from '../socket/sessions.ts';
import { TLSSocket } from '../socket/socket.ts';
import type { AlpnCallback, ServerSetup, SniCallback, TLSSocketOptions, TlsOptions } from '../types.ts';
import { asciiName } from '../verification/ascii-name.ts';
import { serverSetup } from './server-setup.ts';
import { stapler } from './stapling.ts';
import { TicketProtection } from './ticket-protection.ts';

/** Milliseconds, as in Node. */
const DEFAULT_HANDSHAKE_TIMEOUT = 120_000;

/**
 * What makes a server a TLS server: takes transports, gives each a TLSSocket, and emits on the server what becomes of
 * it. It stands beside the server rather than in it, so that servers whose class is Node's own can have one, too.
 */
export class Acceptor {
  readonly #server: EventEmitter;
  readonly #options: TlsOptions;
  readonly #contexts: { readonly pattern: RegExp; readonly context: SecureContext }[] = [];
  readonly #alpnProtocols: readonly string[];
  readonly #handshakeTimeout: number;
  readonly #sessionMark: Buffer;
  readonly #tickets: TicketProtection;
  readonly #earlyData: EarlyDataOptions | undefined;
  #context: SecureContext;
  /** The same for all connections; made again when a context changes. */
  #socketOptions: { readonly own: TLSSocketOptions; readonly given: TLSSocketOptions } | undefined;
  #listeners = '';

  /** Throws with the codes of `node:tls` for options that are wrong. */
  constructor(server: EventEmitter, options: TlsOptions) {
    checkServerOptions(options);
    this.#server = server;
    this.#options = options;
    this.#alpnProtocols = readProtocols(options.ALPNProtocols);
    this.#earlyData = serverEarlyData(options.earlyData);
    this.#handshakeTimeout = options.handshakeTimeout || DEFAULT_HANDSHAKE_TIMEOUT;
    this.#context = contextOf(serverContextOptions(options));
    this.#tickets = new TicketProtection(this.#context.sessionIdContext, this.#context.ticketKeys);
    this.#sessionMark = contextMark(this.#context.sessionIdContext);
    // What is wrong with the options shows here, not at the first connection.
    this.#optionsOfSockets();
  }

  setSecureContext(options: NonNullable<Parameters<typeof contextFrom>[0]>): void {
    checkObject('options', options);
    this.#context = contextFrom('context' in options ? options : givenToServer(options));
    if (this.#context.ticketKeys !== undefined) this.#tickets.replace(this.#context.ticketKeys);
    this.#socketOptions = undefined;
  }

  addContext(hostname: string, context: Parameters<typeof contextFrom>[0]): void {
    if (!hostname)
      throw nodeError(
        'ERR_TLS_REQUIRED_SERVER_NAME',
        '"servername" is required parameter for Server.addContext',
      );
    this.#contexts.push({ pattern: patternFor(hostname), context: contextFrom(context) });
    this.#socketOptions = undefined;
  }

  getTicketKeys(): Buffer<ArrayBuffer> {
    return this.#tickets.key;
  }

  setTicketKeys(keys: Uint8Array): void {
    this.#tickets.replace(keys, 'buffer');
  }

  /** @param isOwn nobody else has the transport. */
  serve(transport: Duplex, isOwn: boolean): void {
    const socket = new TLSSocket(transport, this.#optionsOfSockets()[isOwn ? 'own' : 'given']);
    if (this.#options.pauseOnConnect) socket.pause();
    socket.on('secure', onSecure);
    socket.on('close', onHandshakeClose);
    socket.on('_tlsError', onError);
    // This listener stays, as in Node: one client's broken connection must not end the server.
    socket.on('error', onError);
    socket._setHandshakeTimeout(this.#handshakeTimeout);
  }

  #optionsOfSockets(): { readonly own: TLSSocketOptions; readonly given: TLSSocketOptions } {
    const server = this.#server;
    const hasStore = server.listenerCount('newSession') > 0 || server.listenerCount('resumeSession') > 0;
    const staples = server.listenerCount('OCSPRequest') > 0;
    const listeners = `${hasStore} ${staples}`;
    if (this.#socketOptions !== undefined && this.#listeners === listeners) return this.#socketOptions;
    this.#listeners = listeners;
    const options = this.#options;
    const given: TLSSocketOptions = {
      isServer: true,
      server,
      settings: this.#setup(hasStore, staples),
      requestCert: options.requestCert === true,
      rejectUnauthorized: options.rejectUnauthorized !== false,
      observer: options.observer,
      enableTrace: options.enableTrace,
      highWaterMark: options.highWaterMark,
    };
    this.#socketOptions = { given, own: { ...given, ownsTransport: true } };
    return this.#socketOptions;
  }

  #setup(hasStore: boolean, staples: boolean): ServerSetup {
    const server = this.#server;
    const options = this.#options;
    return serverSetup({
      context: this.#context,
      requestCert: options.requestCert === true,
      rejectUnauthorized: options.rejectUnauthorized !== false,
      alpnProtocols: this.#alpnProtocols,
      alpnCallback: (options.ALPNCallback as AlpnCallback | undefined) || undefined,
      sniCallback: options.SNICallback || this.#contextsCallback(),
      staple: staples ? (socket) => stapler(server, socket) : undefined,
      pskCallback: options.pskCallback || undefined,
      pskIdentityHint: options.pskIdentityHint || undefined,
      tickets: this.#tickets,
      earlyData: this.#earlyData,
      sessionStore: hasStore
        ? (socket) => new EventSessionStore(server, socket, this.#sessionMark)
        : undefined,
    });
  }

  #contextsCallback(): SniCallback | undefined {
    if (this.#contexts.length === 0) return undefined;
    return (name, callback) => callback(null, this.#contextFor(name));
  }

  #contextFor(name: string): SecureContext | undefined {
    return this.#contexts.findLast(({ pattern }) => pattern.test(name))?.context;
  }
}

/** Node passes over `secureContext` here; one of ours is taken, and one of Node's would be missed. */
function serverContextOptions(options: TlsOptions): TlsOptions {
  const { secureContext } = options as { secureContext?: unknown };
  const isContext = typeof secureContext === 'object' && secureContext !== null && 'context' in secureContext;
  if (isContext) return options;
  return { ...givenToServer(options), secureContext: undefined } as TlsOptions;
}

function checkServerOptions(options: TlsOptions): void {
  const { pskCallback, pskIdentityHint } = options;
  givenFunction('options.pskCallback', pskCallback);
  if (pskIdentityHint) checkString('options.pskIdentityHint', pskIdentityHint);
  if (options.ALPNCallback && options.ALPNProtocols) {
    throw nodeTypeError(
      'ERR_TLS_ALPN_CALLBACK_WITH_PROTOCOLS',
      'The ALPNCallback and ALPNProtocols TLS options are mutually exclusive',
    );
  }
  givenFunction('options.SNICallback', options.SNICallback);
  // Node finds out with the first connection, and dies.
  givenFunction('options.ALPNCallback', options.ALPNCallback);
  if (options.handshakeTimeout) checkNumber('options.handshakeTimeout', options.handshakeTimeout);
}

function onSecure(this: TLSSocket): void {
  if (!judgeClient(this) || !this._releaseControl()) return;
  this.removeListener('close', onHandshakeClose);
  (this.server as EventEmitter).emit('secureConnection', this);
}

/** The first thing that goes wrong with a handshake is told, once. */
function onError(this: TLSSocket, error: Error): void {
  if (this._controlReleased || this.listenerCount('close', onHandshakeClose) === 0) return;
  this.removeListener('close', onHandshakeClose);
  (this.server as EventEmitter).emit('tlsClientError', error, this);
}

function onHandshakeClose(this: TLSSocket): void {
  (this.server as EventEmitter).emit('tlsClientError', connectionReset('server'), this);
}

/** As `addContext` in Node: `*` is one label, or part of one. */
function patternFor(hostname: string): RegExp {
  const source = asciiName(hostname)
    .replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '[^.]*');
  return new RegExp(`^${source}$`, 'i');
}
