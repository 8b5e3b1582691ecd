import type { EventEmitter } from 'node:events';
import { decodeSession, encodeSession, type Session } from '../sessions/session.ts';
import type { SessionStore } from '../sessions/session-store.ts';

/** A session as the Buffer that 'session' gives and the option `session` takes. It holds the session's secret. */
export function sessionToBuffer(session: Session): Buffer {
  const bytes = encodeSession(session);
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** The other way; undefined for anything else, such as a session of `node:tls`, which then is not resumed. */
export function sessionFromBuffer(buffer: Uint8Array): Session | undefined {
  return decodeSession(new Uint8Array(buffer));
}

/** TLS 1.2 sessions kept by whoever listens to 'newSession' and 'resumeSession'. */
export class EventSessionStore implements SessionStore {
  readonly #emitter: EventEmitter;

  constructor(emitter: EventEmitter) {
    this.#emitter = emitter;
  }

  get(id: Uint8Array): Promise<Session | undefined> | undefined {
    if (this.#emitter.listenerCount('resumeSession') === 0) return undefined;
    return new Promise((resolve, reject) => {
      this.#emitter.emit('resumeSession', Buffer.from(id), (error: Error | null, data: Buffer | null) => {
        if (error) reject(error);
        else resolve(data ? sessionFromBuffer(data) : undefined);
      });
    });
  }

  set(id: Uint8Array, session: Session): Promise<void> | undefined {
    if (this.#emitter.listenerCount('newSession') === 0) return undefined;
    return new Promise((resolve) => {
      this.#emitter.emit('newSession', Buffer.from(id), sessionToBuffer(session), () => resolve());
    });
  }
}
