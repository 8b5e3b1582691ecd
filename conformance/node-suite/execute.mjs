// Runs one of Node's tests as its own runner does: one process, exit code 0 is a pass.

import { spawn } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** As much output as is kept of one test, in characters. */
const MOST_OUTPUT = 200_000;
/** As much of the line that is reported. */
const MOST_LINE = 250;

/**
 * @param {{ file: string, flags: string[], env: object }} test
 * @param {{ node: string, preload?: string, scratch: string, worker: number, timeout: number }} how
 *   `preload` is a module given to `--require`; `scratch` a folder for what tests write; `timeout` in milliseconds
 * @returns {Promise<{ verdict: 'pass' | 'fail' | 'skip', line?: string, output?: string, seconds: number }>}
 */
export function execute(test, { node, preload, scratch, worker, timeout }) {
  const folder = join(scratch, `worker-${worker}`);
  mkdirSync(folder, { recursive: true });
  const started = performance.now();
  return new Promise((resolve) => {
    const child = spawn(
      node,
      [...test.flags, ...(preload === undefined ? [] : ['--require', preload]), test.file],
      {
        cwd: dirname(test.file),
        env: {
          ...withoutNodeVariables(process.env),
          NODE_TEST_DIR: folder,
          TEST_THREAD_ID: String(worker),
          NODE_COMMON_PORT: String(12_346 + worker * 100),
          ...test.env,
        },
        // A group of its own: tests start processes, and those end with it.
        detached: true,
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    let output = '';
    let timedOut = false;
    const collect = (chunk) => {
      if (output.length < MOST_OUTPUT) output += chunk;
    };
    child.stdout.setEncoding('utf8').on('data', collect);
    child.stderr.setEncoding('utf8').on('data', collect);
    const timer = setTimeout(() => {
      timedOut = true;
      endGroup(child.pid);
    }, timeout);
    child.on('error', (error) => {
      output += String(error);
    });
    child.on('exit', () => setTimeout(endGroup, 500, child.pid).unref());
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      endGroup(child.pid);
      rmSync(folder, { recursive: true, force: true });
      const seconds = Math.round(performance.now() - started) / 1000;
      const skipped = /^1\.\.0 # Skipped: (.*)$/m.exec(output)?.[1];
      if (code === 0 && skipped !== undefined) resolve({ verdict: 'skip', line: skipped, seconds });
      else if (code === 0) resolve({ verdict: 'pass', seconds });
      else {
        const end = timedOut ? `no end after ${timeout / 1000} s` : (signal ?? `exit code ${code}`);
        resolve({ verdict: 'fail', line: tellingLine(output, end, basename(test.file)), output, seconds });
      }
    });
  });
}

function endGroup(pid) {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // All have ended.
  }
}

/** What the runner's own Node was given is not for the tests. */
function withoutNodeVariables(env) {
  return Object.fromEntries(
    Object.entries(env).filter(
      ([name]) => !/^(NODE_|SSL_CERT|TESTUDO_|CI$|FORCE_COLOR|NO_COLOR|HTTPS?_PROXY)/i.test(name),
    ),
  );
}

/** The line that says what failed: the error's own, else the last that is not empty. */
function tellingLine(output, end, file) {
  return printable(findLine(output, end, file)).slice(0, MOST_LINE);
}

function findLine(output, end, file) {
  const lines = output
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  const mismatched = lines.findIndex((line) => line.startsWith('Mismatched '));
  if (mismatched !== -1) {
    const where = lines.slice(mismatched).find((line) => line.includes(file) && line.startsWith('at '));
    return `${lines[mismatched]} ${where === undefined ? '' : where.replace(/\(.*\//, '(')}`.trim();
  }
  const error = lines.findIndex((line) =>
    /^(Uncaught |node:internal.*)?\w*(Error|Exception)\b.*[:[]/.test(line),
  );
  if (error === -1) return [end, lines.at(-1)].filter((part) => part !== undefined).join('; ');
  // An assertion's first line only says that two things differ: the next ones say which.
  const text = lines[error].endsWith(':')
    ? lines
        .slice(error, error + 4)
        .filter((line) => !line.startsWith('at '))
        .join(' ')
    : lines[error];
  return end.startsWith('no end') ? `${end}; ${text}` : text;
}

/** Some tests print what went over the wire. */
function printable(text) {
  return text.replace(/[^\x20-\x7e]/g, '.');
}
