import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeMaterial } from '../../lib/material.mjs';
import { BULK_SIZE, hold, LOADS } from './loads.mjs';
import { cpuOf, freePort, memoryOf, startProgram, untilListening } from './process-tree.mjs';
import { start, startAnsweringNginx } from './programs.mjs';

const BULK_BACKEND = fileURLToPath(new URL('../bulk-backend.mjs', import.meta.url));

/** The folder of one run: the certificate, configurations, the file to send. `remove()` when all is over. */
export function makeSurroundings() {
  const folder = mkdtempSync(join(tmpdir(), 'testudo-bench-'));
  const { ca, server } = makeMaterial();
  const files = { folder, ca, caFile: join(folder, 'ca.pem'), pem: join(folder, 'server.pem') };
  writeFileSync(files.caFile, ca);
  writeFileSync(files.pem, `${server.key}${server.cert}`, { mode: 0o600 });
  const file = join(folder, 'to-send');
  writeFileSync(file, '');
  truncateSync(file, BULK_SIZE);
  return { ...files, file, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** CPU time of each program per unit of work, round by round, in turn. */
export async function measureCpu(workload, { programs, rounds, size, surroundings, profile, onRound }) {
  const behind = await startBackend(workload, surroundings);
  const lanes = [];
  try {
    for (const program of programs) {
      lanes.push({
        ...(await startFront(program, workload, { behind, surroundings, profile })),
        samples: [],
      });
    }
    const { warmUp, ...round } = size;
    const load = (lane, amount) =>
      LOADS[workload.load].load({
        ...amount,
        port: lane.port,
        ca: surroundings.caFile,
        file: surroundings.file,
      });
    for (const lane of lanes) {
      onRound?.(lane.name, 'warming up');
      await load(lane, { ...round, ...warmUp });
    }
    for (let i = 0; i < rounds; i++) {
      for (const lane of lanes) {
        onRound?.(lane.name, `round ${i + 1} of ${rounds}`);
        const [cpu, wall] = [cpuOf(lane.pid), performance.now()];
        const units = await load(lane, round);
        await rest();
        lane.samples.push({
          cpu: (cpuOf(lane.pid) - cpu) / units,
          wall: ((performance.now() - wall) * 1000) / units,
        });
      }
    }
  } finally {
    await Promise.all([...lanes, behind].map((one) => one.stop()));
  }
  return Object.fromEntries(lanes.map(({ name, samples }) => [name, { samples }]));
}

/** Memory of each program per connection that does nothing, in new processes for each round, in turn. */
export async function measureMemory(workload, { programs, rounds, surroundings, onRound }) {
  const results = Object.fromEntries(programs.map(({ name }) => [name, { samples: [] }]));
  const { count, warmUp, settle } = workload;
  const behind = await startBackend(workload, surroundings);
  try {
    for (let i = 0; i < rounds; i++) {
      for (const program of programs) {
        onRound?.(program.name, `round ${i + 1} of ${rounds}`);
        const front = await startFront(program, workload, { behind, surroundings });
        try {
          const { port, pid } = front;
          const { ca } = surroundings;
          (await hold({ port, ca, count: warmUp })).close();
          await rest(1000);
          const before = memoryOf(pid);
          const held = await hold({ port, ca, count });
          await rest(settle);
          const memory = (memoryOf(pid) - before) / count;
          if (held.lost() > 0) throw new Error(`${program.name} ended ${held.lost()} idle connections`);
          held.close();
          results[program.name].samples.push({ memory });
        } finally {
          await front.stop();
        }
      }
    }
  } finally {
    await behind.stop();
  }
  return results;
}

/** What came last is still being put away when its client has ended. */
function rest(milliseconds = 50) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

async function startBackend({ backend }, surroundings) {
  const port = await freePort();
  const program =
    backend === 'bulk'
      ? startProgram('the server behind', process.execPath, [BULK_BACKEND, String(port)])
      : startAnsweringNginx({ port, folder: newFolder(surroundings, `behind-${port}`) });
  await untilListening(program, port);
  return { port, stop: () => program.stop() };
}

async function startFront(program, { mode }, { behind, surroundings, profile }) {
  const port = await freePort();
  const process = start(program, {
    mode: program.modes.includes(mode) ? mode : 'forward',
    port,
    backend: behind.port,
    pem: surroundings.pem,
    folder: newFolder(surroundings, `${program.name}-${port}`),
    profile,
  });
  await untilListening(process, port);
  return { name: program.name, port, pid: process.pid, stop: () => process.stop() };
}

function newFolder({ folder }, name) {
  const path = join(folder, name);
  mkdirSync(path);
  return path;
}
