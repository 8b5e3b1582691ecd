import { bytesEqual } from '@testudo/codec';
import { TlsError } from '../errors.ts';
import { cookie } from '../extensions/cookie.ts';
import { supportedVersions } from '../extensions/negotiation.ts';
import type { ClientHandshake } from '../handshake/context.ts';
import type { Offer } from '../handshake/offer.ts';
import type { ServerHello } from '../messages/server-hello.ts';
import { type CipherSuite13, cipherSuite13 } from '../suites/index.ts';
import { TLS12, TLS13 } from '../versions.ts';

/** What holds for a TLS 1.3 ServerHello and a HelloRetryRequest alike (RFC 9846 §4.2.3, §4.2.4). */
export function checkServerHello13(h: ClientHandshake, offer: Offer, answer: ServerHello): CipherSuite13 {
  const selected = (answer as ServerHello<'server_hello'>).extensions.get(supportedVersions);
  if (selected === undefined)
    throw new TlsError('missing-extension', 'a HelloRetryRequest without supported_versions');
  if (selected !== TLS13 || !h.config.versions.includes(TLS13)) {
    throw new TlsError(
      'illegal-parameter',
      `supported_versions selects 0x${selected.toString(16)}, which was not offered`,
    );
  }
  if (answer.legacyVersion !== TLS12) {
    throw new TlsError(
      'no-common-version',
      `legacy_version of a TLS 1.3 server is 0x${answer.legacyVersion.toString(16)}`,
    );
  }
  if (!bytesEqual(answer.legacySessionIdEcho, offer.hello.legacySessionId)) {
    throw new TlsError('illegal-parameter', 'ServerHello does not echo the session ID');
  }
  if (answer.legacyCompressionMethod !== 0) {
    throw new TlsError('illegal-parameter', 'ServerHello selects a compression method');
  }
  // A cookie is the one thing a retry may bring that was not asked for.
  answer.extensions.expectSolicited(offer.hello.extensions, [supportedVersions, cookie]);
  const suite = cipherSuite13(answer.cipherSuite);
  if (suite === undefined || !offer.hello.cipherSuites.includes(suite.id)) {
    throw new TlsError(
      'illegal-parameter',
      `ServerHello selects the suite 0x${answer.cipherSuite.toString(16)}, which was not offered`,
    );
  }
  return suite;
}
