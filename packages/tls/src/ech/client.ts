import { CertificateError, peerNameOf, verifyName } from '@testudo/x509';
import { rejection } from '../certificates/verdict.ts';
import { TlsError } from '../errors.ts';
import type { ExtensionBlock } from '../extensions/block.ts';
import { encryptedClientHello } from '../extensions/encrypted-client-hello.ts';
import { earlyData } from '../extensions/pre-shared-key.ts';
import { offerFeatures } from '../features/client-features.ts';
import type { Flow } from '../flow.ts';
import type { ClientHandshake } from '../handshake/context.ts';
import { receiveOnly } from '../handshake/message-flow.ts';
import { negotiatedOf } from '../handshake/negotiated.ts';
import type { Offer } from '../handshake/offer.ts';
import type { ConnectionInfo, HandshakeResult } from '../handshake/result.ts';
import { Transcript } from '../handshake/transcript.ts';
import { verifiedCertificates } from '../handshake/verified-certificates.ts';
import { afterFirstAnswer } from '../hello/client-answer.ts';
import { makeOffer } from '../hello/client-hello-offer.ts';
import { shapeHello } from '../hello/client-hello-shape.ts';
import { serverHello } from '../messages/server-hello.ts';
import { isSuite13 } from '../suites/index.ts';
import { openEarlyData } from '../tls13/early-data.ts';
import { sendClientHello } from '../tls13/offered-psk.ts';
import { TLS13 } from '../versions.ts';
import type { EchOffer } from './chosen-config.ts';
import type { EchHooks } from './client-hooks.ts';
import { parseEchConfigList } from './config-list.ts';
import { InnerHello } from './inner-hello.ts';

/**
 * A client's handshake that hides its hello inside another one (RFC 9849 §6.1): two handshakes begin, and the server's
 * first answer tells which of them goes on.
 */
export function* echHandshake(h: ClientHandshake, offer: EchOffer): Flow<HandshakeResult> {
  const retry = new RetryConfigs();
  const outer = outerHandshake(h, offer, retry);
  const plainInner = innerHandshake(h);
  const innerOffer = yield* makeInnerOffer(plainInner);
  const outerOffer = yield* makeOuterOffer(outer, innerOffer);
  const hello = new InnerHello(offer, plainInner.transcript, outer, outerOffer);
  const inner = { ...plainInner, echHooks: hello };
  sendClientHello(inner, innerOffer);
  h.channel.beginCompatibility();
  openEarlyData(inner, innerOffer);

  const { value: answer, raw } = yield* receiveOnly(h, serverHello);
  if (hello.isConfirmedBy(answer, raw)) {
    inner.transcript.add(raw);
    negotiatedOf(inner).ech = 'accepted';
    return yield* afterFirstAnswer(inner, innerOffer, answer);
  }
  outer.transcript.add(raw);
  const { info, established } = yield* withoutCredentials(afterFirstAnswer(outer, outerOffer, answer));
  established.wipe();
  throw echRejection(info, offer.config.publicName, retry);
}

/** TLS 1.3 only, and everything that the user wants. */
function innerHandshake(h: ClientHandshake): ClientHandshake {
  const cipherSuites = h.config.cipherSuites.filter(isSuite13);
  const config = { ...h.config, versions: [TLS13], cipherSuites };
  return { ...h, config, transcript: new Transcript(h.provider) };
}

/** Nothing but the public name, and what says nothing about the user's wishes. */
function outerHandshake(
  h: ClientHandshake,
  { config, outerAlpnProtocols }: EchOffer,
  echHooks: EchHooks,
): ClientHandshake {
  const { features } = h.config;
  return {
    ...h,
    config: {
      ...h.config,
      alpnProtocols: outerAlpnProtocols,
      npn: undefined,
      // Nothing is spoken with whom reads this hello; it must be able to say with which keys to come again.
      requireAlpn: false,
      hasPsks: false,
      trustAnchors: undefined,
      features: { ...features, custom: [], settings: undefined },
      keyShareGroups: [],
    },
    host: config.publicName,
    serverName: config.publicName,
    session: undefined,
    onSession: () => {},
    wantsEarlyData: false,
    echHooks,
  };
}

