import { ClientWork } from './client-work.mjs';
import { HttpsClientWork, HttpsServerWork } from './https-work.mjs';
import { ServerWork } from './server-work.mjs';
import { loadStack } from './stacks.mjs';

/**
 * One process with one stack in one role: the one under test, or the reference opposite. Its parent sends
 * `{ id, command, options }` over IPC and gets `{ id, result }` or `{ id, error }`.
 */
const [stackName, role, material, setting] = JSON.parse(process.argv[2]);
const stack = await loadStack(stackName, material, setting);
const WORKS = setting.https
  ? { server: HttpsServerWork, client: HttpsClientWork }
  : { server: ServerWork, client: ClientWork };
const work = new WORKS[role](stack);

const meter = {
  /**
   * From here on CPU time counts. No forced garbage collection: it would also throw away the types that compiled code
   * relies on, and each round would begin with compiling it again.
   */
  start() {
    meter.wall = process.hrtime.bigint();
    meter.cpu = process.cpuUsage();
  },
  /** Microseconds since `start`: CPU time of all the process's threads, user and system, and wall time. */
  stop() {
    const { user, system } = process.cpuUsage(meter.cpu);
    return { cpu: user + system, user, system, wall: Number(process.hrtime.bigint() - meter.wall) / 1000 };
  },
  /** Bytes, after collections. */
  async memory() {
    for (let i = 0; i < 3; i++) {
      globalThis.gc();
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const { rss, heapUsed, external } = process.memoryUsage();
    return { rss, managed: heapUsed + external };
  },
};

process.on('message', async ({ id, command, options }) => {
  try {
    const result = await (meter[command] ? meter[command](options) : work[command](options));
    process.send({ id, result: result ?? null });
  } catch (error) {
    process.send({ id, error: error?.stack ?? String(error) });
  }
});
process.on('disconnect', () => process.exit());
process.send({ ready: true });
