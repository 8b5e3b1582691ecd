import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import type { TLSSocket } from 'node:tls';
import { afterAll, afterEach, expect, test } from 'vitest';
import { readAll, removeFolders, stopAll, tcpServer } from '#app/testing';
import { cleanUpAfterTests } from '../interop/support/clean-up.ts';
import { freePort } from '../interop/support/program.ts';
import { GatewayProcess } from './gateway-process.ts';

cleanUpAfterTests();
afterEach(stopAll);
afterAll(removeFolders);

const echo = (port: number, rest = ''): string =>
  `name: echo${port}, listen: "127.0.0.1:${port}", certificate: local, echo: true${rest}`;

async function echoes(socket: TLSSocket): Promise<boolean> {
  socket.write('ping');
  const [data] = await once(socket, 'data');
  return String(data) === 'ping';
}

test('SIGHUP: changes count, a port that is taken and bad YAML change nothing, connections live through all of it', async () => {
  const gateway = new GatewayProcess();
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
  const gateway = new GatewayProcess();
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
