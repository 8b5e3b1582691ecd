import { instructionCounter } from './instructions.mjs';
import { startProcess } from './processes.mjs';
import { referenceSetting, TLS13 } from './settings.mjs';
import { FLOOR, REFERENCE } from './stacks.mjs';

/**
 * Measures one workload for every stack in turn, round by round (node, testudo, lemon, node, …), so that what the
 * machine does besides hits all of them alike. Answers with each stack's samples per unit of work.
 */
export async function measureRounds(workload, { stacks, rounds, size, material, profile, onRound }) {
  const peerRole = workload.role === 'server' ? 'client' : 'server';
  const lanes = [];
  const setting = workload.setting ?? TLS13;
  // Another stack's peer is the reference, unless that lacks what is measured.
  const reference = referenceSetting(setting);
  for (const stack of stacks.filter((name) => workload.stacks?.includes(name) ?? true)) {
    const own = stack === REFERENCE ? reference : setting;
    const peerStack = own === reference ? peerOf(stack) : stack;
    const subject = await startProcess(stack, workload.role, material, own, { profile });
    const peer = await startProcess(peerStack, peerRole, material, own);
    lanes.push({ stack, subject, peer, samples: [], units: 0 });
  }
  for (const lane of lanes) {
    await prepare(lane, workload, size);
    lane.counter = await instructionCounter(lane.subject.pid);
  }
  for (let round = 0; round < rounds; round++) {
    for (const lane of lanes) {
      lane.samples.push(await oneRound(lane, workload, size));
      onRound?.(lane.stack, round);
    }
  }
  for (const lane of lanes) {
    const counted = await lane.counter?.total();
    if (counted !== undefined) lane.instructions = counted / lane.units;
    await lane.subject.stop();
    await lane.peer.stop();
  }
  return Object.fromEntries(
    lanes.map(({ stack, samples, tickets, instructions }) => [stack, { samples, tickets, instructions }]),
  );
}

/** Every stack's peer is the reference; the floor's, which speaks no TLS, is the floor. */
function peerOf(stack) {
  return stack === FLOOR ? FLOOR : REFERENCE;
}

async function prepare(lane, workload, size) {
  const [server, client] = sides(lane, workload);
  lane.port = await server.call('listen', { behaviour: workload.behaviour });
  if (workload.holds) await client.call('open', { ...size, port: lane.port });
  // Twice, so that what the compiler threw away in the first half is compiled again in the second.
  for (let i = 0; i < 2; i++) await work(lane, workload, inWarmUp(size));
}

function inWarmUp({ warmUp, ...size }) {
  const amount = ['total', 'seconds', 'count'].find((name) => name in size);
  return { ...size, [amount]: warmUp };
}

async function oneRound(lane, workload, size) {
  const { units, ...spent } = await work(lane, workload, size);
  lane.units += units;
  return { cpu: spent.cpu / units, system: spent.system / units, wall: spent.wall / units };
}

/** One run of the work between a start and a stop of the meter; checks that it was the work that was meant. */
async function work(lane, workload, size) {
  const [server, client] = sides(lane, workload);
  const prepared = await workload.prepare?.(client, lane.port);
  if (prepared?.tickets !== undefined) lane.tickets = prepared.tickets;
  if ('total' in size) await server.call('expect', { total: size.total });
  await server.call('counts');
  await lane.counter?.enable();
  await lane.subject.call('start');
  const told = await workload.run(client, lane.port, size);
  const spent = await lane.subject.call('stop');
  await lane.counter?.disable();
  const counts = await server.call('counts');
  checkHandshakes(lane, workload, workload.connections?.(size), counts);
  return { ...spent, units: workload.units(size, counts, told) };
}

function checkHandshakes(lane, workload, wanted, { connections, resumed }) {
  if (wanted === undefined) return;
  if (connections !== wanted || resumed !== (workload.resumed ? wanted : 0)) {
    throw new Error(
      `${workload.name}: the ${lane.stack} ${workload.role} saw ${connections} handshakes, ` +
        `${resumed} of them resumed; meant were ${wanted}`,
    );
  }
}

function sides({ subject, peer }, { role }) {
  return role === 'server' ? [subject, peer] : [peer, subject];
}

/** Memory of a server per connection that does nothing, after one byte there and back. In bytes. */
export async function measureIdleMemory({ stacks, rounds, size, material, onRound }) {
  const results = Object.fromEntries(stacks.map((stack) => [stack, { samples: [] }]));
  for (let round = 0; round < rounds; round++) {
    for (const stack of stacks) {
      const server = await startProcess(stack, 'server', material, TLS13);
      const client = await startProcess(peerOf(stack), 'client', material, TLS13);
      const port = await server.call('listen', { behaviour: 'echo' });
      await client.call('hold', { port, count: size.warmUp, concurrency: 16 });
      await client.call('release');
      const before = await server.call('memory');
      await client.call('hold', { port, count: size.count, concurrency: 16 });
      const { open } = await server.call('counts');
      if (open !== size.count) throw new Error(`the ${stack} server has ${open} connections open`);
      const after = await server.call('memory');
      results[stack].samples.push({
        rss: (after.rss - before.rss) / size.count,
        managed: (after.managed - before.managed) / size.count,
      });
      await client.stop();
      await server.stop();
      onRound?.(stack, round);
    }
  }
  return results;
}
