import { type StrictOption, strictnessKey, strictnessOf } from './strictness.ts';

/**
 * What an agent must tell apart and Node's names leave out: who was verified by one check of names, or reached with one
 * key, is not who another request asks for. Empty for requests with none of these.
 */
export function distinction(options: object | undefined): string {
  let name = '';
  const { strict } = (options ?? {}) as { strict?: StrictOption | null };
  if (strict !== undefined && strict !== null) name += `:strict=${strictnessKey(strictnessOf(strict))}`;
  for (const option of DISTINGUISHING) {
    const value = (options as Record<string, unknown> | undefined)?.[option];
    if (value !== undefined && value !== null) name += `:${option}=${idOf(value)}`;
  }
  return name;
}

const DISTINGUISHING = [
  'checkServerIdentity',
  'pskCallback',
  'psks',
  'ech',
  'legacy',
  'renegotiation',
  'postHandshakeAuth',
  'requireAlpn',
  'applicationSettings',
  'dangerouslyExportWithoutExtendedMasterSecret',
  'allowPartialTrustChain',
  'minDHSize',
] as const;

/** Functions and objects are told apart by which they are. */
function idOf(value: unknown): string {
  if (typeof value !== 'object' && typeof value !== 'function') return String(value);
  let id = ids.get(value as object);
  if (id === undefined) {
    id = ++last;
    ids.set(value as object, id);
  }
  return `#${id}`;
}

const ids = new WeakMap<object, number>();
let last = 0;
