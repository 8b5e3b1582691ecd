import { TlsError } from '../errors.ts';
import { TLS13, type Version } from '../versions.ts';

export function needTls13(option: string, { versions }: { readonly versions: readonly Version[] }): void {
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

/** ALPN protocols that can be named; none where none are given. */
export function checkedProtocols(protocols: readonly string[] = []): readonly string[] {
  for (const protocol of protocols) {
    if (protocol.length >= 1 && protocol.length <= 255) continue;
    throw new TlsError('bad-option', 'an ALPN protocol name has 1 to 255 bytes');
  }
  return protocols;
}
