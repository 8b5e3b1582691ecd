import { toHex } from '@testudo/codec';
import type { ClientConfig, ServerConfig } from '../config/config.ts';
import type { Connection } from '../connection/connection.ts';
import { clientConnection, serverConnection } from '../connection/endpoint.ts';
import type { ConnectionEvents } from '../connection/events.ts';
import type { TlsError } from '../errors.ts';
import type { ConnectionInfo, FalseStartInfo } from '../handshake/result.ts';
import { handshakeTypeName } from '../messages/handshake-type.ts';
import type { Observer } from '../observer.ts';
import type { Session } from '../sessions/session.ts';
import { SERVER_NAME } from './pki.ts';

const NOTHING = new Uint8Array(0);

/** A connection of the engine with everything it told its owner. */
export class TestEnd {
  readonly connection: Connection;
  readonly secured: ConnectionInfo[] = [];
  readonly data: Uint8Array[] = [];
  readonly earlyData: Uint8Array[] = [];
  readonly changes: ConnectionInfo[] = [];
  readonly falseStarts: FalseStartInfo[] = [];
  readonly errors: TlsError[] = [];
  readonly sessions: Session[] = [];
  ended = 0;
  /** Renegotiations that the peer did not want. */
  declined = 0;
  woken = 0;
  /** Handshake messages as `sent client_hello`, keys as `keys sent handshake`, alerts as `alert sent fatal x`. */
  readonly log: string[] = [];
  /** Secrets by key log label, hexadecimal. */
  readonly secrets = new Map<string, string>();

  constructor(connect: (events: ConnectionEvents, observer: Observer) => Connection) {
    this.connection = connect(
      {
        secure: (info) => void this.secured.push(info),
        data: (bytes) => void this.data.push(bytes),
        earlyData: (bytes) => void this.earlyData.push(bytes),
        falseStart: (info) => void this.falseStarts.push(info),
        changed: (info) => void this.changes.push(info),
        failed: (error) => void this.errors.push(error),
        session: (session) => void this.sessions.push(session),
        renegotiationDeclined: () => void this.declined++,
        end: () => void this.ended++,
        wake: () => void this.woken++,
      },
      {
        message: (direction, { type }) => void this.log.push(`${direction} ${handshakeTypeName(type)}`),
        changeCipherSpec: (direction) => void this.log.push(`${direction} ccs`),
        keys: (direction, epoch) => void this.log.push(`keys ${direction} ${epoch}`),
        alert: (direction, level, name) => void this.log.push(`alert ${direction} ${level} ${name}`),
        secret: (label, _random, secret) => void this.secrets.set(label, toHex(secret)),
      },
    );
  }

  get info(): ConnectionInfo {
    return this.secured[0]!;
  }

  /** All application data that came, as text. */
  get text(): string {
    return this.data.map((bytes) => String.fromCharCode(...bytes)).join('');
  }

  take(): Uint8Array {
    return this.connection.takeOutgoing() ?? NOTHING;
  }
}

export function clientEnd(
  config: ClientConfig,
  options: {
    host?: string;
    serverName?: string;
    session?: Session | undefined;
    earlyData?: boolean;
  } = {},
): TestEnd {
  return new TestEnd((events, observer) =>
    clientConnection(config, { host: SERVER_NAME, ...options, events, observer }),
  );
}

export function serverEnd(config: ServerConfig): TestEnd {
  return new TestEnd((events, observer) => serverConnection(config, { events, observer }));
}
