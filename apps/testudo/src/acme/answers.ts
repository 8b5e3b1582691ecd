import type { Authorization, Order } from 'acme-client';
import { shown } from '../output/text.ts';
import { AcmeError } from './acme-error.ts';

const ORDER_STATES: ReadonlySet<unknown> = new Set(['pending', 'ready', 'processing', 'valid', 'invalid']);

/** Most names in an order, and most ways to show that one is ours, that are looked at. */
const MOST = { authorizations: 100, challenges: 20 } as const;

/** The library hands on what a CA sent as it came. Throws {@link AcmeError} `unusable` for what is no order (RFC 8555 §7.1.3). */
export function checkedOrder(order: Order): Order {
  const { status, authorizations, finalize, url } = order as { [_ in keyof Order]: unknown };
  const isOrder =
    ORDER_STATES.has(status) &&
    isListOf(authorizations, isUrl, MOST.authorizations) &&
    isUrl(finalize) &&
    isUrl(url);
  if (isOrder) return order;
  throw new AcmeError('unusable', 'what the CA sent is not an order');
}

/** The same for an authorization (RFC 8555 §7.1.4), which must be for one of the names. */
export function checkedAuthorization(
  authorization: Authorization | undefined,
  names: readonly string[],
): Authorization {
  const { status, identifier, challenges } = (authorization ?? {}) as Partial<Authorization>;
  const isAuthorization =
    typeof status === 'string' &&
    typeof identifier?.value === 'string' &&
    isListOf(challenges, isChallenge, MOST.challenges);
  if (!isAuthorization) throw new AcmeError('unusable', 'what the CA sent is not an authorization');
  if (names.includes(identifier.value.toLowerCase())) return authorization!;
  throw new AcmeError(
    'unusable',
    `the CA wants to know about ${shown(identifier.value, 100)}, which was not asked for`,
  );
}

function isChallenge(value: unknown): boolean {
  const { type, url, token } = (value ?? {}) as Record<string, unknown>;
  // Kinds that are not known here need no token.
  return typeof type === 'string' && isUrl(url) && (token === undefined || typeof token === 'string');
}

function isUrl(value: unknown): boolean {
  return typeof value === 'string' && URL.canParse(value);
}

function isListOf(value: unknown, isOne: (item: unknown) => boolean, most: number): boolean {
  return Array.isArray(value) && value.length <= most && value.every(isOne);
}
