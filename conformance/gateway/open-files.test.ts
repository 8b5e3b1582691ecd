import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { PROGRAM, withBuild } from '../ca-command/program.ts';
import { useScratch } from '../support/scratch.ts';

// A gateway that the system lets open few files says so at its start and when it happens, and goes on.

withBuild('curl')('a gateway with few open files', () => {
  const scratch = useScratch('open-files');

  test('tells what to do, and serves again when there is room', { timeout: 60_000 }, async () => {
    const command = 'ulimit -n 300; exec "$NODE" "$PROGRAM" up --data data --https-port 0 --echo-port 0';
    const child = spawn('sh', ['-c', command], {
      cwd: scratch.path('.'),
      env: { ...process.env, NODE: process.execPath, PROGRAM, NO_COLOR: '1' },
    });
    let [out, err] = ['', ''];
    child.stdout.on('data', (text) => {
      out += text;
    });
    child.stderr.on('data', (text) => {
      err += text;
    });
    const sockets: Socket[] = [];
    try {
      await expect.poll(() => out, { timeout: 20_000 }).toContain('Trust the CA');
      await expect.poll(() => err).toContain('but the system allows 300: raise the limit');
      const port = Number(/https:\/\/localhost:(\d+)\//.exec(out)![1]);
      let closed = 0;
      for (let i = 0; i < 400; i++) {
        const socket = connect(port, '127.0.0.1').on('error', () => undefined);
        sockets.push(socket.on('close', () => closed++).resume());
      }
      await expect
        .poll(() => err, { timeout: 20_000 })
        .toContain('no more files can be opened: new connections are');
      await expect.poll(() => closed, { timeout: 20_000 }).toBeGreaterThan(50);
      expect(err.match(/no more files can be opened/g)).toHaveLength(1);
      for (const socket of sockets) socket.destroy();
      const url = `https://localhost:${port}/connection.json`;
      const fetched = (): string =>
        scratch.attempt('curl', '-s', '--cacert', 'data/ca.pem', '--max-time', '5', url).said;
      await expect.poll(fetched, { timeout: 20_000 }).toContain('"TLSv1.3"');
    } finally {
      for (const socket of sockets) socket.destroy();
      child.kill();
      await once(child, 'close');
    }
  });
});
