import { spawn, spawnSync } from 'node:child_process';

/** In user mode: what the kernel does for a process depends on what else the machine does. */
const EVENT = process.env.BENCH_EVENT ?? 'instructions:u';

/** Whether `perf` is there and may count. Virtual machines often hide the counters. */
let isAvailable;
function mayCount() {
  if (isAvailable === undefined) {
    const { status, stderr } = spawnSync('perf', ['stat', '-x,', '-e', EVENT, 'true'], { encoding: 'utf8' });
    isAvailable = status === 0 && /^[0-9]/m.test(stderr);
  }
  return isAvailable;
}

/**
 * Counts the instructions of a process, all its threads, between `enable` and `disable`: the measure that other
 * programs disturb least. Undefined where that is not possible.
 */
export async function instructionCounter(pid) {
  if (!mayCount()) return undefined;
  const options = ['stat', '-x,', '-e', EVENT, '-p', String(pid), '-D', '-1', '--control', 'fd:3,4'];
  const perf = spawn('perf', options, { stdio: ['ignore', 'ignore', 'pipe', 'pipe', 'pipe'] });
  const [, , output, control, acknowledgements] = perf.stdio;
  let text = '';
  output.setEncoding('utf8').on('data', (part) => {
    text += part;
  });
  const exited = new Promise((resolve) => perf.once('exit', resolve));
  const command = async (name) => {
    const acknowledged = new Promise((resolve) => acknowledgements.once('data', resolve));
    control.write(`${name}\n`);
    await Promise.race([acknowledged, exited]);
  };
  return {
    enable: () => command('enable'),
    disable: () => command('disable'),
    /** Ends counting. Undefined when perf gave no number. */
    async total() {
      perf.kill('SIGINT');
      await exited;
      // Between lines that tell about switching on and off.
      const number = text.match(/^[0-9.]+(?=,)/m);
      return number === null ? undefined : Number(number[0]);
    },
  };
}
