import type { ServerTerms } from '../config/config.ts';
import type { Session } from './session.ts';

/** What is kept of a session to abandon it: not its ticket and certificates. */
export type Ending = Pick<Session, 'secret' | 'createdAt' | 'lifetime' | 'id'>;

export function endingOf({ secret, createdAt, lifetime, id }: Session): Ending {
  return { secret, createdAt, lifetime, id };
}

/** Tells the stores of a server that a session must not be resumed. They may take their time; whether they manage is theirs. */
export function abandonSession(
  { tickets, sessionStore }: Pick<ServerTerms, 'tickets' | 'sessionStore'>,
  session: Ending,
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
