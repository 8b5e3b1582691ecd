import { Server as NetServer } from 'node:net';
import type { Duplex } from 'node:stream';
import { nodeCrypto } from '@testudo/crypto/node';
import { TICKET_KEY_LENGTH, TicketKeys, type TicketSealer } from '../sessions/ticket-keys.ts';
import { readProtocols } from './alpn.ts';
import type { SecureContextOptions } from './context-options.ts';
import { connectionReset, invalidArgument, nodeError, unsupportedOption } from './errors.ts';
import { contextOf, SecureContext } from './secure-context.ts';
import { checkFunction, type ServerSettings, serverSettings } from './server-settings.ts';
import { EventSessionStore } from './sessions.ts';
import { TLSSocket } from './socket.ts';
import type { AlpnCallback, SniCallback, TLSSocketOptions, TlsOptions } from './types.ts';

type SecureListener = (socket: TLSSocket) => void;

/** Milliseconds, as in Node. */
const DEFAULT_HANDSHAKE_TIMEOUT = 120_000;

/**
 * A TLS server with the API of `tls.Server`. It emits 'secureConnection' with each TLSSocket, and 'tlsClientError'
 * with the error and the socket for a handshake that failed. Other streams than its own TCP connections are served
 * by `server.emit('connection', duplex)`.
 */
export class Server extends NetServer {
  readonly #options: TlsOptions;
  readonly #contexts: { readonly pattern: RegExp; readonly context: SecureContext }[] = [];
  readonly #alpnProtocols: readonly string[];
  readonly #handshakeTimeout: number;
  readonly #store: EventSessionStore;
  readonly #sealer: TicketSealer;
  #tickets: TicketKeys;
  #context: SecureContext;
  /** One object for all connections; made again when a context changes. */
  #socketOptions: TLSSocketOptions | undefined;
  #hasStore = false;

  constructor(options?: TlsOptions | SecureListener | null, listener?: SecureListener) {
    const given = typeof options === 'function' ? {} : (options ?? {});
    if (typeof given !== 'object') throw invalidArgument('options', 'of type object', options);
    if ((given as { pskCallback?: unknown }).pskCallback) {
      throw unsupportedOption('pskCallback', 'use certificates');
    }
    const { allowHalfOpen: _, pauseOnConnect: __, ...rest } = given;
    // The streams above decide on half-closing. Small records are joined here already, and TCP would hold back an
    // answer until the tickets before it are acknowledged: 40 ms, often.
    super({ noDelay: true, ...rest, allowHalfOpen: true });
    if (given.ALPNCallback && given.ALPNProtocols) {
      throw nodeError(
        'ERR_TLS_ALPN_CALLBACK_WITH_PROTOCOLS',
        'The ALPNCallback and ALPNProtocols TLS options are mutually exclusive',
      );
    }
    checkFunction('options.SNICallback', given.SNICallback);
    checkFunction('options.ALPNCallback', given.ALPNCallback);
    this.#options = given;
    this.#alpnProtocols = readProtocols(given.ALPNProtocols);
    this.#handshakeTimeout =
      checkNumber('options.handshakeTimeout', given.handshakeTimeout) || DEFAULT_HANDSHAKE_TIMEOUT;
    checkNumber('options.sessionTimeout', given.sessionTimeout);
    this.#context = contextOf(given);
    this.#tickets = ticketKeys(this.#context.ticketKeys ?? given.ticketKeys);
    this.#sealer = {
      seal: (session) => this.#tickets.seal(session),
      open: (ticket) => this.#tickets.open(ticket),
    };
    this.#store = new EventSessionStore(this);
    const onSecure = typeof options === 'function' ? options : listener;
    if (onSecure !== undefined) this.on('secureConnection', onSecure);
    this.on('connection', this.#serve);
    // What is wrong with the options shows here, not at the first connection.
    this.#optionsOfSockets();
  }

