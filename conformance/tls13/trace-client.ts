import type { CryptoProvider } from '@testudo/crypto';
import { Connection, type Credential, clientConfig, groupById, type Session } from '@testudo/tls';
import {
  type ClientHandshake,
  cipherSuite13,
  clientHandshake13,
  clientHello,
  clientServices,
  decodeMessage,
  type Flow,
  type HandshakeResult,
  type Offer,
  offeredPsks,
  receive,
  type ServerHello,
  send,
  sendClientHello,
  serverHello,
  TestEnd,
  Transcript,
} from '#tls/testing';
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
              wantsEarlyData: false,
            },
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
