import { realpathSync } from 'node:fs';
import { realpath } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { isOutOfFiles } from '../listeners/open-files.ts';

/** Why a path of a request leads to no file. Both are answered alike: a client cannot tell what is there. */
export type NoFile = 'forbidden' | 'missing';

/**
 * The segments of a request's path, decoded: `/a/b%20c/?q` gives `['a', 'b c']`. Undefined for whatever could lead
 * out of the folder or means something to a file system: `.` and `..`, encoded separators, NUL, malformed escapes.
 */
export function pathSegments(
  target: string,
): { readonly segments: string[]; readonly isFolder: boolean } | undefined {
  const path = target.split(/[?#]/, 1)[0]!;
  if (!path.startsWith('/') || path.length > MOST_CHARACTERS) return undefined;
  const segments: string[] = [];
  for (const encoded of path.split('/')) {
    if (encoded === '') continue;
    const segment = decoded(encoded);
    if (segment === undefined || segment === '.' || segment === '..' || /[/\\\0]/.test(segment))
      return undefined;
    segments.push(segment);
  }
  return { segments, isFolder: path.endsWith('/') };
}

const MOST_CHARACTERS = 4096;

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** The real place of a folder, after all links. Throws as `fs` does. */
export function realFolder(folder: string): string {
  return realpathSync(folder);
}

/**
 * The real path of a file below `root` (itself a real path), after all links. A link that leads out of the root, and a
 * name that begins with a dot unless `dotfiles`, also behind a link, lead nowhere. Rejects when no more files can be opened.
 */
export async function resolveInside(
  root: string,
  segments: readonly string[],
  dotfiles: boolean,
): Promise<{ readonly path: string } | NoFile> {
  if (!dotfiles && segments.some(isHidden)) return 'forbidden';
  let path: string;
  try {
    path = await realpath(join(root, ...segments));
  } catch (error) {
    if (isOutOfFiles(error)) throw error;
    return 'missing';
  }
  const inside = root.endsWith(sep) ? root : root + sep;
  if (path !== root && !path.startsWith(inside)) return 'forbidden';
  if (!dotfiles && relative(root, path).split(sep).some(isHidden)) return 'forbidden';
  return { path };
}

function isHidden(segment: string): boolean {
  return segment.startsWith('.');
}
