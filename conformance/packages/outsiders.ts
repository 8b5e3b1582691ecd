import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/** Folders of all packages that those in the folders `roots` need, or would like to have, and that these need in turn, but for `ours`. */
export function outsiders(roots: readonly string[], ours: readonly string[]): string[] {
  const found = new Set<string>();
  const waiting = roots.map((root) => resolve(root));
  for (let folder = waiting.pop(); folder !== undefined; folder = waiting.pop()) {
    const { dependencies = {}, optionalDependencies = {} } = manifestOf(folder);
    for (const name of [...Object.keys(dependencies), ...Object.keys(optionalDependencies)]) {
      if (ours.includes(name)) continue;
      const place = find(name, folder);
      // Those of other systems are not there.
      if (place === undefined && name in optionalDependencies) continue;
      if (place === undefined) throw new Error(`${name} is not installed`);
      if (found.has(place)) continue;
      found.add(place);
      waiting.push(place);
    }
  }
  return [...found];
}

/** Where Node finds a package from a folder; undefined when it is not installed. */
function find(name: string, from: string): string | undefined {
  for (let at = from; ; at = dirname(at)) {
    const place = join(at, 'node_modules', name);
    if (existsSync(join(place, 'package.json'))) return place;
    if (dirname(at) === at) return undefined;
  }
}

export function manifestOf(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
}