function* makeInnerOffer(h: ClientHandshake): Flow<Offer> {
  const offer = yield* makeOffer(h);
  offer.hello.extensions.set(encryptedClientHello, { type: 'inner' });
  offerFeatures(h, offer.hello.extensions);
  offer.hello = shapeHello(h, offer.hello);
  return offer;
}

/** As much of it as does not depend on what is encrypted: the rest comes with each hello. */
function* makeOuterOffer(h: ClientHandshake, inner: Offer): Flow<Offer> {
  const made = yield* makeOffer(h);
  const { extensions } = made.hello;
  if (inner.offersEarlyData) extensions.set(earlyData, null);
  extensions.set(encryptedClientHello, { type: 'inner' });
  offerFeatures(h, extensions);
  const { legacySessionId } = inner.hello;
  const hello = shapeHello(h, { ...made.hello, legacySessionId });
  return { ...made, hello, shares: inner.shares, offersEarlyData: inner.offersEarlyData };
}

/** The outer handshake's side, once the server went on with it: keeps what it sends to try again with. */
class RetryConfigs implements EchHooks {
  list: Uint8Array | undefined;

  arrange(): void {}

  wrap(_offer: Offer, raw: Uint8Array): Uint8Array {
    return raw;
  }

  checkSecondAnswer(): void {}

  learn(extensions: ExtensionBlock<'encrypted_extensions'>): void {
    const list = extensions.get(encryptedClientHello);
    this.list = list && new Uint8Array(list);
  }
}

/**
 * The end of a handshake with the outer hello (RFC 9849 §6.1.6): a failure, whatever the server said. Only what it said with a
 * good certificate for the public name counts, even where the user accepts any certificate, or any name: who can send other
 * configurations reads the name that the next hello hides.
 */
function echRejection(info: ConnectionInfo, publicName: string, { list }: RetryConfigs): TlsError {
  if (info.authorizationError !== undefined) return rejection(info.authorizationError);
  const [leaf] = info.peerCertificates;
  if (leaf === undefined) {
    return new TlsError('bad-certificate', `the server showed no certificate for ${publicName}`);
  }
  const problem = problemOfName(leaf, publicName);
  if (problem !== undefined) return problem;
  const retryConfigs = list !== undefined && parseEchConfigList(list).length > 0 ? list : undefined;
  const advice =
    retryConfigs === undefined
      ? 'and indicates that it does not use Encrypted Client Hello'
      : 'and sent configurations to try again with';
  return new TlsError('ech-rejected', `the server did not decrypt the hello, ${advice}`, {
    ...(retryConfigs ? { retryConfigs } : {}),
  });
}

/** Where ECH was rejected, the certificate must be for the public name (RFC 9849 §6.1.7). */
function problemOfName(leaf: Uint8Array, name: string): TlsError | undefined {
  try {
    verifyName(verifiedCertificates.parse(leaf), peerNameOf(name));
    return undefined;
  } catch (error) {
    if (error instanceof CertificateError) return rejection(error);
    throw error;
  }
}

/** A server for the public name only is shown no certificate of the client's (RFC 9849 §6.1.7). */
function* withoutCredentials<R>(flow: Flow<R>): Flow<R> {
  try {
    let step = flow.next();
    while (step.done !== true) {
      if (step.value.op === 'chooseClientCredential') {
        step = flow.next([]);
        continue;
      }
      let answer: unknown;
      try {
        answer = yield step.value;
      } catch (error) {
        step = flow.throw(error);
        continue;
      }
      step = flow.next(answer);
    }
    return step.value;
  } finally {
    flow.return(undefined as R);
  }
}
