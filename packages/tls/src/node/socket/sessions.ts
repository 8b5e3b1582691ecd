import { createHash } from 'node:crypto';
import type { EventEmitter } from 'node:events';
import type { Duplex } from 'node:stream';
import type { ConnectionInfo } from '../../handshake/result.ts';
import { decodeSession, encodeSession, type Session } from '../../sessions/session.ts';
import type { SessionStore } from '../../sessions/session-store.ts';
import { VERSIONS } from '../../versions.ts';
import { checkBytes } from '../errors/arguments.ts';
import { answering, callOut } from '../errors/user-error.ts';

/** Stands before sessions in a store: those of another `sessionIdContext` are not taken, for servers with different rules may share it. */
export function contextMark(context: string | undefined): Buffer {
  return context === undefined
    ? Buffer.alloc(0)
    : createHash('sha256').update(context).digest().subarray(0, 16);
}

/** A session as the Buffer that 'session' gives and the option `session` takes. It holds the session's secret. */
export function sessionToBuffer(session: Session): Buffer<ArrayBuffer> {
  const bytes = encodeSession(session);
  return Buffer.from(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.length);
}

/** The other way; undefined for anything else, such as a session of `node:tls`, which then is not resumed. */
export function sessionFromBuffer(buffer: Uint8Array): Session | undefined {
  return decodeSession(new Uint8Array(buffer));
}

/** What a connection has that was given no session, as in TLS 1.3 before its tickets: it tells it from others, and is of no use. */
export function unnamedSession(info: ConnectionInfo): Session {
  return {
    version: VERSIONS[info.version],
    cipherSuite: info.cipherSuite.id,
    secret: info.randoms.client,
    extendedMasterSecret: info.extendedMasterSecret,
    createdAt: Date.now(),
    lifetime: 0,
    ageAdd: 0,
    id: NOTHING,
    ticket: NOTHING,
    serverName: info.serverName ?? '',
    host: '',
    alpnProtocol: info.alpnProtocol ?? '',
    maxEarlyData: 0,
    peerCertificates: [],
    peerVerified: false,
  };
}

const NOTHING = new Uint8Array(0);

/** TLS 1.2 sessions kept by whoever listens to 'newSession' and 'resumeSession', for one connection. */
export class EventSessionStore implements SessionStore {
  readonly #emitter: EventEmitter;
  readonly #socket: Pick<Duplex, 'destroy'>;
  readonly #mark: Buffer;

  /**
   * @param emitter who is listened to.
   * @param socket whose handshake it is.
   * @param mark as {@link contextMark} makes it.
   */
  constructor(emitter: EventEmitter, socket: Pick<Duplex, 'destroy'>, mark: Buffer) {
    this.#emitter = emitter;
    this.#socket = socket;
    this.#mark = mark;
  }

  get(id: Uint8Array): Promise<Session | undefined> | undefined {
    if (this.#emitter.listenerCount('resumeSession') === 0) return undefined;
    return new Promise((resolve, reject) => {
      const take = (data: Buffer | null | undefined) => resolve(data ? this.#read(data) : undefined);
      const answer = answering('resumeSession', this.#socket, take, reject);
      callOut('resumeSession', () => this.#emitter.emit('resumeSession', Buffer.from(id), answer), reject);
    });
  }

  set(id: Uint8Array, session: Session): Promise<void> | undefined {
    if (this.#emitter.listenerCount('newSession') === 0) return undefined;
    return new Promise((resolve) => {
      const data = Buffer.concat([this.#mark, sessionToBuffer(session)]);
      this.#emitter.emit('newSession', Buffer.from(id), data, () => resolve());
    });
  }

  #read(data: Uint8Array): Session | undefined {
    checkBytes('session', data);
    const { length } = this.#mark;
    if (Buffer.compare(data.subarray(0, length), this.#mark) !== 0) return undefined;
    return sessionFromBuffer(data.subarray(length));
  }
}
