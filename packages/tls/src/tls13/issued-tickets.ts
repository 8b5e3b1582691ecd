import type { ServerTerms } from '../config/config.ts';
import { abandonSession, endingOf } from '../sessions/abandon.ts';
import type { Session } from '../sessions/session.ts';
import type { KeySchedule } from './key-schedule.ts';

/**
 * What the tickets of a connection came from. It is kept while the connection may still end with a fatal alert, after which
 * they must not be resumed; their secrets are worked out again then.
 */
export interface IssuedTickets {
  readonly schedule: KeySchedule;
  /** Wiped with the connection's other secrets. */
  readonly resumptionSecret: Uint8Array;
  readonly count: number;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  /** Seconds. */
  readonly lifetime: number;
}

/** Without anyone to tell, nothing need be kept. */
export function canRevoke({ tickets }: Pick<ServerTerms, 'tickets'>): boolean {
  return Boolean(tickets) && (tickets as { revoke?: unknown }).revoke !== undefined;
}

/** How to forget what was resumed and what was issued; undefined where there is nothing to forget. */
export function abandonment(
  stores: Pick<ServerTerms, 'tickets' | 'sessionStore'>,
  resumed: Session | undefined,
  issued: IssuedTickets | undefined,
): (() => void) | undefined {
  if (resumed === undefined && issued === undefined) return undefined;
  const ending = resumed && endingOf(resumed);
  return () => {
    if (ending !== undefined) abandonSession(stores, ending);
    if (issued === undefined) return;
    const { schedule, resumptionSecret, count, createdAt, lifetime } = issued;
    for (let i = 0; i < count; i++) {
      const secret = schedule.resumptionPsk(resumptionSecret, Uint8Array.of(i));
      abandonSession(stores, { secret, createdAt, lifetime, id: NO_ID });
    }
  };
}

const NO_ID = new Uint8Array(0);
