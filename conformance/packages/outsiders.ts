import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly dependencies?: Readonly<Record<string, string>>;
}

/** Folders of all packages that those in the folders `roots` need, and that these need in turn, but for `ours`. */
export function outsiders(roots: readonly string[], ours: readonly string[]): string[] {
  const found = new Set<string>();
  const waiting = roots.map((root) => resolve(root));
  for (let folder = waiting.pop(); folder !== undefined; folder = waiting.pop()) {
    for (const name of Object.keys(manifestOf(folder).dependencies ?? {})) {
      const place = ours.includes(name) ? undefined : find(name, folder);
      if (place === undefined || found.has(place)) continue;
      found.add(place);
      waiting.push(place);
    }
  }
  return [...found];
}

/** Where Node finds a package from a folder. */
function find(name: string, from: string): string {
  for (let at = from; ; at = dirname(at)) {
    const place = join(at, 'node_modules', name);
    if (existsSync(join(place, 'package.json'))) return place;
    if (dirname(at) === at) throw new Error(`${name} is not installed`);
  }
}

export function manifestOf(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
}
