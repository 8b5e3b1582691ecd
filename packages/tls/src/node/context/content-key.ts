import { createHmac, randomBytes } from 'node:crypto';

/**
 * A short text that is the same for values that hold the same: primitives, bytes, and lists and plain objects of these. Functions
 * and all other objects are told apart by which they are. It tells nothing of a secret in the value, and means nothing outside of
 * this process.
 */
export function contentKey(value: unknown): string {
  if (typeof value === 'boolean' || typeof value === 'number') return String(value);
  return createHmac('sha256', KEY).update(describe(value, 0)).digest('base64url');
}

const KEY = randomBytes(32);

/** What is nested deeper is told apart by which object it is. */
const MAX_DEPTH = 8;

/** No two that differ have the same: each part says its kind, and texts are quoted. */
function describe(value: unknown, depth: number): string {
  if (typeof value === 'function') return idOf(value);
  if (typeof value !== 'object' || value === null)
    return typeof value === 'string' ? JSON.stringify(value) : `${typeof value} ${String(value)}`;
  if (depth === MAX_DEPTH) return idOf(value);
  if (ArrayBuffer.isView(value))
    return `bytes ${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex')}`;
  if (Array.isArray(value)) return `[${value.map((one) => describe(one, depth + 1)).join()}]`;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return idOf(value);
  const parts = Object.entries(value).map(([name, one]) => [name, describe(one, depth + 1)] as const);
  const sorted = parts.sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${sorted.map(([name, one]) => `${JSON.stringify(name)}:${one}`).join()}}`;
}

function idOf(value: object): string {
  let id = ids.get(value);
  if (id === undefined) {
    id = ++last;
    ids.set(value, id);
  }
  return `#${id}`;
}

const ids = new WeakMap<object, number>();
let last = 0;
