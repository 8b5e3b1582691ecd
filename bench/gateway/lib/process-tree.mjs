import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';

const running = new Set();

/**
 * Starts a program that stays in the foreground. What it says is kept for the error, should it end by itself.
 * `stop()` ends it and its children; so does {@link stopAll}.
 */
export function startProgram(name, command, args, options = {}) {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      said = (said + chunk).slice(-4000);
    });
  }
  const program = { name, pid: child.pid, isStopping: false, failure: undefined, stop };
  const ended = new Promise((resolve) => {
    child.once('error', (error) => {
      program.failure = error;
      resolve();
    });
    child.once('exit', (code, signal) => {
      program.failure ??= new Error(`${name} ended (${signal ?? `code ${code}`}): ${said.trim()}`);
      running.delete(program);
      resolve();
    });
  });
  program.kill = (signal) => {
    // Leaders first would let workers be adopted by others, and nobody would find them.
    for (const pid of treeOf(child.pid).reverse()) kill(pid, signal);
  };
  running.add(program);
  return program;

  async function stop() {
    program.isStopping = true;
    program.kill('SIGTERM');
    const timer = setTimeout(() => program.kill('SIGKILL'), 3_000);
    await ended;
    clearTimeout(timer);
  }
}

/** Ends whatever still runs, at once. */
export function stopAll() {
  for (const program of running) program.kill('SIGKILL');
}

function kill(pid, signal) {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
  }
}

/** Resolves when somebody listens on the port. Throws when the program ends before. */
export async function untilListening(program, port) {
  const until = performance.now() + 20_000;
  while (performance.now() < until) {
    if (program.failure !== undefined) throw program.failure;
    const isThere = await new Promise((resolve) => {
      const socket = connect({ host: '127.0.0.1', port });
      socket.once('connect', () => {
        socket.destroy();
        resolve(true);
      });
      socket.once('error', () => resolve(false));
    });
    if (isThere) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`${program.name} does not listen on port ${port}`);
}

/** A port that nobody listens on: not every program can be asked which one the system gave it. */
export async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Processor time of a process and all its descendants so far, user and system, in microseconds. */
export function cpuOf(pid) {
  return treeOf(pid).reduce((sum, one) => sum + ticksOf(one), 0) * (1_000_000 / TICKS_PER_SECOND);
}

/** `USER_HZ`: the same on each Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

/** utime, stime, and those of children that have ended: fields 14 to 17 of proc(5)'s stat; the second may have spaces. */
function ticksOf(pid) {
  const text = readOr(`/proc/${pid}/stat`, '');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
}

/** Memory of a process and all its descendants in bytes; what processes share counts once. */
export function memoryOf(pid) {
  return treeOf(pid).reduce((sum, one) => {
    const kilobytes = /^Pss: +(\d+) kB/m.exec(readOr(`/proc/${one}/smaps_rollup`, ''))?.[1];
    return sum + Number(kilobytes ?? 0) * 1024;
  }, 0);
}

/** The process and its descendants, parents first. */
function treeOf(pid) {
  const found = [pid];
  for (const one of found) {
    for (const thread of threadsOf(one)) {
      const children = readOr(`/proc/${one}/task/${thread}/children`, '').trim();
      if (children !== '') found.push(...children.split(' ').map(Number));
    }
  }
  return found;
}

function threadsOf(pid) {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
}

function readOr(file, otherwise) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return otherwise;
  }
}
