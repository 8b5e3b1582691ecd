import { TlsError } from '../errors.ts';
import { cookie } from '../extensions/cookie.ts';
import { keyShare } from '../extensions/key-share.ts';
import { earlyData } from '../extensions/pre-shared-key.ts';
import { groupById } from '../groups/index.ts';
import type { ClientHandshake } from '../handshake/context.ts';
import type { Offer } from '../handshake/offer.ts';
import type { ServerHello } from '../messages/server-hello.ts';
import type { CipherSuite13 } from '../suites/index.ts';
import { endEarlyData } from './early-data.ts';
import { checkPsk, sendClientHello } from './offered-psk.ts';
import { checkServerHello13 } from './server-hello-check.ts';

/** Answers a HelloRetryRequest: the same hello with what was asked for (RFC 9846 §4.2.2, §4.2.4). */
export function retryClientHello(
  h: ClientHandshake,
  offer: Offer,
  retry: ServerHello<'hello_retry_request'>,
): { offer: Offer; suite: CipherSuite13 } {
  const suite = checkServerHello13(h, offer, retry);
  const extensions = offer.hello.extensions;
  const wanted = retry.extensions.get(keyShare);
  const given = retry.extensions.get(cookie);
  // It must change something, or we would go round in circles (RFC 9846 §4.2.4).
  if (wanted === undefined && given === undefined) {
    throw new TlsError('illegal-parameter', 'a HelloRetryRequest that would not change the ClientHello');
  }
  h.channel.useTls13();
  h.transcript.replaceClientHello(suite.hash);
  let shares = offer.shares;
  // The two checks of RFC 9846 §4.3.8: a group that was offered, and no share for it yet.
  if (wanted !== undefined) {
    const group = h.config.groups13.find((candidate) => candidate.id === wanted);
    if (group === undefined) {
      throw new TlsError(
        'illegal-parameter',
        `a retry with the group ${groupById(wanted)?.name ?? wanted}, which was not offered`,
      );
    }
    if (shares.some((own) => own.group.id === wanted)) {
      throw new TlsError('illegal-parameter', `a retry for ${group.name}, although a share for it was sent`);
    }
    shares = [group.start(h.provider)];
    extensions.set(
      keyShare,
      shares.map((own) => ({ group: own.group.id, keyExchange: own.share })),
    );
  }
  if (given !== undefined) extensions.set(cookie, given);
  // A PSK of another hash cannot be used any more (RFC 9846 §4.2.4).
  const psks = offer.psks.filter((psk) => psk.hash === suite.hash);
  if (h.config.requirePsk)
    checkPsk(psks[0], 'the server chooses a suite that fits none of the pre-shared keys offered');
  dropEarlyData(h, offer);
  const second = { ...offer, shares, psks };
  sendClientHello(h, second);
  return { offer: second, suite };
}

/** A retry refuses early data: the second hello must not offer it (RFC 9846 §4.3.10). */
function dropEarlyData(h: ClientHandshake, { hello }: Offer): void {
  if (hello.extensions.has(earlyData)) {
    hello.extensions.delete(earlyData);
    endEarlyData(h);
    return;
  }
  if (hello.legacySessionId.length > 0) h.channel.writeChangeCipherSpec();
}
