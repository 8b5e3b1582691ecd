import type { ServerOptions } from '../options.ts';
import type { Session } from './session.ts';

/** Tells the stores of a server that a session must not be resumed. They may take their time; whether they manage is theirs. */
export function abandonSession(
  { tickets, sessionStore }: Pick<ServerOptions, 'tickets' | 'sessionStore'>,
  session: Pick<Session, 'secret' | 'createdAt' | 'lifetime' | 'id'>,
): void {
  attempt(() => (tickets ? tickets.revoke?.(session) : undefined));
  if (session.id.length > 0) attempt(() => sessionStore?.delete?.(session.id));
}

function attempt(action: () => void | Promise<void>): void {
  try {
    const done = action();
    if (done instanceof Promise) done.catch(() => {});
  } catch {
    // The connection has failed already, for a reason that matters more.
  }
}
