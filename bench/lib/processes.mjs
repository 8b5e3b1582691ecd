import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('child.mjs', import.meta.url));
const running = new Set();

/** A process with one stack in one role. `call(command, options)` answers with the command's result. */
export async function startProcess(stack, role, material, setting, { profile } = {}) {
  const execArgv = ['--expose-gc'];
  if (profile !== undefined) execArgv.push('--cpu-prof', `--cpu-prof-dir=${profile}`);
  const child = fork(PROGRAM, [JSON.stringify([stack, role, material, setting])], { execArgv });
  running.add(child);
  const waiting = new Map();
  let nextId = 0;
  const exited = new Promise((resolve) => {
    child.once('exit', (code, signal) => {
      running.delete(child);
      const error = new Error(`the ${stack} ${role} ended (${signal ?? `code ${code}`})`);
      for (const { reject } of waiting.values()) reject(error);
      waiting.clear();
      resolve();
    });
  });
  await new Promise((resolve, reject) => {
    waiting.set('ready', { resolve, reject });
    child.on('message', ({ ready, id, result, error }) => {
      const key = ready ? 'ready' : id;
      const call = waiting.get(key);
      waiting.delete(key);
      if (error === undefined) call?.resolve(result);
      else call?.reject(new Error(`${stack} ${role}: ${error}`));
    });
  });
  return {
    stack,
    role,
    pid: child.pid,
    call(command, options) {
      return new Promise((resolve, reject) => {
        const id = nextId++;
        const timer = setTimeout(
          () => call.reject(new Error(`${stack} ${role}: no answer to ${command}`)),
          CALL_TIMEOUT,
        );
        const settle = (how) => (value) => {
          clearTimeout(timer);
          how(value);
        };
        const call = { resolve: settle(resolve), reject: settle(reject) };
        waiting.set(id, call);
        child.send({ id, command, options });
      });
    },
    async stop() {
      if (child.connected) child.disconnect();
      const timer = setTimeout(() => child.kill('SIGKILL'), 10_000);
      await exited;
      clearTimeout(timer);
    },
  };
}

/** Ends whatever still runs. */
export function stopAll() {
  for (const child of running) child.kill('SIGKILL');
}

/** Milliseconds. A gigabyte through the slowest stack takes less than a minute. */
const CALL_TIMEOUT = 180_000;
