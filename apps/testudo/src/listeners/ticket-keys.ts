import { readFileSync } from 'node:fs';
import { systemCrypto } from '@testudo/crypto/openssl';
import { MemoryReplayGuard, type ReplayGuard, TICKET_KEY_LENGTH, TicketKeys } from '@testudo/tls';
import type { TicketPlan } from '../config/tls-plan.ts';
import { Failure, systemReason } from '../failure.ts';

/**
 * What remembers the sessions of a listener's clients. It belongs to whoever runs the listener, and outlives its settings;
 * listeners in several processes would share one.
 */
export interface SessionState {
  /** Undefined for no tickets. */
  readonly tickets: TicketKeys | undefined;
  /** Early data is taken once for each ticket (RFC 9846 §8). */
  readonly replayGuard: ReplayGuard;
}

/** `replayGuard`: one that has seen tickets under the same keys; default a new one. Throws a `Failure` for a key file. */
export function sessionState(
  plan: TicketPlan,
  replayGuard: ReplayGuard = new MemoryReplayGuard(),
): SessionState {
  return { tickets: ticketKeys(plan), replayGuard };
}

/** Seals the sessions of a listener's clients; undefined for no tickets. Throws a `Failure` for a key file. */
function ticketKeys(plan: TicketPlan): TicketKeys | undefined {
  if (plan.kind === 'none') return undefined;
  const lifetime = plan.lifetime === undefined ? {} : { lifetime: plan.lifetime / 1000 };
  if (plan.kind === 'own') {
    const rotateAfter = plan.rotate === undefined ? {} : { rotateAfter: plan.rotate / 1000 };
    return new TicketKeys(systemCrypto(), { ...lifetime, ...rotateAfter });
  }
  // Whoever shares them replaces them.
  const keys = new TicketKeys(systemCrypto(), { ...lifetime, rotateAfter: Number.POSITIVE_INFINITY });
  keys.import(keysIn(plan.files));
  return keys;
}

function keysIn(files: readonly string[]): Uint8Array[] {
  return files.map((file) => {
    let content: Buffer;
    try {
      content = readFileSync(file);
    } catch (error) {
      throw new Failure(`${file}: cannot read the ticket key: ${systemReason(error)}`, 1, error);
    }
    if (content.length === TICKET_KEY_LENGTH) return new Uint8Array(content);
    throw new Failure(
      `${file}: a ticket key has ${TICKET_KEY_LENGTH} bytes, but this file has ${content.length}: make one with: openssl rand -out ${file} ${TICKET_KEY_LENGTH}`,
    );
  });
}
