import { hkdfSync } from 'node:crypto';
import { systemCrypto } from '@testudo/crypto/openssl';
import type { EndedSession } from '../../sessions/abandoned-sessions.ts';
import type { Session } from '../../sessions/session.ts';
import { TICKET_KEY_LENGTH, TicketKeys, type TicketSealer } from '../../sessions/ticket-keys.ts';
import { checkBytes, invalidValue } from '../errors/arguments.ts';
import { nodeTypeError } from '../errors/errors.ts';

/**
 * A server's ticket key, as `getTicketKeys` and `setTicketKeys` have it. With a `sessionIdContext` tickets are sealed
 * under a key derived from both, so that servers which share a key but not the context do not take each other's.
 */
export class TicketProtection implements TicketSealer {
  readonly #context: string | undefined;
  #given: Uint8Array | undefined;
  #keys: TicketKeys;

  /** Throws as `node:tls` for keys that are not 48 bytes; without any, they are random and rotate. */
  constructor(context: string | undefined, keys: Uint8Array | undefined) {
    this.#context = context;
    this.#keys = new TicketKeys(systemCrypto());
    if (keys !== undefined && keys !== null) this.replace(keys);
  }

  get key(): Buffer<ArrayBuffer> {
    return Buffer.from(this.#given ?? this.#keys.export()[0]!);
  }

  /** From now on; tickets under older keys are no longer taken. Such a key is not rotated: its owner does. */
  replace(keys: Uint8Array, name: string = 'options.ticketKeys'): void {
    checkBytes(name, keys);
    if (keys.byteLength !== TICKET_KEY_LENGTH) {
      if (name !== 'buffer') {
        throw invalidValue(name, `must be exactly ${TICKET_KEY_LENGTH} bytes`, keys.byteLength);
      }
      throw nodeTypeError(
        'ERR_INVALID_ARG_VALUE',
        `Session ticket keys must be a ${TICKET_KEY_LENGTH}-byte buffer`,
      );
    }
    this.#given = new Uint8Array(keys.buffer, keys.byteOffset, keys.byteLength).slice();
    this.#keys = new TicketKeys(systemCrypto(), { rotateAfter: Number.POSITIVE_INFINITY });
    this.#keys.import([this.#context === undefined ? this.#given : derive(this.#given, this.#context)]);
  }

  seal(session: Session): Uint8Array {
    return this.#keys.seal(session);
  }

  revoke(session: EndedSession): void {
    this.#keys.revoke(session);
  }

  open(ticket: Uint8Array): Session | undefined {
    return this.#keys.open(ticket);
  }
}

function derive(key: Uint8Array, context: string): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', key, 'testudo session id context', context, TICKET_KEY_LENGTH));
}
