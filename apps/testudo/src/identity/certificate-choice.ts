/**
 * A choice among certificates by the name a client asks for. Several may be for one name, such as one with an ECDSA and
 * one with an RSA key: of those, in this order, the client gets the first that it can use.
 */
export interface NamedChoice<T> {
  /** The certificates for a name in SNI; the default ones where none fits, or where there is no name. */
  for(serverName: string | undefined): readonly T[];
  /** The same without the default ones: undefined where none fits. */
  exactly(serverName: string | undefined): readonly T[] | undefined;
}

export interface Choosable<T> {
  readonly value: T;
  /** `example.com`, `*.example.com` (one whole label, RFC 9525 §6.3), addresses. */
  readonly names: readonly string[];
  readonly isDefault: boolean;
}

/**
 * An exact name goes before a wildcard; among equals the first. The default is the one marked so, else the first, and
 * after it those that have a name in common with it.
 */
export function chooseByName<T>(choices: readonly Choosable<T>[]): NamedChoice<T> {
  const byName = new Map<string, T[]>();
  for (const { names, value } of choices) {
    for (const name of new Set(names.map(normal))) {
      const known = byName.get(name);
      if (known === undefined) byName.set(name, [value]);
      else known.push(value);
    }
  }
  const first = choices.find(({ isDefault }) => isDefault) ?? choices[0]!;
  const names = new Set(first.names.map(normal));
  const others = choices.filter((one) => one !== first && one.names.some((name) => names.has(normal(name))));
  const fallback = [first, ...others].map(({ value }) => value);
  const exactly = (serverName: string | undefined): readonly T[] | undefined => {
    if (serverName === undefined) return undefined;
    const name = normal(serverName);
    const found = [name, name.replace(/^[^.]+/, '*')].flatMap((one) => byName.get(one) ?? []);
    return found.length === 0 ? undefined : [...new Set(found)];
  };
  return { exactly, for: (serverName) => exactly(serverName) ?? fallback };
}

function normal(name: string): string {
  return name.toLowerCase().replace(/\.$/, '');
}
