import type { ClientTerms } from '../config/config.ts';
import { MAX_HELLO_REQUESTS } from '../config/defaults.ts';
import { TlsError } from '../errors.ts';
import { offerFeatures } from '../features/client-features.ts';
import type { Flow } from '../flow.ts';
import type { ClientHandshake, PreviousHandshake } from '../handshake/context.ts';
import { receive } from '../handshake/message-flow.ts';
import type { Offer } from '../handshake/offer.ts';
import type { AfterHandshake, HandshakeResult } from '../handshake/result.ts';
import { Transcript } from '../handshake/transcript.ts';
import { makeOffer } from '../hello/client-hello-offer.ts';
import { shapeHello } from '../hello/client-hello-shape.ts';
import { type ServerHello, serverHello } from '../messages/server-hello.ts';
import type { Session } from '../sessions/session.ts';
import { suiteFits } from '../suites/index.ts';
import { sendClientHello } from '../tls13/offered-psk.ts';
import { type Version, versionName } from '../versions.ts';
import { peerMayBegin, type Renegotiation } from './renegotiation.ts';
import type { VersionRules } from './version-rules.ts';

/** A client's handshake from ServerHello on. */
type Continuation = (
  h: ClientHandshake,
  rules: VersionRules,
  offer: Offer,
  hello: ServerHello<'server_hello_12'>,
) => Flow<HandshakeResult>;

/** What stays the same from one handshake of a connection to the next. */
type Constant = Pick<
  ClientHandshake,
  'provider' | 'channel' | 'config' | 'observer' | 'host' | 'serverName' | 'onSession'
>;

/** A client's renegotiation: a ClientHello like the first one, for the version that is spoken (RFC 5746 §3.5). */
export class ClientRenegotiation implements Renegotiation {
  readonly #constant: Constant;
  readonly #rules: VersionRules;
  readonly #previous: PreviousHandshake;
  readonly #session: Session | undefined;
  readonly #goOn: Continuation;

  /** @param session the one that this connection has, to resume. */
  constructor(
    h: ClientHandshake,
    rules: VersionRules,
    previous: PreviousHandshake,
    session: Session | undefined,
    goOn: Continuation,
  ) {
    // Not the handshake itself: it holds on to the transcript.
    const { provider, channel, config, observer, host, serverName, onSession } = h;
    this.#constant = { provider, channel, config, observer, host, serverName, onSession };
    this.#rules = rules;
    this.#previous = previous;
    this.#session = session;
    this.#goOn = goOn;
  }

  /** HelloRequest. */
  answer(): Flow<AfterHandshake> | undefined {
    return peerMayBegin(this.#previous) ? this.begin(false) : undefined;
  }

  *begin(resume: boolean): Flow<AfterHandshake> {
    const h = this.#handshake(resume ? this.#session : undefined);
    const offer = yield* makeOffer(h);
    offerFeatures(h, offer.hello.extensions);
    offer.hello = shapeHello(h, offer.hello);
    sendClientHello(h, offer);
    const answer = yield* receiveServerHello(h);
    if (answer === undefined) return { info: undefined };
    return yield* this.#goOn(h, this.#rules, offer, answer);
  }

  requestCertificate(): void {
    throw new TlsError('not-connected', 'a client cannot ask for a certificate: it always gets one');
  }

  declined(): void {}

  #handshake(session: Session | undefined): ClientHandshake {
    const { config, provider } = this.#constant;
    return {
      ...this.#constant,
      config: onlyVersion(config, this.#rules.version),
      transcript: new Transcript(provider),
      now: config.now(),
      lookahead: undefined,
      session,
      // Those that crossed our hello (RFC 5246 §7.4.1.1).
      helloRequestsLeft: MAX_HELLO_REQUESTS,
      wantsEarlyData: false,
      renegotiates: this.#previous,
    };
  }
}

/** The version stays as it is (RFC 9846 §4.2.2). */
function onlyVersion(config: ClientTerms, version: Version): ClientTerms {
  const cipherSuites = config.cipherSuites.filter((suite) => suiteFits(suite, version));
  return { ...config, versions: [version], cipherSuites, echOffer: undefined };
}

/** Undefined when the server does not want to: then all stays as it was (RFC 5246 §7.2.2). */
function* receiveServerHello(h: ClientHandshake): Flow<ServerHello<'server_hello_12'> | undefined> {
  let answer: ServerHello;
  try {
    answer = yield* receive(h, serverHello);
  } catch (error) {
    if (error instanceof TlsError && error.code === 'renegotiation-declined') return undefined;
    throw error;
  }
  const wanted = h.config.versions[0]!;
  if (answer.extensions.place === 'server_hello_12' && answer.legacyVersion === wanted)
    return answer as ServerHello<'server_hello_12'>;
  // TLS 1.3 must not come of a renegotiation (RFC 9846 §4.2.3), and we keep the version altogether.
  throw new TlsError('no-common-version', `a renegotiation that does not keep ${versionName(wanted)}`);
}
