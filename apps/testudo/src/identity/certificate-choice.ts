/** A choice among certificates by the name a client asks for. */
export interface NamedChoice<T> {
  /** The certificate for a name in SNI; the default where none fits, or where there is no name. */
  for(serverName: string | undefined): T;
  /** The same without the default: undefined where none fits. */
  exactly(serverName: string | undefined): T | undefined;
}

export interface Choosable<T> {
  readonly value: T;
  /** `example.com`, `*.example.com` (one whole label, RFC 9525 §6.3), addresses. */
  readonly names: readonly string[];
  readonly isDefault: boolean;
}

/** An exact name goes before a wildcard; among equals the first. The default is the one marked so, else the first. */
export function chooseByName<T>(choices: readonly Choosable<T>[]): NamedChoice<T> {
  const byName = new Map<string, T>();
  for (const { names, value } of choices) {
    for (const name of names) if (!byName.has(normal(name))) byName.set(normal(name), value);
  }
  const fallback = (choices.find(({ isDefault }) => isDefault) ?? choices[0]!).value;
  const exactly = (serverName: string | undefined): T | undefined => {
    if (serverName === undefined) return undefined;
    const name = normal(serverName);
    return byName.get(name) ?? byName.get(name.replace(/^[^.]+/, '*'));
  };
  return { exactly, for: (serverName) => exactly(serverName) ?? fallback };
}

function normal(name: string): string {
  return name.toLowerCase().replace(/\.$/, '');
}
