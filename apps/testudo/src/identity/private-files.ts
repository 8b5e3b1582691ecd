import {
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  fchmodSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { Failure, systemReason } from '../failure.ts';
import { temporaryFor } from './temporary-file.ts';

/** Makes a folder that only its owner can look into, and those above it that are missing. */
export function makePrivateFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new Failure(`cannot make the folder ${folder}: ${systemReason(error)}`, 1, error);
  }
}

/**
 * Writes a secret to a file that must not exist yet, readable by its owner only from the first moment, and there as a
 * whole or not at all. Nothing here ever overwrites a private key: what it protects would be lost.
 */
export function writeNewPrivateFile(file: string, content: string | Uint8Array): void {
  const temporary = temporaryFor(file);
  try {
    writeNewFile(temporary, content, 0o600);
    linkNewFile(temporary, file, 0o600);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw alreadyThere(file);
    throw new Failure(`cannot write ${file}: ${systemReason(error)}`, 1, error);
  } finally {
    discard(temporary);
  }
}

export function alreadyThere(file: string): Failure {
  return new Failure(
    `${file} already exists and is never overwritten: move it away, or choose another place`,
  );
}

/** Writes what everyone may read; replaces an older one as a whole, so that no reader sees half a file. */
export function writePublicFile(file: string, content: string | Uint8Array): void {
  replaceFile(file, content, 0o644, () => mkdirSync(dirname(file), { recursive: true, mode: 0o700 }));
}

/** The same for secrets that may be replaced, as a session's: 0600 whatever it was before, in a folder that is there. */
export function writePrivateFile(file: string, content: string | Uint8Array): void {
  replaceFile(file, content, 0o600);
}

function replaceFile(
  file: string,
  content: string | Uint8Array,
  mode: number,
  prepare: () => unknown = () => undefined,
): void {
  const temporary = temporaryFor(file);
  try {
    prepare();
    writeNewFile(temporary, content, mode);
    renameSync(temporary, file);
  } catch (error) {
    discard(temporary);
    throw new Failure(`cannot write ${file}: ${systemReason(error)}`, 1, error);
  }
}

/**
 * Gives a whole file its name, which must be free: renaming would overwrite. Where a file system has no links, copying
 * is the one step that does not. Throws the system's error.
 */
export function linkNewFile(temporary: string, file: string, mode: number): void {
  try {
    linkSync(temporary, file);
  } catch (error) {
    if (!isWithoutLinks(error)) throw error;
    copyFileSync(temporary, file, constants.COPYFILE_EXCL);
    chmodSync(file, mode);
  }
}

/** Whether making a link failed because the file system has none. */
export function isWithoutLinks(error: unknown): boolean {
  const { code = '' } = error as NodeJS.ErrnoException;
  return ['EPERM', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP', 'EMLINK'].includes(code);
}

/** What could not be written may be where nothing can be: the failure that matters is the first one. */
function discard(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch {}
}

/** Throws the system's error. The mode is set again on the open file: creation takes the umask's bits away from it. */
export function writeNewFile(file: string, content: string | Uint8Array, mode: number): void {
  const descriptor = openSync(file, 'wx', mode);
  try {
    writeFileSync(descriptor, content);
    fchmodSync(descriptor, mode);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
