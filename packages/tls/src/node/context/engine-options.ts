import type { CertificateCompression } from '../../certificates/types.ts';
import type { EchOptions } from '../../ech/chosen-config.ts';
import type { EchKey } from '../../ech/keys.ts';
import type { HeartbeatMode } from '../../heartbeat/terms.ts';
import type { RenegotiationOptions } from '../../options/after-handshake.ts';
import type { Legacy } from '../../options/legacy.ts';
import type { EarlyDataOptions } from '../../options/server.ts';
import type { ExternalPsk } from '../../psk/external-psk.ts';
import { MemoryReplayGuard } from '../../sessions/replay-guard.ts';
import { live } from '../as-node/replaceable-members.ts';
import { checkArray, invalidValue } from '../errors/arguments.ts';
import { certificateCompressions } from './certificate-compression.ts';

/** What the engine can and OpenSSL, or Node, cannot. None of it is in `node:tls`, and none of it is on by default. */
export interface EngineOptions {
  /**
   * From `@testudo/tls/legacy`: lets TLS 1.0 and 1.1 and suites with RC4, NULL or DSS be named in `minVersion`,
   * `maxVersion`, `ciphers` and `sigalgs`. In `node:tls` `@SECLEVEL=0` in `ciphers` does it; here that lets TLS 1.0 and
   * 1.1 be named, too. Default: none of it.
   */
  legacy?: Legacy | undefined;
  /**
   * Keys shared with the peer (PSK), beside what `pskCallback` gives: with another hash than SHA-256, or imported (RFC
   * 9258). A server finds them by their identities, a client offers them by preference. Default: none.
   */
  psks?: readonly ExternalPsk[] | undefined;
  /** A client: Encrypted Client Hello (RFC 9849), or `grease`. Default: neither. */
  ech?: EchOptions | 'grease' | undefined;
  /** A server: keys for Encrypted Client Hello. Default: none. */
  echKeys?: readonly EchKey[] | undefined;
  /**
   * TLS 1.0 to 1.2: negotiate anew when `socket.renegotiate` asks for it or the peer does; a client of ours at most
   * `tls.CLIENT_RENEG_LIMIT` times in `tls.CLIENT_RENEG_WINDOW` seconds. False: the peer is told no. Default true, as in
   * `node:tls`; false with `strict`.
   */
  renegotiation?: boolean | RenegotiationOptions | undefined;
  /**
   * TLS 1.3. A client: the server may ask for the certificate later (RFC 9846 §4.3.6). A server: it is going to, with
   * `socket.renegotiate({ requestCert: true })`. Default false.
   */
  postHandshakeAuth?: boolean | undefined;
  /** Refuse a peer with which no application protocol is agreed on (ALPN), against cross-protocol attacks. Default false. */
  requireAlpn?: boolean | undefined;
  /**
   * TLS 1.3: what to tell the peer of an application protocol, by its ALPN name (ALPS); what the peer has to say is in
   * `socket.connectionInfo`. Default: nothing.
   */
  applicationSettings?: Readonly<Record<string, Uint8Array>> | undefined;
  /** A server: the names (SNI) that it serves; a client that wants another one, or none, is refused. Default: any. */
  serverNames?: readonly string[] | undefined;
  /** Up to TLS 1.2: let `exportKeyingMaterial` go without the extended master secret (RFC 7627 §5.4). Default false. */
  dangerouslyExportWithoutExtendedMasterSecret?: boolean | undefined;
  /**
   * Heartbeats (RFC 6520). `answer`: answers the peer's, and may send its own where the peer answers. `only-ask`: sends its own
   * only, and answers none. Default: neither; the extension is not offered.
   */
  heartbeat?: HeartbeatMode | undefined;
}

/** 0-RTT, which is each connection's own. */
export interface EarlyDataSettings {
  /**
   * 0-RTT (RFC 9846 §2.3). A client: bytes for the server's application that leave with the first flight when `session` allows
   * it, and otherwise, or when the server refuses them, first of all after the handshake. They have no forward secrecy,
   * and whoever copies them can send them to a server again: only for what may be done twice. `ALPNProtocols` may name one
   * protocol only.
   *
   * A server: whether to take them, and how many bytes. The socket gives them when the handshake is complete, which proves that they
   * are no copy (RFC 8470 §3). Default: none are sent, none are taken.
   */
  earlyData?: Uint8Array | boolean | EarlyDataOptions | undefined;
}

/** `certificateCompression` as in Node 24: names. Throws as Node. */
export function readCompressions(
  names: readonly string[] | null | undefined,
): readonly CertificateCompression[] | undefined {
  if (names === undefined || names === null) return undefined;
  checkArray('options.certificateCompression', names);
  if (names.length > ALGORITHMS.length) {
    throw invalidValue('options.certificateCompression', 'can specify at most 3 algorithms', names);
  }
  return names.flatMap((name, index) => {
    if (!ALGORITHMS.includes(name)) {
      const where = `options.certificateCompression[${index}]`;
      throw invalidValue(where, "must be 'zlib', 'brotli', or 'zstd'", name);
    }
    // An older Node has no zstd: then the others have to do.
    return certificateCompressions.filter((algorithm) => algorithm.name === name);
  });
}

const ALGORITHMS: readonly string[] = ['zlib', 'brotli', 'zstd'];

/**
 * Both sides' `renegotiation`, undefined where there is none. A server has the limits of the module, those of now, where the
 * option has none of its own; Node knows none for clients.
 */
export function readRenegotiation({
  given,
  isStrict,
  secureOptions,
}: {
  readonly given: EngineOptions['renegotiation'];
  readonly isStrict: boolean;
  readonly secureOptions: number;
}): Readonly<Record<'client' | 'server', RenegotiationOptions | undefined>> {
  const isOff = given === undefined ? isStrict || (secureOptions & NO_RENEGOTIATION) !== 0 : !given;
  if (isOff) return { client: undefined, server: undefined };
  const options = typeof given === 'object' ? given : {};
  return {
    client: { ...options, limit: options.limit ?? Number.POSITIVE_INFINITY },
    server: {
      ...options,
      get limit() {
        return options.limit ?? live.tls?.CLIENT_RENEG_LIMIT;
      },
      get window() {
        return options.window ?? live.tls?.CLIENT_RENEG_WINDOW;
      },
    },
  };
}

/** SSL_OP_NO_RENEGOTIATION, which `crypto.constants` lacks. */
const NO_RENEGOTIATION = 2 ** 30;

/** A server's `earlyData`; bytes are a client's. */
export function serverEarlyData(earlyData: EarlyDataSettings['earlyData']): EarlyDataOptions | undefined {
  if (!earlyData || earlyData instanceof Uint8Array) return undefined;
  // One for all connections of a server: a guard that is new with each would remember nothing.
  return { replayGuard: new MemoryReplayGuard(), ...(earlyData === true ? {} : earlyData) };
}
