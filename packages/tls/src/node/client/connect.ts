import { isIP } from 'node:net';
import { live } from '../as-node/replaceable-members.ts';
import { NODE_MAJOR } from '../as-node/running-node.ts';
import { checkProtocolsType, readProtocols } from '../context/alpn.ts';
import { currentCiphers } from '../context/ciphers.ts';
import { givenFunction } from '../context/option-table.ts';
import { contextOf, type SecureContext, sharedSecureContext } from '../context/secure-context.ts';
import { checkNumber, checkString, invalidValue, outOfRange, wrongType } from '../errors/arguments.ts';
import { judgeServer, type ServerDemands } from '../socket/judgement.ts';
import { TLSSocket } from '../socket/socket.ts';
import type { ConnectionOptions, TLSSocketOptions } from '../types.ts';
import { checkServerIdentity } from '../verification/identity.ts';
import type { IdentityCheck } from '../verification/identity-check.ts';
import { openTransport, passOn } from './network-transport.ts';

type Listener = () => void;

/**
 * Connects to a TLS server, as `tls.connect`: over TCP, a Unix socket (`path`), or any Duplex (`socket`). `listener`
 * is called on 'secureConnect'. Options may come again and again: contexts without a private key are kept.
 *
 * As in Node, only `servername` is sent in SNI. The certificate must name it, or else `host`.
 */
export function connect(options: ConnectionOptions, listener?: Listener): TLSSocket;
export function connect(
  port: number,
  host?: string,
  options?: ConnectionOptions,
  listener?: Listener,
): TLSSocket;
export function connect(port: number, options?: ConnectionOptions, listener?: Listener): TLSSocket;
export function connect(...args: readonly unknown[]): TLSSocket {
  const { options, listener } = normalize(args);
  const identityChecker = identityCheck(options);
  const minDHSize = minimumDh(options);
  const context = contextFor(options);
  const { servername } = options;
  if (servername) checkString('name', servername);
  if (servername && isIP(servername) !== 0) warnOfAddress(servername);
  refuseMissing(options);
  const host = options.host ?? (options.socket as { _host?: string } | undefined)?._host;
  const identity = servername || host || 'localhost';
  checkEarlyData(options);
  checkProtocolsType(options.ALPNProtocols);
  const settings: TLSSocketOptions = {
    begins: true,
    ownsTransport: !options.socket,
    secureContext: context,
    allowHalfOpen: options.allowHalfOpen,
    rejectUnauthorized:
      options.rejectUnauthorized === undefined ? !allowsUnauthorized() : options.rejectUnauthorized,
    checkServerIdentity: identityChecker,
    session: options.session,
    ALPNProtocols: options.ALPNProtocols,
    requestOCSP: options.requestOCSP,
    servername,
    host: options.host,
    identity,
    port: options.port,
    path: options.path,
    localAddress: options.localAddress,
    highWaterMark: options.highWaterMark,
    signal: options.signal,
    observer: options.observer,
    enableTrace: options.enableTrace,
    onread: options.onread,
    earlyData: options.earlyData,
    pskCallback: givenFunction('pskCallback', options.pskCallback),
  };
  const socket = options.socket ? new TLSSocket(options.socket, settings) : overNetwork(options, settings);
  socket._releaseControl();
  if (listener !== undefined) socket.once('secureConnect', listener);
  const { rejectUnauthorized, checkServerIdentity: check } = settings;
  const demands: ServerDemands = {
    identity,
    minDHSize,
    rejectUnauthorized: rejectUnauthorized !== false,
    // The verifier looks at names by itself where it is not told how.
    check: check === checkServerIdentity || context.strictness.verdictInHandshake ? undefined : check,
  };
  socket.on('secure', () => judgeServer(socket, demands));
  if (options.socket === undefined) {
    passOn(socket);
    if (options.timeout) socket.setTimeout(options.timeout);
  }
  return socket;
}

/** Bytes for one protocol must not come to another, which the server might choose. */
function checkEarlyData({ earlyData, ALPNProtocols }: ConnectionOptions): void {
  if (!(earlyData instanceof Uint8Array) || readProtocols(ALPNProtocols).length < 2) return;
  throw invalidValue(
    'options.ALPNProtocols',
    'must name one protocol when early data is sent',
    ALPNProtocols,
  );
}

