/**
 * The workloads. Each is measured with the stack as `server` or as `client` (its `role`); the other side is the
 * reference. `behaviour` is the server's. `full` and `quick` give the size of a round; `units` how many of `unit`.
 */
const GIB = 2 ** 30;

export const WORKLOADS = [
  ...bothRoles({
    name: 'handshake-full',
    title: 'full handshake',
    unit: 'handshake',
    behaviour: 'echo',
    full: { count: 1000, warmUp: 1500 },
    quick: { count: 200, warmUp: 500 },
    units: ({ count }) => count,
    connections: ({ count }) => count,
    run: (client, port, { count }) =>
      client.call('handshakes', { port, count, concurrency: CONCURRENCY, resumed: false }),
  }),
  ...bothRoles({
    name: 'handshake-resumed',
    title: 'resumed handshake',
    unit: 'handshake',
    behaviour: 'echo',
    full: { count: 1000, warmUp: 1500 },
    quick: { count: 200, warmUp: 500 },
    units: ({ count }) => count,
    resumed: true,
    connections: ({ count }) => count,
    prepare: (client, port) => client.call('session', { port }),
    run: (client, port, { count }) =>
      client.call('handshakes', { port, count, concurrency: CONCURRENCY, resumed: true }),
  }),
  ...bulk('bulk-send', 'send 1 GiB', { server: 'source', client: 'sink' }),
  ...bulk('bulk-receive', 'receive 1 GiB', { server: 'sink', client: 'source' }),
  ...bothRoles({
    name: 'ping-pong',
    title: '64 bytes there and back',
    unit: 'round trip',
    behaviour: 'echo',
    full: { count: 20_000, warmUp: 20_000 },
    quick: { count: 2_000, warmUp: 2_000 },
    units: ({ count }) => count,
    holds: true,
    run: (client, _port, { count }) => client.call('pingPong', { count, size: 64 }),
  }),
];

/** Measured in fresh processes, because memory that a process got once it rarely gives back. */
export const IDLE_MEMORY = {
  name: 'idle-memory',
  title: 'idle connection',
  unit: 'connection',
  role: 'server',
  full: { count: 2000, warmUp: 1000 },
  quick: { count: 200, warmUp: 20 },
};

/** Handshakes under way at a time: enough that neither side waits for the other. */
const CONCURRENCY = 8;

function bothRoles(workload) {
  return ['server', 'client'].map((role) => ({ ...workload, role }));
}

/** `behaviours` are the server's: when the stack under test is the client, its server does the opposite. */
function bulk(name, title, behaviours) {
  return bothRoles({
    name,
    title,
    unit: 'GiB',
    full: { total: GIB, warmUp: GIB / 4 },
    quick: { total: GIB / 16, warmUp: GIB / 32 },
    units: ({ total }) => total / GIB,
    holds: true,
  }).map((workload) => {
    const behaviour = behaviours[workload.role];
    const command = behaviour === 'source' ? 'receive' : 'send';
    return { ...workload, behaviour, run: (client, _port, { total }) => client.call(command, { total }) };
  });
}
