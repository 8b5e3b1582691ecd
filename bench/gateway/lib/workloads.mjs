/**
 * What is measured. `mode`: what the program does with what is in the TLS connection; programs that only pass bytes on do
 * that for `proxy`, too. `load`: the client, in loads.mjs. `size` is one round.
 */
export const WORKLOADS = [
  {
    name: 'requests',
    title: 'request on a kept connection',
    mode: 'proxy',
    load: 'wrk',
    unit: 'request',
    size: { seconds: 2, connections: 16, warmUp: { seconds: 5 } },
    quick: { seconds: 1, connections: 16, warmUp: { seconds: 2 } },
  },
  {
    name: 'connections',
    title: 'new connection, one request',
    mode: 'proxy',
    load: 's_time',
    unit: 'connection',
    size: { seconds: 3, connections: 4, warmUp: { seconds: 8 } },
    quick: { seconds: 1, connections: 4, warmUp: { seconds: 4 } },
  },
  {
    name: 'handshakes',
    title: 'new connection through forward',
    mode: 'forward',
    load: 's_time',
    unit: 'connection',
    size: { seconds: 3, connections: 4, warmUp: { seconds: 8 } },
    quick: { seconds: 1, connections: 4, warmUp: { seconds: 4 } },
  },
  bulk('receive', 'forward', '100 MB to the client through forward'),
  bulk('send', 'forward', '100 MB to the server through forward'),
  bulk('receive', 'proxy', '100 MB to the client, HTTP'),
  bulk('send', 'proxy', '100 MB to the server, HTTP'),
  idle(1000),
  idle(5000),
];

function bulk(load, mode, title) {
  const size = { times: 8, warmUp: { times: 4 } };
  return {
    name: mode === 'forward' ? load : `${load}-http`,
    title,
    mode,
    load,
    backend: 'bulk',
    unit: '100 MB',
    // Here bytes are all that counts: those that do not speak HTTP are in the lines of `forward`.
    exact: true,
    size,
    quick: { times: 3, warmUp: { times: 2 } },
  };
}

function idle(count) {
  return {
    name: `idle-${count}`,
    title: `idle connection, of ${count.toLocaleString('en')}`,
    mode: 'proxy',
    load: 'hold',
    unit: 'connection',
    count,
    warmUp: 200,
    /** Milliseconds before memory is read. */
    settle: 5_000,
    mostRounds: 3,
  };
}