/** In bits, as Node. */
const DEFAULT_MINIMUM_DH = 1024;

/** As Node: what is there counts, and undefined is no number. */
function minimumDh(options: ConnectionOptions): number {
  if (!('minDHSize' in options)) return DEFAULT_MINIMUM_DH;
  const { minDHSize } = options;
  checkNumber('options.minDHSize', minDHSize);
  if (minDHSize! < 1) throw outOfRange('options.minDHSize', '>= 1', minDHSize);
  return minDHSize!;
}

/** Who has put a function of his own in the place of ours sees the list that counts, as in Node. */
function contextFor(options: ConnectionOptions): SecureContext {
  if (options.secureContext) return contextOf(options);
  return contextOf({ ciphers: currentCiphers(), ...options }, sharedSecureContext);
}

/** What is wrong with the options must not leave a connection behind that nobody listens to. */
function overNetwork(options: ConnectionOptions, settings: TLSSocketOptions): TLSSocket {
  const transport = openTransport(options);
  try {
    return new TLSSocket(transport, settings);
  } catch (error) {
    transport.on('error', () => {}).destroy();
    throw error;
  }
}

/** Programs replace the function of the module, to check names in their own way. */
function identityCheck(options: ConnectionOptions): IdentityCheck {
  const { checkServerIdentity: given } = options;
  if ('checkServerIdentity' in options) return identityFunction(given);
  return live.tls?.checkServerIdentity ?? checkServerIdentity;
}

function identityFunction(given: IdentityCheck | undefined): IdentityCheck {
  if (typeof given === 'function') return given;
  throw wrongType('options.checkServerIdentity', 'of type function', given);
}

/** NODE_TLS_REJECT_UNAUTHORIZED=0, with Node's warning. */
function allowsUnauthorized(): boolean {
  if (process.env['NODE_TLS_REJECT_UNAUTHORIZED'] !== '0') return false;
  if (!hasWarned.unauthorized) {
    hasWarned.unauthorized = true;
    process.emitWarning(
      "Setting the NODE_TLS_REJECT_UNAUTHORIZED environment variable to '0' makes TLS connections and HTTPS " +
        'requests insecure by disabling certificate verification.',
    );
  }
  return true;
}

/** From Node 25 an address is refused as a name, older ones only say that it is wrong. */
function warnOfAddress(servername: string): void {
  if (NODE_MAJOR >= 25) {
    throw invalidValue(
      'options.servername',
      'Setting the TLS ServerName to an IP address is not permitted.',
      servername,
    );
  }
  if (hasWarned.address) return;
  hasWarned.address = true;
  process.emitWarning(
    'Setting the TLS ServerName to an IP address is not permitted by RFC 6066. This will be ignored in a future version.',
    'DeprecationWarning',
    'DEP0123',
  );
}

const hasWarned = { unauthorized: false, address: false };

/** Throws for what would otherwise be waited for in vain. */
function refuseMissing(options: ConnectionOptions): void {
  const { socket, port, path } = options;
  if (!socket && port === undefined && !path) {
    throw Object.assign(new TypeError('The "options" or "port" or "path" argument must be specified'), {
      code: 'ERR_MISSING_ARGS',
    });
  }
}

/** A name stands after a port: after options, or a path, Node passes it over. */
function isPort(first: unknown): boolean {
  return typeof first === 'number' || (typeof first === 'string' && !Number.isNaN(Number(first)));
}

function normalize(args: readonly unknown[]): { options: ConnectionOptions; listener: Listener | undefined } {
  const options: ConnectionOptions = {};
  let listener: Listener | undefined;
  for (const [index, arg] of args.entries()) {
    if (typeof arg === 'function') listener = arg as Listener;
    else if (typeof arg === 'object' && arg !== null) Object.assign(options, arg);
    else if (index === 0 && typeof arg === 'string' && Number.isNaN(Number(arg))) options.path = arg;
    else if (index === 0 && arg !== undefined) options.port = Number(arg);
    else if (index === 1 && typeof arg === 'string' && isPort(args[0])) options.host = arg;
  }
  return { options, listener };
}