  /** Serves another certificate from now on; connections that are open keep theirs. */
  setSecureContext(options: SecureContextOptions | SecureContext): void {
    this.#context = options instanceof SecureContext ? options : new SecureContext(options);
    if (this.#context.ticketKeys !== undefined) this.#tickets = ticketKeys(this.#context.ticketKeys);
    this.#socketOptions = undefined;
  }

  /** A certificate for a name; `*` stands for one label. Of several that fit, the one that was added last counts. */
  addContext(hostname: string, context: SecureContextOptions | SecureContext): void {
    if (!hostname)
      throw nodeError(
        'ERR_TLS_REQUIRED_SERVER_NAME',
        '"servername" is required parameter for Server.addContext',
      );
    this.#contexts.push({
      pattern: patternFor(hostname),
      context: context instanceof SecureContext ? context : new SecureContext(context),
    });
    this.#socketOptions = undefined;
  }

  /** The key that seals tickets, 48 bytes. */
  getTicketKeys(): Buffer {
    return Buffer.from(this.#tickets.export()[0]!);
  }

  /** Replaces the key; tickets under older ones are no longer taken. Such a key is not rotated: its owner does. */
  setTicketKeys(keys: Buffer): void {
    this.#tickets = ticketKeys(keys);
  }

  #serve(transport: Duplex): void {
    const socket = new TLSSocket(transport, this.#optionsOfSockets());
    if (this.#options.pauseOnConnect) socket.pause();
    // The listener for errors stays, as in Node: one client's broken connection must not end the server.
    socket.on('error', onError);
    socket.on('secure', onSecure);
    socket.on('close', onHandshakeClose);
    socket._setHandshakeTimeout(this.#handshakeTimeout);
  }

  #optionsOfSockets(): TLSSocketOptions {
    const hasStore = this.listenerCount('newSession') > 0 || this.listenerCount('resumeSession') > 0;
    if (this.#socketOptions !== undefined && this.#hasStore === hasStore) return this.#socketOptions;
    this.#hasStore = hasStore;
    const options = this.#options;
    this.#socketOptions = {
      isServer: true,
      server: this,
      settings: this.#settings(hasStore),
      allowHalfOpen: options.allowHalfOpen ?? false,
      observer: options.observer,
      highWaterMark: options.highWaterMark,
    };
    return this.#socketOptions;
  }

  #settings(hasStore: boolean): ServerSettings {
    const options = this.#options;
    return serverSettings({
      context: this.#context,
      requestCert: options.requestCert === true,
      rejectUnauthorized: options.rejectUnauthorized !== false,
      alpnProtocols: this.#alpnProtocols,
      alpnCallback: options.ALPNCallback as AlpnCallback | undefined,
      sniCallback: options.SNICallback ?? this.#contextsCallback(),
      tickets: this.#sealer,
      sessionStore: hasStore ? this.#store : undefined,
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

/** A TLS server; `listener` is called with each connection whose handshake is complete. */
export function createServer(options?: TlsOptions | SecureListener, listener?: SecureListener): Server {
  return new Server(options, listener);
}

function onSecure(this: TLSSocket): void {
  this.removeListener('secure', onSecure);
  this.removeListener('close', onHandshakeClose);
  (this.server as Server).emit('secureConnection', this);
}

function onError(this: TLSSocket, error: Error): void {
  if (this.connectionInfo !== undefined) return;
  this.removeListener('close', onHandshakeClose);
  (this.server as Server).emit('tlsClientError', error, this);
}

function onHandshakeClose(this: TLSSocket): void {
  (this.server as Server).emit('tlsClientError', connectionReset('server'), this);
}

function ticketKeys(keys: Uint8Array | undefined): TicketKeys {
  if (keys === undefined) return new TicketKeys(nodeCrypto);
  if (!(keys instanceof Uint8Array))
    throw invalidArgument('options.ticketKeys', 'an instance of Buffer', keys);
  if (keys.length !== TICKET_KEY_LENGTH) {
    throw nodeError(
      'ERR_INVALID_ARG_VALUE',
      `The property 'options.ticketKeys' must be exactly ${TICKET_KEY_LENGTH} bytes. Received ${keys.length}`,
    );
  }
  const made = new TicketKeys(nodeCrypto, { rotateAfter: Number.POSITIVE_INFINITY });
  made.import([keys]);
  return made;
}

/** As `addContext` in Node: `*` is one label, or part of one. */
function patternFor(hostname: string): RegExp {
  const source = hostname.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '[^.]*');
  return new RegExp(`^${source}$`, 'i');
}

function checkNumber(name: string, value: number | undefined): number | undefined {
  if (value === undefined || typeof value === 'number') return value;
  throw invalidArgument(name, 'of type number', value);
}
