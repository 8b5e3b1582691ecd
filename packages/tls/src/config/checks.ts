import { TlsError } from '../errors.ts';
import { TLS13 } from '../versions.ts';
import type { CommonConfig } from './config.ts';

export function needTls13(option: string, { versions }: Pick<CommonConfig, 'versions'>): void {
  if (!versions.includes(TLS13)) throw new TlsError('bad-option', `${option} needs TLS 1.3`);
}

export function named<T>(what: string, names: readonly string[], find: (name: string) => T | undefined): T[] {
  if (names.length === 0) throw new TlsError('bad-option', `at least one ${what} is needed`);
  return names.map((name) => {
    const found = find(name);
    if (found === undefined) throw new TlsError('bad-option', `no ${what} is called ${name}`);
    return found;
  });
}

export function inRange(name: string, value: number, min: number, max: number): number {
  if (value >= min && value <= max) return Math.floor(value);
  throw new TlsError('bad-option', `${name} must be from ${min} to ${max}, not ${value}`);
}

export function checkProtocols(protocols: readonly string[] | undefined): void {
  for (const protocol of protocols ?? []) {
    if (protocol.length >= 1 && protocol.length <= 255) continue;
    throw new TlsError('bad-option', 'an ALPN protocol name has 1 to 255 bytes');
  }
}
