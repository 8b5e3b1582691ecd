import type { ClientOptions, ServerConfig, ServerOptions } from '../options.ts';
import type { ExternalPsk } from '../psk/external-psk.ts';
import { serverServices } from '../services.ts';
import { checkObject, checkString, wrongType } from './arguments.ts';
import type { TLSSocket } from './socket.ts';

/**
 * A client's key for the server's hint (null in TLS 1.3, and where there is none); null when it has none. Up to TLS 1.2
 * the option `ciphers` must name suites with PSK, as in Node.
 */
export type PskClientCallback = (
  hint: string | null,
) => { readonly psk: NodeJS.ArrayBufferView; readonly identity: string } | null | undefined;

/** A server's key for the identity that a client named; null refuses it. */
export type PskServerCallback = (
  socket: TLSSocket,
  identity: string,
) => NodeJS.ArrayBufferView | { readonly psk: NodeJS.ArrayBufferView } | null | undefined;

export function clientPsks(callback: PskClientCallback | undefined): ClientOptions['psks'] {
  if (callback === undefined) return undefined;
  return ({ hint }) => {
    const answer = callback(hint === undefined ? null : Buffer.from(hint).toString());
    if (answer === null || answer === undefined) return [];
    checkObject('options.pskCallback', answer);
    checkString('options.pskCallback.identity', answer.identity);
    return [{ identity: Buffer.from(answer.identity), key: keyOf(answer.psk) }];
  };
}

/** For the configuration that each connection's own is made of: it says that there are keys. */
export const NO_PSK: NonNullable<ServerOptions['findPsk']> = () => undefined;

/** The configuration for one connection, since the callback is told of the socket. */
export function withServerPsk(
  config: ServerConfig,
  callback: PskServerCallback,
  socket: TLSSocket,
): ServerConfig {
  const findPsk = ({ identity }: { readonly identity: Uint8Array }): ExternalPsk | undefined => {
    const answer = callback(socket, Buffer.from(identity).toString());
    if (answer === null || answer === undefined) return undefined;
    return { identity, key: keyOf('psk' in answer ? answer.psk : answer) };
  };
  const options: ServerOptions = { ...config.options, findPsk };
  return { ...config, options, services: serverServices(options) };
}

function keyOf(psk: unknown): Uint8Array {
  if (ArrayBuffer.isView(psk)) return new Uint8Array(psk.buffer, psk.byteOffset, psk.byteLength).slice();
  throw wrongType('options.pskCallback.psk', 'an instance of Buffer, TypedArray, or DataView', psk);
}
