import { bytesEqual } from '@testudo/codec';
import { TlsError } from '../errors.ts';
import type { Flow } from '../flow.ts';
import type { ClientHandshake } from '../handshake/context.ts';
import { receiveRaw } from '../handshake/message-flow.ts';
import type { Offer } from '../handshake/offer.ts';
import type { HandshakeResult } from '../handshake/result.ts';
import {
  DOWNGRADE_JAVA11,
  DOWNGRADE_TLS11,
  DOWNGRADE_TLS12,
  type ServerHello,
  serverHello,
} from '../messages/server-hello.ts';
import type { CipherSuite13 } from '../suites/index.ts';
import { clientHandshake12 } from '../tls12/client.ts';
import type { VersionRules } from '../tls12/version-rules.ts';
import { clientHandshake13 } from '../tls13/client.ts';
import { endEarlyData } from '../tls13/early-data.ts';
import { retryClientHello } from '../tls13/retry.ts';
import { TLS12, TLS13, versionName } from '../versions.ts';

/**
 * A client's handshake from the server's first answer on: it decides on the version, whose own flow goes on (RFC 9846 §E.1).
 */
export function* afterFirstAnswer(
  h: ClientHandshake,
  firstOffer: Offer,
  firstAnswer: ServerHello,
): Flow<HandshakeResult> {
  let [offer, answer] = [firstOffer, firstAnswer];
  let retried: CipherSuite13 | undefined;
  if (isRetry(answer)) {
    ({ offer, suite: retried } = retryClientHello(h, offer, answer));
    const second = yield* receiveRaw(h, serverHello);
    answer = second.value;
    // One in a connection is all there may be (RFC 9846 §4.2.4).
    if (isRetry(answer)) throw new TlsError('unexpected-message', 'a second HelloRetryRequest');
    h.echHooks?.checkSecondAnswer(answer, second.raw);
  }

  if (isTls13(answer)) return yield* clientHandshake13(h, offer, answer, retried);
  if (retried !== undefined)
    throw new TlsError('illegal-parameter', 'a TLS 1.3 retry was followed by an older version');
  const older = answer as ServerHello<'server_hello_12'>;
  // Who answers so has no key for early data. What it can read is in the clear, be it an alert.
  if (offer.offersEarlyData) endEarlyData(h);
  const rules = rulesOfAnswer(h, offer, older);
  h.channel.endCompatibility();
  return yield* clientHandshake12(h, rules, offer, older);
}

function isRetry(answer: ServerHello): answer is ServerHello<'hello_retry_request'> {
  return answer.extensions.place === 'hello_retry_request';
}

function isTls13(answer: ServerHello): answer is ServerHello<'server_hello'> {
  return answer.extensions.place === 'server_hello';
}

/** The version must have been offered, and must be the best both sides know (RFC 9846 §4.2.3, §E.1). */
function rulesOfAnswer(
  h: ClientHandshake,
  offer: Offer,
  answer: ServerHello<'server_hello_12'>,
): VersionRules {
  const { versions, rules } = h.config;
  const version = versions.find((own) => own === answer.legacyVersion && own !== TLS13);
  if (version === undefined) {
    const wanted = versions.map(versionName).join(' or ');
    throw new TlsError(
      'no-common-version',
      `the server wants ${versionName(answer.legacyVersion)}, not ${wanted}`,
    );
  }
  // It does not know how to pass over early data, either: nothing can come of this (RFC 9846 §E.3).
  if (offer.offersEarlyData) {
    const reason = 'which has no early data: only a connection without any can succeed';
    throw new TlsError(
      'early-data-refused-by-version',
      `the server chose ${versionName(version)}, ${reason}`,
    );
  }
  checkDowngrade(answer, Math.max(...versions));
  return rules.get(version)!;
}

/** The server's random tells of what it could have spoken (RFC 9846 §4.2.3). */
function checkDowngrade({ random, legacyVersion }: ServerHello<'server_hello_12'>, best: number): void {
  const marker = random.subarray(24);
  const marked12 =
    best === TLS13 && (bytesEqual(marker, DOWNGRADE_TLS12) || bytesEqual(marker, DOWNGRADE_JAVA11));
  const marked11 = best >= TLS12 && bytesEqual(marker, DOWNGRADE_TLS11);
  // A client that knows no better than what was chosen has not been made to take less.
  if (!marked12 && (!marked11 || legacyVersion === best)) return;
  throw new TlsError(
    'downgrade-detected',
    'the server supports a newer version, but someone made it choose an older one',
  );
}
