// Runs one command of the preparation: one progress line, its output only when it fails.

import { spawn } from 'node:child_process';

/** A command that ended badly. The message is what the user reads. */
export class StepFailed extends Error {}

let child;

/**
 * Runs `command` in `options.cwd` and prints `<label> ... 1.2 s` on standard error.
 * `lock` learns the child's pid, so that a child which outlives us still counts as the lock's holder.
 * Throws {@link StepFailed} with the output when the command cannot start or exits with anything but 0.
 */
export async function runStep(label, command, args, options, lock) {
  process.stderr.write(`${label} ... `);
  const started = Date.now();
  const { code, output } = await run(command, args, options, lock);
  if (code === 0) {
    process.stderr.write(`${((Date.now() - started) / 1000).toFixed(1)} s\n`);
    return;
  }
  process.stderr.write('failed\n');
  throw new StepFailed(`${withoutUsage(output)}\n${[command, ...args].join(' ')}: ${options.hint}`);
}

/** npm ends its errors with a page about all of its options. */
function withoutUsage(output) {
  return output.replace(/^npm error (Clean install a project|Usage:)[\s\S]*/m, '').trimEnd();
}

function run(command, args, options, lock) {
  return new Promise((resolve) => {
    let output = '';
    child = spawn(command, args, {
      cwd: options.cwd,
      env: options.env || process.env,
      shell: options.shell || false,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    if (child.pid !== undefined) lock.share(child.pid);
    const collect = (chunk) => {
      output += chunk;
    };
    child.stdout.setEncoding('utf8').on('data', collect);
    child.stderr.setEncoding('utf8').on('data', collect);
    child.on('error', (error) => resolve({ code: -1, output: String(error) }));
    child.on('close', (code) => resolve({ code, output }));
  });
}

/** On a signal: stop the child first, then leave; the lock is given back by its `exit` listener. */
export function onSignalStop() {
  const signals = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 };
  for (const [signal, number] of Object.entries(signals)) {
    process.on(signal, () => {
      const leave = () => process.exit(128 + number);
      if (child === undefined || child.exitCode !== null || child.signalCode !== null) leave();
      process.stderr.write('interrupted\n');
      child.on('exit', leave);
      child.kill(signal);
      setTimeout(() => child.kill('SIGKILL'), 5000);
    });
  }
}
