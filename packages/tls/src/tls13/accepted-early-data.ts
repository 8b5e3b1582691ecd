import { earlyData, preSharedKey } from '../extensions/pre-shared-key.ts';
import { agreesWithSettings, type ChosenSettings } from '../features/application-settings.ts';
import { type Flow, perform } from '../flow.ts';
import type { ServerHandshake } from '../handshake/context.ts';
import type { ClientHello } from '../messages/client-hello.ts';
import type { ClientHelloInfo } from '../requests.ts';
import type { CipherSuite13 } from '../suites/index.ts';
import type { AcceptedPsk } from './accepted-psk.ts';

/**
 * Whether the client's early data is taken (RFC 9846 §4.3.10, §8.2): under the first PSK, a session of ours with the same
 * suite and protocol, fresh, and never seen before.
 */
export function* acceptsEarlyData(
  h: ServerHandshake,
  hello: ClientHello,
  agreed: {
    readonly info: ClientHelloInfo;
    readonly psk: AcceptedPsk | undefined;
    readonly suite: CipherSuite13;
    readonly alpnProtocol: string | undefined;
    readonly settings: ChosenSettings | undefined;
    readonly retried: boolean;
  },
): Flow<boolean> {
  const { psk, suite, alpnProtocol } = agreed;
  const session = psk?.session;
  if (h.config.maxEarlyData === 0 || agreed.retried || !hello.extensions.has(earlyData)) return false;
  if (psk === undefined || session === undefined || psk.index !== 0 || session.maxEarlyData === 0)
    return false;
  if (session.cipherSuite !== suite.id || session.alpnProtocol !== (alpnProtocol ?? '')) return false;
  // What is said before the server answers is for the name that the session began with.
  if (session.serverName !== (agreed.info.serverName ?? '')) return false;
  if (!agreesWithSettings(session, agreed.settings?.own)) return false;
  if (!ageIsRight(h, psk)) return false;
  // The binder is different in every ClientHello, and nobody without the key can make another one.
  const id = hello.extensions.get(preSharedKey)!.binders[0]!;
  const expiresAt = h.now + 2 * h.config.earlyDataAgeTolerance;
  return yield* perform('admitEarlyData', { info: agreed.info, id, expiresAt });
}

/** The age that the client states is the one that we see, but for the time on the way (RFC 9846 §8.3). */
function ageIsRight(h: ServerHandshake, { offered, session }: AcceptedPsk): boolean {
  const stated = (offered.obfuscatedTicketAge - session!.ageAdd + 2 ** 32) % 2 ** 32;
  const seen = h.now - session!.createdAt;
  return Math.abs(seen - stated) <= h.config.earlyDataAgeTolerance;
}
