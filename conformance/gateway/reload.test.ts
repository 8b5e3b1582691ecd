import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { afterAll, afterEach, expect, test } from 'vitest';
import { connectTls, folderWith, readAll, removeFolders, stopAll, tcpServer } from '#app/testing';
import { freePort } from '../interop/support/program.ts';

/** `testudo up` as a process of its own, and real signals. */
const PROGRAM = resolve(import.meta.dirname, '../../apps/testudo/bin/testudo.mjs');

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  stopAll();
});
afterAll(removeFolders);

class Gateway {
  readonly folder = folderWith();
  readonly file = join(this.folder, 'testudo.yaml');
  child!: ChildProcess;
  out = '';
  log = '';

  write(...listeners: string[]): void {
    writeFileSync(
      this.file,
      `data: ./data\ndrain: 1m\nlisteners:\n${listeners.map((one) => `  - { ${one} }\n`).join('')}`,
    );
  }

  async start(): Promise<void> {
    this.child = spawn(process.execPath, [PROGRAM, 'up', '--config', this.file]);
    children.push(this.child);
    this.child.stdout!.on('data', (chunk) => {
      this.out += chunk;
    });
    this.child.stderr!.on('data', (chunk) => {
      this.log += chunk;
    });
    await expect.poll(() => this.out, { timeout: 30_000 }).toContain('Ctrl+C ends it');
  }

  /** Sends SIGHUP, and waits until the log says what became of it. */
  async reload(): Promise<string> {
    const before = this.log.length;
    this.child.kill('SIGHUP');
    const added = (): string => this.log.slice(before);
    await expect
      .poll(added, { timeout: 30_000 })
      .toMatch(/"msg":"configuration and certificates (reloaded|not reloaded)/);
    return added();
  }

  connect(port: number): Promise<TLSSocket> {
    return connectTls(port, { ca: readFileSync(join(this.folder, 'data', 'ca.pem')) });
  }
}

const echo = (port: number, rest = ''): string =>
  `name: echo${port}, listen: "127.0.0.1:${port}", certificate: local, echo: true${rest}`;

async function echoes(socket: TLSSocket): Promise<boolean> {
  socket.write('ping');
  const [data] = await once(socket, 'data');
  return String(data) === 'ping';
}

test('SIGHUP: changes count, a port that is taken and bad YAML change nothing, connections live through all of it', async () => {
  const gateway = new Gateway();
  const [a, b, c] = [await freePort(), await freePort(), await freePort()];
  gateway.write(echo(a), echo(b));
  await gateway.start();
  const open: TLSSocket[] = [await gateway.connect(a), await gateway.connect(b)];

  gateway.write(echo(a, ', minVersion: TLSv1.3'), echo(c));
  const said = await gateway.reload();
  expect(said).toContain(`"msg":"removed: 127.0.0.1:${b}, echo"`);
  expect(said).toContain(`"msg":"added: 127.0.0.1:${c}, echo"`);
  expect(said).toContain('"msg":"minVersion: default \u2192 TLSv1.3"');
  await expect(gateway.connect(b)).rejects.toThrow();
  open.push(await gateway.connect(c));

  const taken = await tcpServer(() => undefined);
  gateway.write(echo(a, ', maxVersion: TLSv1.2'), echo(taken));
  expect(await gateway.reload()).toContain(`127.0.0.1:${taken} is in use by another program`);
  writeFileSync(gateway.file, 'listeners: [');
  expect(await gateway.reload()).toContain('not valid YAML');
  open.push(await gateway.connect(a), await gateway.connect(c));
  expect(open[3]!.getProtocol()).toBe('TLSv1.3');
  for (const socket of open) expect(await echoes(socket)).toBe(true);
});

test('a hundred quick SIGHUPs, and SIGHUP during a drain', async () => {
  const gateway = new Gateway();
  const port = await freePort();
  gateway.write(echo(port));
  await gateway.start();
  const open = await gateway.connect(port);
  for (let i = 0; i < 100; i++) {
    gateway.child.kill('SIGHUP');
    if (i % 10 !== 0) continue;
    const other = await gateway.connect(port);
    expect(await echoes(other)).toBe(true);
    other.destroy();
  }
  await gateway.reload();
  expect(await echoes(open)).toBe(true);

  gateway.child.kill('SIGTERM');
  await expect.poll(() => gateway.log).toContain('ending: open connections may finish');
  gateway.child.kill('SIGHUP');
  await expect.poll(() => gateway.log).toContain('the gateway is ending: the configuration is not reloaded');
  expect(await echoes(open)).toBe(true);
  const rest = readAll(open);
  open.end();
  await rest;
  const [code] = await once(gateway.child, 'exit');
  expect(code).toBe(0);
});
