import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { Failure, systemReason } from '../failure.ts';
import { lifeOf, ourselves, parseOwner } from './lock-owner.ts';
import { alreadyThere, linkNewFile, writeNewFile } from './private-files.ts';
import { temporaryFor } from './temporary-file.ts';

/** A file that must not exist yet. */
export interface NewFile {
  readonly file: string;
  readonly content: string | Uint8Array;
  /** Readable by its owner only. */
  readonly isSecret: boolean;
}

/**
 * Writes files that are of use together only, in one folder: a key and its certificate. The last one makes the group
 * whole. All are written into a folder beside them first, and put in place from there; when the process is ended in
 * between, {@link mendGroup} knows by that folder what has to go. Throws a `Failure`, and leaves nothing then.
 */
export function writeGroup(files: readonly NewFile[]): void {
  const { file: last } = files.at(-1)!;
  const stage = stageFor(last);
  mendGroup(last);
  makeStage(stage, last);
  let current = stage;
  const placed: string[] = [];
  try {
    for (const { file, content, isSecret } of files) {
      current = file;
      writeNewFile(join(stage, basename(file)), content, isSecret ? 0o600 : 0o644);
    }
    for (const { file, isSecret } of files) {
      current = file;
      linkNewFile(join(stage, basename(file)), file, isSecret ? 0o600 : 0o644);
      placed.push(file);
    }
  } catch (error) {
    for (const file of placed) rmSync(file, { force: true });
    rmSync(stage, { recursive: true, force: true });
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw alreadyThere(current);
    throw new Failure(`cannot write ${current}: ${systemReason(error)}`, 1, error);
  }
  rmSync(stage, { recursive: true, force: true });
}

/**
 * Takes away what is left of a group that was begun and not finished. Its `last` file is what makes it whole: a whole
 * one stays. Does nothing when no process was ended there. Throws a `Failure` while one is still at it.
 */
export function mendGroup(last: string): void {
  const stage = stageFor(last);
  if (!existsSync(stage)) return;
  if (!isLeftBehind(stage)) throw isBeingWritten(last);
  try {
    const names = readdirSync(stage).filter((name) => name !== OWNER);
    // Only what is in place already and has come from here: anything else is somebody's own.
    const placed = names.filter((name) => isSame(join(stage, name), join(dirname(last), name)));
    // Without the last one here, nothing is in place yet, or all is and only this folder had to go.
    if (names.includes(basename(last)) && !placed.includes(basename(last)))
      for (const name of placed) rmSync(join(dirname(last), name), { force: true });
    rmSync(stage, { recursive: true, force: true });
  } catch (error) {
    throw new Failure(`cannot remove ${stage}, which was left behind: ${systemReason(error)}`, 1, error);
  }
}

const OWNER = 'owner';

/** Milliseconds that the work on a group takes at most, for a process that cannot be looked up. */
const LONGEST = 10_000;

function stageFor(last: string): string {
  return join(dirname(last), `.${basename(last)}.new`);
}

/** It has its owner's name in it from the first moment. */
function makeStage(stage: string, last: string): void {
  const temporary = temporaryFor(stage);
  try {
    mkdirSync(temporary, { mode: 0o700 });
    writeNewFile(join(temporary, OWNER), JSON.stringify(ourselves()), 0o600);
    renameSync(temporary, stage);
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true });
    if (existsSync(stage)) throw isBeingWritten(last);
    throw new Failure(`cannot write ${last}: ${systemReason(error)}`, 1, error);
  }
}

function isBeingWritten(last: string): Failure {
  return new Failure(`another process is writing ${last} at this moment: try again when it has finished`);
}

function isLeftBehind(stage: string): boolean {
  const owner = parseOwner(quietly(() => readFileSync(join(stage, OWNER), 'utf8')) ?? '');
  // Its removal was under way.
  if (owner === undefined) return true;
  const life = lifeOf(owner);
  if (life !== 'unclear') return life === 'dead';
  const since = statSync(stage, { throwIfNoEntry: false })?.mtimeMs;
  return since === undefined || Date.now() - since > LONGEST;
}

function isSame(a: string, b: string): boolean {
  const [one, other] = [a, b].map((file) => quietly(() => readFileSync(file)));
  return one !== undefined && other !== undefined && one.length > 0 && one.equals(other);
}

function quietly<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
