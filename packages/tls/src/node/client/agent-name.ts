import { isUtf8 } from 'node:buffer';
import { contentKey } from '../context/content-key.ts';
import type { SecureContextOptions } from '../context/context-options.ts';
import { type AgentKey, agentKeys } from '../context/option-table.ts';
import type { ConnectionOptions } from '../types.ts';

/**
 * What an agent must tell apart and Node's names leave out: who was verified by one check of names, or reached with one
 * key, is not who another request asks for. Empty for requests with none of these.
 */
export function distinction(options: object | undefined): string {
  let name = '';
  for (const [option, key] of KEYS) {
    const value = (options as Record<string, unknown> | undefined)?.[option];
    if (value === undefined || value === null) continue;
    if (key === 'by Node' && isText(value)) continue;
    const text = typeof key === 'function' ? key(value) : contentKey(value);
    if (text !== undefined) name += `:${option}=${text}`;
  }
  return name;
}

/** What Node's names say in full. Of objects they say only that they are some, and what is no text reads like other such bytes. */
function isText(value: unknown): boolean {
  if (Array.isArray(value)) return value.every(isText);
  if (Buffer.isBuffer(value)) return isUtf8(value);
  return typeof value !== 'object' || value instanceof Uint8Array;
}

/**
 * Options of a connection besides those of its context. `not of the peer`: it does not decide on whom a request reaches, or
 * what is demanded of him; one that is new and has no row here does not compile.
 */
const OF_CONNECTIONS: Readonly<
  Record<Exclude<keyof ConnectionOptions, keyof SecureContextOptions>, AgentKey | 'not of the peer'>
> = {
  host: 'by Node',
  port: 'by Node',
  path: 'not of the peer',
  localAddress: 'by Node',
  family: 'by Node',
  rejectUnauthorized: 'by Node',
  servername: 'by Node',
  checkServerIdentity: 'by content',
  pskCallback: 'by content',
  minDHSize: 'by content',
  secureContext: 'by content',
  // The agent gives it to all of them.
  ALPNProtocols: 'not of the peer',
  requestOCSP: 'not of the peer',
  requestCert: 'not of the peer',
  session: 'not of the peer',
  earlyData: 'not of the peer',
  observer: 'not of the peer',
  enableTrace: 'not of the peer',
  socket: 'not of the peer',
  lookup: 'not of the peer',
  timeout: 'not of the peer',
  signal: 'not of the peer',
  onread: 'not of the peer',
  allowHalfOpen: 'not of the peer',
  highWaterMark: 'not of the peer',
  localPort: 'not of the peer',
  noDelay: 'not of the peer',
  keepAlive: 'not of the peer',
  keepAliveInitialDelay: 'not of the peer',
  autoSelectFamily: 'not of the peer',
  autoSelectFamilyAttemptTimeout: 'not of the peer',
};

const KEYS: readonly (readonly [string, AgentKey])[] = [
  ...agentKeys(),
  ...Object.entries(OF_CONNECTIONS).filter(
    (entry): entry is [string, AgentKey] => entry[1] !== 'not of the peer',
  ),
];
