import http2, { type Http2SecureServer } from 'node:http2';
import https from 'node:https';
import nodeTls from 'node:tls';
import { adaptStreamWrap } from '../socket/stream-wrap.ts';
import { SERVER_METHODS, Server } from './server.ts';

/**
 * Servers of `node:https` and `node:http2` over our TLS. All that is HTTP stays Node's own code; what is replaced is
 * where it looks for its base class. `https.Server` finds it as `tls.Server`, each time; the class behind
 * `http2.createSecureServer` as its prototype, as every class. For one server that is changed during its construction,
 * which is synchronous, and by `register` for good.
 */
export function httpsServer(...args: ConstructorParameters<typeof https.Server>): https.Server {
  const replaceable = nodeTls as { Server: unknown };
  const before = replaceable.Server;
  replaceable.Server = Server;
  try {
    return withMethods(new https.Server(...args));
  } finally {
    replaceable.Server = before;
  }
}

/** As {@link httpsServer}, for `http2.createSecureServer`. */
export function http2SecureServer(...args: Parameters<typeof http2.createSecureServer>): Http2SecureServer {
  adaptStreamWrap();
  const http2Class = secureServerClass();
  const before = Object.getPrototypeOf(http2Class);
  Object.setPrototypeOf(http2Class, Server);
  try {
    return withMethods(http2.createSecureServer(...args));
  } finally {
    Object.setPrototypeOf(http2Class, before);
  }
}

/** All servers from now on, also by functions and classes that somebody holds already. */
export function replaceBaseClasses(): void {
  adaptStreamWrap();
  for (const one of [https.Server, secureServerClass()]) {
    Object.setPrototypeOf(one, Server);
    Object.setPrototypeOf(one.prototype, Server.prototype);
  }
}

/** It is not exported: an instance leads to it. */
function secureServerClass(): typeof Server {
  known ??= http2.createSecureServer().constructor as typeof Server;
  return known;
}

let known: typeof Server | undefined;

/** Node's own methods of these names would look for OpenSSL's contexts. */
function withMethods<T extends object>(server: T): T {
  if (server instanceof Server) return server;
  for (const name of SERVER_METHODS) {
    const value = Server.prototype[name];
    Object.defineProperty(server, name, { value, configurable: true, writable: true });
  }
  return server;
}
