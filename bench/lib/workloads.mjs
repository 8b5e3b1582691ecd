import { hasLoader, LOADER } from './https-work.mjs';
import {
  CBC,
  CLIENT_CERTIFICATE,
  EARLY_DATA,
  HTTPS,
  HYBRID,
  hasFloor,
  referenceSetting,
  TLS12,
  TLS13,
} from './settings.mjs';
import { FLOOR, REFERENCE, STACKS } from './stacks.mjs';

/**
 * The workloads. Each is measured with the stack as `server` or as `client` (its `role`); the other side is the
 * reference. `behaviour` is the server's. `full` and `quick` give the size of a round; `units` how many of `unit`, where
 * that is known only afterwards by what the server counted and the client told. `lacks` names a program that is missing.
 */
const GIB = 2 ** 30;
const HTTPS_CONNECTIONS = 16;

/** What the server does when the stack under test, in either role, sends or receives. */
const SENDING = { server: 'source', client: 'sink' };
const RECEIVING = { server: 'sink', client: 'source' };

export const WORKLOADS = [
  ...handshakes('handshake-full', 'full handshake'),
  ...handshakes('handshake-resumed', 'resumed handshake', { resumed: true }),
  ...handshakes('handshake-farewell', 'full handshake, server closes first, no setNoDelay', {
    behaviour: 'farewell',
    stacks: STACKS.filter((name) => name !== 'lemon'),
  }),
  ...handshakes('handshake-0rtt', `0-RTT (${REFERENCE}: resumed handshake)`, {
    setting: EARLY_DATA,
    resumed: true,
  }),
  ...handshakes('handshake-client-certificate', 'full handshake with client certificate', {
    setting: CLIENT_CERTIFICATE,
  }),
  ...handshakes('handshake-hybrid', `full handshake, X25519MLKEM768${beside(HYBRID)}`, {
    setting: HYBRID,
    // Where ML-KEM is not native it costs milliseconds.
    full: { count: 300, warmUp: 300 },
  }),
  ...handshakes('handshake-12-full', 'full handshake, TLS 1.2', { setting: TLS12 }),
  ...handshakes('handshake-12-resumed', 'resumed handshake, TLS 1.2', { setting: TLS12, resumed: true }),
  ...bulk('bulk-send', 'send 1 GiB', SENDING),
  ...bulk('bulk-receive', 'receive 1 GiB', RECEIVING),
  ...bulk('bulk-cbc-send', 'send 1 GiB, AES-128-CBC', SENDING, CBC),
  ...bulk('bulk-cbc-receive', 'receive 1 GiB, AES-128-CBC', RECEIVING, CBC),
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
  ...https('https', 'HTTPS request, kept alive, 100 bytes'),
];

/** Measured in fresh processes, because memory that a process got once it rarely gives back. */
export const IDLE_MEMORY = {
  name: 'idle-memory',
  title: 'idle connection',
  unit: 'connection',
  role: 'server',
  full: { count: 2000, warmUp: 4000 },
  quick: { count: 200, warmUp: 20 },
};

/** Handshakes under way at a time: enough that neither side waits for the other. */
const CONCURRENCY = 8;

function bothRoles(workload) {
  return ['server', 'client'].map((role) => ({ ...workload, role }));
}

/** Connections one after the other: handshake, one byte there and back, close. */
function handshakes(name, title, { resumed = false, setting = TLS13, behaviour = 'echo', ...more } = {}) {
  const plain = behaviour === 'farewell';
  return bothRoles({
    name,
    title,
    unit: 'handshake',
    behaviour,
    setting,
    stacks: stacksFor(setting),
    full: { count: 1000, warmUp: 4000 },
    quick: { count: 200, warmUp: 500 },
    ...more,
    units: ({ count }) => count,
    resumed,
    connections: ({ count }) => count,
    prepare: resumed ? (client, port) => client.call('sessions', { port, count: CONCURRENCY }) : undefined,
    run: (client, port, { count }) =>
      client.call('handshakes', { port, count, concurrency: CONCURRENCY, resumed, plain }),
  });
}

/** What the reference does where it lacks the group. */
function beside(setting) {
  const { group } = referenceSetting(setting);
  return group === setting.group ? '' : ` (${REFERENCE}: ${group})`;
}

/** lemon-tls is measured where the first bench measures it. */
function stacksFor(setting) {
  return STACKS.filter((name) => {
    if (name === FLOOR) return hasFloor(setting);
    return name !== 'lemon' || setting === TLS13;
  });
}

/** Requests on connections that stay, one after the other on each. */
function https(name, title) {
  const common = { name, title, unit: 'request', setting: HTTPS, stacks: stacksFor(HTTPS), units: requests };
  return [
    {
      ...common,
      role: 'server',
      lacks: hasLoader() ? undefined : LOADER,
      full: { seconds: 2, connections: HTTPS_CONNECTIONS, warmUp: 3 },
      quick: { seconds: 1, connections: HTTPS_CONNECTIONS, warmUp: 1 },
      // The loader opens them anew in each round: less than a hundredth of the work.
      connections: ({ connections }) => connections,
      run: (client, port, size) => client.call('load', { ...size, port }),
    },
    {
      ...common,
      role: 'client',
      full: { count: 20_000, connections: HTTPS_CONNECTIONS, warmUp: 20_000 },
      quick: { count: 2_000, connections: HTTPS_CONNECTIONS, warmUp: 2_000 },
      holds: true,
      connections: () => 0,
      run: (client, port, size) => client.call('requests', { ...size, port }),
    },
  ];
}

/** What the server counted. The loader leaves without waiting for the last answer on each connection. */
function requests({ connections }, counts, told) {
  const unanswered = counts.requests - told.requests;
  if (unanswered >= 0 && unanswered <= connections) return counts.requests;
  throw new Error(`the server saw ${counts.requests} requests, and the client made ${told.requests}`);
}

function bulk(name, title, behaviours, setting = TLS13) {
  return bothRoles({
    name,
    title,
    unit: 'GiB',
    setting,
    stacks: stacksFor(setting),
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
