import type { ClientConfig, CommonConfig, ServerConfig } from '../config/config.ts';
import type { Channel, ClientHandshake, Handshake, ServerHandshake } from '../handshake/context.ts';
import { Transcript } from '../handshake/transcript.ts';
import { clientHandshake } from '../hello/client.ts';
import { sniFor } from '../hello/client-hello-offer.ts';
import { serverHandshake } from '../hello/server.ts';
import type { Observer } from '../observer.ts';
import { LEGACY_RECORD_VERSION } from '../record/protection.ts';
import { abandonSession, type Ending, endingOf } from '../sessions/abandon.ts';
import { abandonedByClients, type EndedSession } from '../sessions/abandoned-sessions.ts';
import type { Session } from '../sessions/session.ts';
import { Connection } from './connection.ts';
import type { ConnectionEvents } from './events.ts';

/** In the header of a first ClientHello: some old servers refuse anything newer there (RFC 9846 §5.1). */
const FIRST_RECORD_VERSION = 0x0301;

/** A client's connection, not yet started. */
export function clientConnection(
  config: ClientConfig,
  options: {
    /** The name or IP address whose certificate is wanted. Without it only a verifier that asks for no name accepts. */
    host?: string | undefined;
    /** The name for SNI; empty for none. Default: `host` when it is a name. */
    serverName?: string | undefined;
    /** A session to resume. */
    session?: Session | undefined;
    /** Send early data if the session allows it: see {@link Connection.sendEarlyData}. Default false. */
    earlyData?: boolean | undefined;
    observer?: Observer | undefined;
    /** With TLS 1.2, too, go on sending after the peer's close_notify, until `close()`. Default false. */
    halfClose?: boolean | undefined;
    events: ConnectionEvents;
  },
): Connection {
  const { provider } = config;
  const serverName =
    options.serverName === undefined ? sniFor(options.host) : options.serverName || undefined;
  const given: EndedSession[] = [];
  return new Connection(config, {
    services: config.services,
    events: options.events,
    observer: options.observer,
    halfClose: options.halfClose,
    abandonSession: (info) => {
      // The one that was offered is this connection's while nothing else is agreed on.
      const offered = info === undefined || info.resumed ? options.session : undefined;
      if (offered !== undefined) abandonedByClients.add(provider, offered);
      for (const session of given) abandonedByClients.add(provider, session);
    },
    initialVersion: Math.min(FIRST_RECORD_VERSION, config.versions[0] ?? FIRST_RECORD_VERSION),
    flow: (channel) => {
      const handshake: ClientHandshake = Object.assign(firstHandshake(config, channel, options.observer), {
        host: options.host,
        serverName,
        session: options.session,
        onSession: (session: Session) => {
          given.push(endingOf(session));
          options.events.session?.(session);
        },
        wantsEarlyData: options.earlyData ?? false,
      });
      return clientHandshake(handshake);
    },
  });
}

/** A server's connection, not yet started. */
export function serverConnection(
  config: ServerConfig,
  options: {
    observer?: Observer | undefined;
    /** As for a client. Default false. */
    halfClose?: boolean | undefined;
    events: ConnectionEvents;
  },
): Connection {
  let resumed: Ending | undefined;
  return new Connection(config, {
    services: config.services,
    events: options.events,
    observer: options.observer,
    halfClose: options.halfClose,
    // While the handshake runs; what holds afterwards, it says itself.
    abandonSession: () => {
      if (resumed !== undefined) abandonSession(config, resumed);
    },
    initialVersion: LEGACY_RECORD_VERSION,
    ssl2Hello: config.ssl2Hello,
    flow: (channel) => {
      const handshake: ServerHandshake = Object.assign(firstHandshake(config, channel, options.observer), {
        resuming: (session: Session) => {
          resumed = endingOf(session);
        },
      });
      return serverHandshake(handshake);
    },
  });
}

/** What both sides begin with. To be added to and not spread: V8 may give what is spread a shape of its own each time. */
function firstHandshake<Config extends CommonConfig>(
  config: Config,
  channel: Channel,
  observer: Observer | undefined,
): Handshake & { readonly config: Config } {
  const { provider } = config;
  return {
    provider,
    channel,
    config,
    transcript: new Transcript(provider),
    observer,
    now: config.now(),
    lookahead: undefined,
    helloRequestsLeft: 0,
  };
}
