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

/** True or false, the default where nothing is said. Throws `bad-option`: a word such as 'no' would turn on what it is to turn off. */
export function flag<O extends object>(options: O, name: keyof O & string, standard: boolean): boolean {
  const value: unknown = options[name];
  if (value === undefined) return standard;
  if (typeof value === 'boolean') return value;
  throw new TlsError('bad-option', `${name} must be true or false, not ${JSON.stringify(value)}`);
}

/** One of the words that there are, the default where nothing is said. Throws `bad-option`. */
export function oneOf<T>(name: string, value: T | undefined, words: readonly T[], standard: T): T {
  if (value === undefined) return standard;
  if (words.includes(value)) return value;
  const known = words.map((word) => JSON.stringify(word)).join(', ');
  throw new TlsError('bad-option', `${name} must be one of ${known}, not ${JSON.stringify(value)}`);
}

/** ALPN protocols that can be named; none where none are given. Throws `bad-option`. */
export function checkedProtocols(protocols: readonly string[] = []): readonly string[] {
  for (const protocol of protocols) {
    if (protocol.length < 1 || protocol.length > 255)
      throw new TlsError('bad-option', 'an ALPN protocol name has 1 to 255 bytes');
    if (/[^\0-\xff]/.test(protocol))
      throw new TlsError(
        'bad-option',
        `the ALPN protocol ${JSON.stringify(protocol)} has characters above U+00FF: each stands for one byte`,
      );
  }
  return protocols;
}
