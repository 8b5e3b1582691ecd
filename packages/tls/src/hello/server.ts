import { openFirstHello } from '../ech/server.ts';
import { TlsError } from '../errors.ts';
import { supportedVersions } from '../extensions/negotiation.ts';
import { isJava11 } from '../features/java11.ts';
import type { Flow } from '../flow.ts';
import { checkUsable } from '../handshake/check-usable.ts';
import type { ServerHandshake } from '../handshake/context.ts';
import { receiveRaw } from '../handshake/message-flow.ts';
import type { HandshakeResult } from '../handshake/result.ts';
import { type ClientHello, checkLegacyVersion, clientHello } from '../messages/client-hello.ts';
import { FALLBACK_SCSV } from '../suites/index.ts';
import { serverHandshake12 } from '../tls12/server.ts';
import { serverHandshake13 } from '../tls13/server.ts';
import { TLS12, TLS13, VERSIONS, type Version, versionName } from '../versions.ts';
import { hostName } from './client-hello-info.ts';

/** A server's handshake: the client's hello decides on the version, and the version's own flow goes on (RFC 9846 §E.2). */
export function* serverHandshake(h: ServerHandshake): Flow<HandshakeResult> {
  // Who brings a cookie to another connection sends a ChangeCipherSpec before (RFC 9846 §4.3.2).
  if (h.config.retryCookies !== undefined) h.channel.beginCompatibility();
  const { value: received, raw } = yield* receiveRaw(h, clientHello);
  checkUsable(h.config);
  h.clientHello = raw;
  // It is hashed as it came (RFC 5246 §E.2).
  if (h.channel.ssl2Hello !== undefined) h.transcript.replaceLast(h.channel.ssl2Hello);
  const hello = openFirstHello(h, received, raw);
  h.channel.requestedName = hostName(hello);
  checkLegacyVersion(received, hello);
  const version = negotiateVersion(h, hello);
  h.channel.chooseVersion(version);
  checkHello(hello, version);
  if (version === TLS13) return yield* serverHandshake13(h, hello);
  h.channel.endCompatibility();
  return yield* serverHandshake12(h, h.config.rules.get(version)!, hello);
}

/** The best version both know (RFC 9846 §4.3.1); without supported_versions that is at most 1.2 (RFC 5246 §E.1). */
function negotiateVersion(h: ServerHandshake, hello: ClientHello): Version {
  const { versions } = h.config;
  const offered = hello.extensions.get(supportedVersions) ?? upTo(hello.legacyVersion);
  let version = versions.find((own) => offered.includes(own));
  if (version === TLS13 && h.config.java11Workaround && isJava11(hello)) {
    const older = versions.find((own) => own !== TLS13 && offered.includes(own));
    h.avoidsTls13 = older !== undefined;
    version = older ?? version;
  }
  if (version === undefined) {
    const theirs = offered.map(versionName).join(', ');
    throw new TlsError(
      'no-common-version',
      `the client offers ${theirs}; this server speaks ${versions.map(versionName).join(', ')}`,
    );
  }
  // RFC 7507 §3: a client that falls back while we could do better is being played with.
  if (hello.cipherSuites.includes(FALLBACK_SCSV) && version < Math.max(...versions)) {
    throw new TlsError(
      'inappropriate-fallback',
      'the client fell back to an older version although this server has a newer one',
    );
  }
  return version;
}

/** A client without supported_versions takes every version up to the one it names (RFC 5246 §E.1). */
function upTo(legacyVersion: number): readonly number[] {
  const known = Object.values(VERSIONS).filter((version) => version <= TLS12 && version <= legacyVersion);
  return known.length > 0 ? known.reverse() : [legacyVersion];
}

/** RFC 9846 §4.2.2: compression is gone; up to 1.2 "none" must be among the methods. */
function checkHello(hello: ClientHello, version: Version): void {
  const methods = hello.legacyCompressionMethods;
  if (!methods.includes(0) || (version === TLS13 && methods.length > 1)) {
    throw new TlsError('illegal-parameter', 'ClientHello asks for compression');
  }
}
