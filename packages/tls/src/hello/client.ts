import { echHandshake } from '../ech/client.ts';
import { offerGreaseEch } from '../ech/grease.ts';
import { offerFeatures } from '../features/client-features.ts';
import type { Flow } from '../flow.ts';
import { checkUsable } from '../handshake/check-usable.ts';
import type { ClientHandshake } from '../handshake/context.ts';
import { receive } from '../handshake/message-flow.ts';
import type { HandshakeResult } from '../handshake/result.ts';
import { serverHello } from '../messages/server-hello.ts';
import { openEarlyData } from '../tls13/early-data.ts';
import { sendClientHello } from '../tls13/offered-psk.ts';
import { TLS13 } from '../versions.ts';
import { afterFirstAnswer } from './client-answer.ts';
import { makeOffer } from './client-hello-offer.ts';
import { shapeHello } from './client-hello-shape.ts';

/** A client's handshake: says hello (RFC 9846 §4.2.2), and goes on with what the server answers. */
export function* clientHandshake(h: ClientHandshake): Flow<HandshakeResult> {
  checkUsable(h.config);
  const { echOffer } = h.config;
  if (typeof echOffer === 'object') return yield* echHandshake(h, echOffer);
  const offer = yield* makeOffer(h);
  offerFeatures(h, offer.hello.extensions);
  if (echOffer === 'grease') offerGreaseEch(h, offer);
  offer.hello = shapeHello(h, offer.hello);
  sendClientHello(h, offer);
  if (h.config.versions.includes(TLS13)) h.channel.beginCompatibility();
  openEarlyData(h, offer);
  return yield* afterFirstAnswer(h, offer, yield* receive(h, serverHello));
}
