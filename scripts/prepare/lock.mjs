// A lock between processes: a directory, because a rename of a directory onto another is atomic and refused.

import { randomUUID } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';

const POLL = 200;
const HEARTBEAT = 5_000;
/** A lock untouched for so long is dead, whoever held it: another machine, or a pid used again. */
const DEAD_AFTER = 300_000;

/**
 * Runs `work(lock)` while no other process holds the directory `path`, and waits for the one that does.
 * A holder that died (same machine: no process of that id; elsewhere: no sign of life for 5 minutes)
 * loses the lock. All times in milliseconds.
 */
export async function withLock(path, work) {
  const lock = await acquire(path);
  process.on('exit', lock.release);
  try {
    return await work(lock);
  } finally {
    lock.release();
    process.removeListener('exit', lock.release);
  }
}

async function acquire(path) {
  const owner = { id: randomUUID(), host: hostname(), pids: [process.pid] };
  let told = false;
  for (;;) {
    if (!existsSync(path) && claim(path, owner)) return held(path, owner);
    const holder = readOwner(path);
    if (holder === undefined && existsSync(path) && sinceTouched(path) < DEAD_AFTER) await sleep(POLL);
    else if (isDead(path, holder)) discard(path, holder);
    else if (holder !== undefined) {
      if (!told)
        process.stderr.write(`Waiting for process ${holder.pids[0]}, which prepares this checkout\n`);
      told = true;
      await sleep(POLL);
    }
  }
}

/** The lock appears whole, with its owner in it, or not at all. */
function claim(path, owner) {
  const draft = `${path}.${owner.id}`;
  mkdirSync(draft);
  writeFileSync(join(draft, 'owner.json'), JSON.stringify(owner));
  try {
    renameSync(draft, path);
    return true;
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    if (existsSync(path)) return false;
    throw error;
  }
}

function held(path, owner) {
  const file = join(path, 'owner.json');
  const beat = setInterval(() => {
    try {
      utimesSync(file, new Date(), new Date());
    } catch {
      // Someone removed the lock by hand: the work goes on, there is nothing to keep alive.
    }
  }, HEARTBEAT);
  beat.unref();
  return {
    /** Counts another process as holder, as long as it lives. */
    share(pid) {
      owner.pids.push(pid);
      const draft = `${file}.new`;
      writeFileSync(draft, JSON.stringify(owner));
      renameSync(draft, file);
    },
    release() {
      clearInterval(beat);
      const holder = readOwner(path);
      if (holder !== undefined && holder.id === owner.id) discard(path, holder);
    },
  };
}

function isDead(path, holder) {
  if (holder === undefined) return existsSync(path);
  if (holder.host === hostname() && !holder.pids.some(isAlive)) return true;
  return sinceTouched(join(path, 'owner.json')) > DEAD_AFTER;
}

/** Moves the lock aside before deleting it, so that nobody ever sees half a lock. */
function discard(path, holder) {
  const aside = `${path}.${randomUUID()}`;
  try {
    renameSync(path, aside);
  } catch {
    return; // another process was faster
  }
  const moved = readOwner(aside);
  if (holder !== undefined && moved !== undefined && moved.id !== holder.id) {
    // Between our look and our move the dead lock was replaced by a living one: put it back.
    try {
      renameSync(aside, path);
      return;
    } catch {
      // A third process holds the lock now.
    }
  }
  rmSync(aside, { recursive: true, force: true });
}

function readOwner(path) {
  try {
    return JSON.parse(readFileSync(join(path, 'owner.json'), 'utf8'));
  } catch {
    return undefined;
  }
}

function sinceTouched(file) {
  try {
    return Date.now() - statSync(file).mtimeMs;
  } catch {
    return 0;
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

function sleep(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
