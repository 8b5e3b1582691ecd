import { execFile, spawnSync } from 'node:child_process';
import { connect } from 'node:tls';
import { promisify } from 'node:util';
import { SERVER_NAME } from '../../lib/settings.mjs';

const run = promisify(execFile);

/** The clients, all in C but the one that only waits; each answers with how much it has done. */
export const LOADS = {
  /** Requests one after the other on connections that stay. */
  wrk: {
    command: 'wrk',
    package: 'wrk',
    async load({ port, seconds, connections }) {
      const options = ['-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '30s'];
      const { stdout } = await run('wrk', [...options, `https://127.0.0.1:${port}/`]);
      const requests = /(\d+) requests in/.exec(stdout)?.[1];
      if (requests === undefined || /Socket errors|Non-2xx/.test(stdout)) throw new Error(stdout);
      return Number(requests);
    },
  },
  /**
   * Connections one after the other, each with a full handshake (no session is kept) and one request, from several
   * processes at a time. wrk would resume every other connection.
   */
  s_time: {
    command: 'openssl',
    package: 'openssl',
    async load({ port, seconds, connections }) {
      // It writes `GET … HTTP/1.0` around the path; the rest of that goes into a field that nobody reads.
      const page = `/ HTTP/1.1\r\nHost: ${SERVER_NAME}\r\nConnection: close\r\nX-Rest:`;
      const args = ['s_time', '-connect', `127.0.0.1:${port}`, '-new', '-tls1_3', '-www', page];
      const lanes = Array.from({ length: connections }, async () => {
        const { stdout } = await run('openssl', [...args, '-time', String(seconds)]);
        const [, count, bytes] = /(\d+) connections in \d+ real seconds, (\d+) bytes/.exec(stdout) ?? [];
        if (!(Number(bytes) > 100)) throw new Error(stdout);
        return Number(count);
      });
      return (await Promise.all(lanes)).reduce((sum, one) => sum + one, 0);
    },
  },
  /** 100 MB from the server, as often as `times` says, each on a connection of its own. */
  receive: {
    command: 'curl',
    package: 'curl',
    load: (size) => transfer(size, ['--output', '/dev/null', '--write-out', '%{size_download}']),
  },
  /** 100 MB to the server. */
  send: {
    command: 'curl',
    package: 'curl',
    load: (size) =>
      transfer(size, [
        ...['--upload-file', size.file, '--header', 'Expect:'],
        ...['--output', '/dev/null', '--write-out', '%{size_upload}'],
      ]),
  },
};

/** Bytes of one transfer. */
export const BULK_SIZE = 100_000_000;

async function transfer({ port, times, ca }, options) {
  const target = [`--resolve`, `${SERVER_NAME}:${port}:127.0.0.1`, '--cacert', ca, '--curves', 'X25519'];
  const args = ['--silent', '--show-error', '--fail', '--http1.1', '--noproxy', '*', ...target, ...options];
  for (let i = 0; i < times; i++) {
    const { stdout } = await run('curl', [...args, `https://${SERVER_NAME}:${port}/`]);
    if (Number(stdout) !== BULK_SIZE) throw new Error(`curl moved ${stdout} bytes`);
  }
  return times;
}

export function isInstalled({ command }) {
  return spawnSync(command, ['--help']).error === undefined;
}

/**
 * Opens connections with one request each, and keeps them. `close()` ends them; `lost()` says how many were ended before.
 * Where opening all of them takes long, those that were first ask again, so that nobody's patience ends.
 */
export async function hold({ port, count, ca }) {
  const connections = [];
  let lost = 0;
  let started = 0;
  const lane = async () => {
    while (started < count) {
      started++;
      if (connections[0]?.askedAt < performance.now() - PATIENCE) {
        const first = connections.shift();
        await first.ask();
        connections.push(first);
      }
      connections.push(await openConnection({ port, ca, onClose: () => lost++ }));
    }
  };
  await Promise.all(Array.from({ length: 16 }, lane));
  return {
    lost: () => lost,
    close: () => {
      for (const { socket } of connections) socket.destroy();
    },
  };
}

/** Milliseconds. */
const PATIENCE = 8_000;

async function openConnection({ port, ca, onClose }) {
  const socket = connect({ host: '127.0.0.1', port, servername: SERVER_NAME, ca, minVersion: 'TLSv1.3' });
  socket.setNoDelay(true);
  let text = '';
  let answered;
  socket.on('data', (chunk) => {
    text += chunk;
    if (/\r\n\r\n.{100}$/s.test(text)) answered();
  });
  const connection = {
    socket,
    ask() {
      text = '';
      connection.askedAt = performance.now();
      socket.write(`GET / HTTP/1.1\r\nHost: ${SERVER_NAME}\r\n\r\n`);
      return new Promise((resolve) => {
        answered = resolve;
      });
    },
  };
  const failed = new Promise((_, reject) => {
    socket.once('error', reject);
    socket.once('close', () => {
      onClose();
      reject(new Error('the connection was closed'));
    });
  });
  // Once it stands, that it is lost is counted.
  failed.catch(() => undefined);
  await Promise.race([failed, connection.ask()]);
  return connection;
}
