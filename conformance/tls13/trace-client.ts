import type { CryptoProvider } from '@testudo/crypto';
import type { Offer } from '../../packages/tls/src/client-hello-offer.ts';
import { Connection } from '../../packages/tls/src/connection.ts';
import type { Credential } from '../../packages/tls/src/credential.ts';
import type { Flow } from '../../packages/tls/src/flow.ts';
import { groupById } from '../../packages/tls/src/groups.ts';
import type { ClientHandshake } from '../../packages/tls/src/handshake/client-handshake.ts';
import { receive, send } from '../../packages/tls/src/handshake/handshake.ts';
import type { HandshakeResult } from '../../packages/tls/src/handshake/result.ts';
import { Transcript } from '../../packages/tls/src/handshake/transcript.ts';
import { clientHello } from '../../packages/tls/src/messages/client-hello.ts';
import { decodeMessage } from '../../packages/tls/src/messages/handshake-type.ts';
import { type ServerHello, serverHello } from '../../packages/tls/src/messages/server-hello.ts';
import { clientConfig } from '../../packages/tls/src/options.ts';
import { clientServices } from '../../packages/tls/src/services.ts';
import type { Session } from '../../packages/tls/src/sessions/session.ts';
import { cipherSuite13 } from '../../packages/tls/src/suites.ts';
import { TestEnd } from '../../packages/tls/src/testing/end.ts';
import { clientHandshake13 } from '../../packages/tls/src/tls13/client.ts';
import { offeredPsks, sendClientHello } from '../../packages/tls/src/tls13/offered-psk.ts';
import { content, type Trace, withKeys } from './traces.ts';

const GROUPS = [0x001d, 0x0017];

/**
 * Our client with the ClientHello of a trace in the place of its own: everything from there on, every record to
 * the last, is the engine's.
 */
export function traceClient(
  provider: CryptoProvider,
  from: Trace,
  options: { credential?: Credential | undefined; session?: Session | undefined; now?: number } = {},
): TestEnd {
  const fixed = withKeys(provider, from.clientPrivateKeys);
  const config = clientConfig({
    provider: fixed,
    verifyCertificate: () => ({ accepted: true }),
    credentials: options.credential ? [options.credential] : [],
    now: () => options.now ?? 0,
  });
  return new TestEnd(
    (events, observer) =>
      new Connection(config, {
        services: clientServices(config.options),
        events,
        observer,
        initialVersion: 0x0301,
        flow: (channel) =>
          play(
            {
              provider: fixed,
              channel,
              config,
              transcript: new Transcript(fixed),
              observer,
              now: options.now ?? 0,
              lookahead: undefined,
              host: undefined,
              serverName: undefined,
              session: options.session,
              onSession: (session) => events.session?.(session),
              helloRequestsLeft: 0,
            } as ClientHandshake,
            from,
          ),
      }),
  );
}

function* play(h: ClientHandshake, from: Trace): Flow<HandshakeResult> {
  let offer = yield* offerOf(h, from, 'clientHello', GROUPS[0]!);
  sendClientHello(h, offer);
  let retried: ReturnType<typeof cipherSuite13>;
  if ('helloRetryRequest' in from) {
    // Our second hello would hold the same in another order: the trace's own takes its place.
    const retry = yield* receive(h, serverHello);
    retried = cipherSuite13(retry.cipherSuite);
    h.channel.useTls13();
    h.transcript.replaceClientHello(retried!.hash);
    offer = yield* offerOf(h, from, 'secondClientHello', GROUPS[1]!);
    send(h, clientHello, offer.hello);
  }
  const answer = yield* receive(h, serverHello);
  return yield* clientHandshake13(h, offer, answer as ServerHello<'server_hello'>, retried);
}

function* offerOf(h: ClientHandshake, from: Trace, name: string, group: number): Flow<Offer> {
  const hello = decodeMessage(clientHello, { type: 1, raw: content(from, name) });
  return {
    hello,
    shares: [groupById(group)!.start(h.provider)],
    session: h.session,
    psks: yield* offeredPsks(h, h.session),
    offersEarlyData: false,
  };
}
