import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import packages from './programs.json' with { type: 'json' };

/** A program that tests may need. A new one is added to programs.json, from which CI installs it. */
export type ProgramName = keyof typeof packages;

/** Servers live here on Debian, and an ordinary user's PATH does not have it. */
const SYSTEM_FOLDERS = ['/usr/sbin', '/usr/local/sbin'];

/** Full path of a program on PATH or among the system's servers; undefined when it is not installed. */
export function findProgram(name: ProgramName, path: string = process.env['PATH'] ?? ''): string | undefined {
  const folders = [...path.split(delimiter).filter((folder) => folder !== ''), ...SYSTEM_FOLDERS];
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

/** Full path of a program. Throws an `Error` that says how to get it. */
export function requireProgram(name: ProgramName): string {
  const path = findProgram(name);
  if (path === undefined) throw new Error(needs([name]));
  return path;
}

/** `needs gnutls-cli (apt-get install gnutls-bin)`: how every missing program is named. */
export function needs(names: readonly ProgramName[]): string {
  const debian = [...new Set(names.map((name) => packages[name]))];
  return `needs ${names.join(', ')} (apt-get install ${debian.join(' ')})`;
}

/** The Debian packages that a text made by {@link needs} names; none when it has no such text. */
export function packagesNeeded(text: string): string[] {
  return /needs [^()]+ \(apt-get install ([^()]+)\)/.exec(text)?.[1]?.split(' ') ?? [];
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
