import nodeHttp2, {
  type ClientHttp2Session,
  type ClientSessionOptions,
  type Http2SecureServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type SecureClientSessionOptions,
  type SecureServerOptions,
} from 'node:http2';
import { isIP } from 'node:net';
import { connect as connectTls } from './client/connect.ts';
import { http2SecureServer } from './server/node-servers.ts';
import { adaptStreamWrap } from './socket/stream-wrap.ts';
import type { ConnectionOptions, TlsOptions } from './types.ts';

/** `node:http2` over this package's engine: HTTP/2 is Node's, TLS is ours. */
export {
  constants,
  createServer,
  getDefaultSettings,
  getPackedSettings,
  getUnpackedSettings,
  Http2ServerRequest,
  Http2ServerResponse,
  performServerHandshake,
  sensitiveHeaders,
} from 'node:http2';

type SessionListener = (session: ClientHttp2Session, socket: unknown) => void;

/** As `http2.connect`; `http:` has no TLS, and goes to Node as it is. */
export function connect(
  authority: string | URL,
  options?: ClientSessionOptions | SecureClientSessionOptions | SessionListener,
  listener?: SessionListener,
): ClientHttp2Session {
  adaptStreamWrap();
  const given = typeof options === 'function' ? {} : (options ?? {});
  const onConnect = typeof options === 'function' ? options : listener;
  const isSecure = String(authority).startsWith('https:') || given.protocol === 'https:';
  const createConnection =
    given.createConnection ?? (isSecure ? (url: URL) => connectSecurely(url, given) : undefined);
  return nodeHttp2.connect(
    authority,
    { ...given, createConnection } as SecureClientSessionOptions,
    onConnect as never,
  );
}

type RequestListener = (request: Http2ServerRequest, response: Http2ServerResponse) => void;

/** What Node's server over TLS takes, and in it what ours takes beyond that. */
export type Http2ServerOptions = Omit<SecureServerOptions, keyof TlsOptions> & TlsOptions;

/** As `http2.createSecureServer`, HTTP/1 with `allowHTTP1` included. */
export function createSecureServer(
  options?: Http2ServerOptions | RequestListener,
  listener?: RequestListener,
): Http2SecureServer {
  return http2SecureServer(options as SecureServerOptions, listener as never);
}

const http2: typeof nodeHttp2 = {
  ...nodeHttp2,
  connect: connect as typeof nodeHttp2.connect,
  createSecureServer: createSecureServer as typeof nodeHttp2.createSecureServer,
};
export default http2;

function connectSecurely(url: URL, options: object): ReturnType<typeof connectTls> {
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1') || 'localhost';
  const name = isIP(host) === 0 ? { servername: host } : {};
  const protocols = { ALPNProtocols: ['h2'] };
  const where = { host, port: Number(url.port) || 443 };
  return connectTls({ ...protocols, ...name, ...options, ...where } as ConnectionOptions);
}
