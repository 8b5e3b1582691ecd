import { TlsError } from '../errors.ts';
import { mayResumeEarly } from '../features/application-settings.ts';
import type { ClientHandshake } from '../handshake/context.ts';
import type { Offer, OfferedPsk } from '../handshake/offer.ts';
import { PlaintextSealer } from '../record/protection.ts';
import { isForPeer } from '../sessions/offered-session.ts';
import { type CipherSuite13, cipherSuite13 } from '../suites/index.ts';
import { TLS12 } from '../versions.ts';
import { KeySchedule } from './key-schedule.ts';
import { earlySecrets } from './traffic-secrets.ts';

/** What became of early data (RFC 9846 §4.3.10). */
export type EarlyDataOutcome = 'none' | 'accepted' | 'rejected';

/** Whether the caller wants early data and the session allows it. */
export function canSendEarlyData(h: ClientHandshake, psks: readonly OfferedPsk[]): boolean {
  return h.wantsEarlyData && earlySession(h, psks) !== undefined;
}

/** Sets up the keys for early data right after the ClientHello that offers it (RFC 9846 §7.1). */
export function openEarlyData(h: ClientHandshake, offer: Offer): void {
  if (!offer.offersEarlyData) return;
  const { psk, suite, maxEarlyData } = earlySession(h, offer.psks)!;
  const hash = h.provider.digest(suite.hash, h.transcript.messages());
  const schedule = new KeySchedule(h.provider, suite, psk.key);
  const secrets = earlySecrets(h, schedule, hash, offer.hello.random);
  // As middleboxes expect it before anything encrypted (RFC 9846 §E.4).
  // Only the header of a first ClientHello may name TLS 1.0 (RFC 9846 §5.1).
  h.channel.useVersion(TLS12, 'sent');
  if (offer.hello.legacySessionId.length > 0) h.channel.writeChangeCipherSpec();
  h.channel.openEarlyData(schedule.sealer(secrets.client), maxEarlyData, (label, context, length) =>
    schedule.exporter(secrets.exporter, label, context, length),
  );
}

/** No early data goes any more, and what does is in the clear again. */
export function endEarlyData({ channel }: ClientHandshake): void {
  channel.closeEarlyData();
  channel.setSealer(new PlaintextSealer(), 'plaintext');
}

/** What the server answered. Early data goes with the first PSK and its suite only (RFC 9846 §4.3.10). */
export function earlyDataOutcome(
  offer: Offer,
  answer: {
    readonly accepted: boolean;
    readonly psk: OfferedPsk | undefined;
    readonly suite: CipherSuite13;
    readonly alpnProtocol: string | undefined;
  },
): EarlyDataOutcome {
  if (!answer.accepted) return offer.offersEarlyData ? 'rejected' : 'none';
  const { psk, suite } = answer;
  if (psk === undefined || psk !== offer.psks[0] || psk.session?.cipherSuite !== suite.id) {
    throw new TlsError(
      'illegal-parameter',
      'the server accepts early data under a different key than it was sent with',
    );
  }
  if (psk.session.alpnProtocol !== (answer.alpnProtocol ?? '')) {
    throw new TlsError(
      'illegal-parameter',
      'the server accepts early data, but chose a different protocol than it was sent for (RFC 9846 §4.3.10)',
    );
  }
  return 'accepted';
}

function earlySession(
  h: ClientHandshake,
  psks: readonly OfferedPsk[],
): { psk: OfferedPsk; suite: CipherSuite13; maxEarlyData: number } | undefined {
  const psk = psks[0];
  const session = psk?.session;
  if (psk === undefined || session === undefined || session.maxEarlyData === 0) return undefined;
  const suite = cipherSuite13(session.cipherSuite);
  if (suite === undefined || !h.config.cipherSuites.includes(suite)) return undefined;
  // The server would have to speak the same protocol as when the session began.
  const protocols = h.config.alpnProtocols;
  if (session.alpnProtocol !== '' && !protocols.includes(session.alpnProtocol)) return undefined;
  if (!mayResumeEarly(h, session) || !isForPeer(h, session)) return undefined;
  return { psk, suite, maxEarlyData: session.maxEarlyData };
}
