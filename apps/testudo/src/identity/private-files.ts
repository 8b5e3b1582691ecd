import { chmodSync, closeSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { Failure, systemReason } from '../failure.ts';

/** Makes a folder that only its owner can look into, and those above it that are missing. */
export function makePrivateFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new Failure(`cannot make the folder ${folder}: ${systemReason(error)}`, 1, error);
  }
}

/**
 * Writes a secret to a file that must not exist yet, readable by its owner only from the first moment. Nothing here
 * ever overwrites a private key: what it protects would be lost.
 */
export function writeNewPrivateFile(file: string, content: string | Uint8Array): void {
  try {
    writeWhole(file, content, 'wx', 0o600);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') {
      throw new Failure(
        `${file} exists already and is never overwritten: move it away, or choose another place`,
        1,
      );
    }
    throw new Failure(`cannot write ${file}: ${systemReason(error)}`, 1, error);
  }
}

/** Writes what everyone may read; replaces an older one as a whole, so that no reader sees half a file. */
export function writePublicFile(file: string, content: string | Uint8Array): void {
  const temporary = `${file}.${process.pid}.tmp`;
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    writeWhole(temporary, content, 'w', 0o644);
    renameSync(temporary, file);
  } catch (error) {
    discard(temporary);
    throw new Failure(`cannot write ${file}: ${systemReason(error)}`, 1, error);
  }
}

/** A file of secrets that may be replaced, as a session's: 0600 whatever it was before. */
export function writePrivateFile(file: string, content: string | Uint8Array): void {
  try {
    rmSync(file, { force: true });
    writeWhole(file, content, 'wx', 0o600);
  } catch (error) {
    throw new Failure(`cannot write ${file}: ${systemReason(error)}`, 1, error);
  }
}

/** As {@link writePrivateFile}, but as a whole: no reader sees half a file, and the old one stays until the new one is there. */
export function replacePrivateFile(file: string, content: string | Uint8Array): void {
  const temporary = `${file}.${process.pid}.tmp`;
  try {
    rmSync(temporary, { force: true });
    writeWhole(temporary, content, 'wx', 0o600);
    renameSync(temporary, file);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw new Failure(`cannot write ${file}: ${systemReason(error)}`, 1, error);
  }
}

/** What could not be written may be where nothing can be: the failure that matters is the first one. */
function discard(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch {}
}

/** The mode is set again on the open file: creation takes the umask's bits away from it. */
function writeWhole(file: string, content: string | Uint8Array, flags: string, mode: number): void {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  const descriptor = openSync(file, flags, mode);
  try {
    for (let at = 0; at < bytes.length; ) at += writeSync(descriptor, bytes, at);
    fsyncSync(descriptor);
  } catch (error) {
    closeSync(descriptor);
    rmSync(file, { force: true });
    throw error;
  }
  closeSync(descriptor);
  chmodSync(file, mode);
}
