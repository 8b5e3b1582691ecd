import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { main } from '../cli.ts';
import { folderWith, removeFolders } from '../testing/folder.ts';
import { type TestIo, testIo } from '../testing/io.ts';
import { connectTls, fetchFrom, readAll, stopAll, tcpServer } from '../testing/test-gateway.ts';

afterEach(stopAll);
afterAll(removeFolders);

async function started(io: TestIo, ...args: string[]): Promise<{ code: Promise<number>; out: string }> {
  const code = main(['up', ...args], io);
  const out = await Promise.race([io.waitForOut('Ctrl+C'), code.then(() => io.err())]);
  return { code, out };
}

describe('testudo up without a configuration', () => {
  test('serves a welcome page and an echo, and says how to reach and trust them', async () => {
    const data = join(folderWith(), 'data');
    const io = testIo();
    const { code, out } = await started(io, '--data', data, '--https-port', '0', '--echo-port', '0');
    const [https, echo] = [/https:\/\/localhost:(\d+)\//, /-connect localhost:(\d+)/].map((pattern) =>
      Number(pattern.exec(out)![1]),
    );
    expect(out).toContain('Only this machine can reach it (127.0.0.1)');
    expect(out).toMatch(/curl --cacert \S*ca\.pem https:/);
    expect(out).toMatch(/openssl s_client -CAfile \S*ca\.pem -connect/);
    expect(out).not.toContain('\u001b');
    const ca = readFileSync(join(data, 'ca.pem'), 'utf8');
    expect((await fetchFrom({ port: https!, ca }, '/')).body).toContain('agreed on TLS 1.3');
    const socket = await connectTls(echo!, { ca });
    socket.end('hello');
    expect(await readAll(socket)).toBe('hello');

    io.signals.emit('SIGTERM');
    expect(await code).toBe(0);
    await expect(connectTls(echo!, { ca })).rejects.toThrow();
  });

  test('keeps its CA for the next time', async () => {
    const data = folderWith();
    for (const isNew of [true, false]) {
      const io = testIo();
      const { code, out } = await started(io, '--data', data, '--https-port', '0', '--echo-port', '0');
      expect(out.includes('new, good until')).toBe(isNew);
      io.signals.emit('SIGINT');
      await code;
    }
  });

  test('says that both ports are the same', async () => {
    const io = testIo();
    const ports = ['--https-port', '9', '--echo-port', '9'];
    expect(await main(['up', '--data', folderWith(), ...ports], io)).toBe(2);
    expect(io.err()).toBe('testudo: two listeners on 127.0.0.1:9: give each its own address\n');
  });

  test('says which port is in use, and holds neither', async () => {
    const port = await tcpServer(() => undefined);
    const io = testIo();
    expect(
      await main(['up', '--data', folderWith(), '--https-port', '0', '--echo-port', String(port)], io),
    ).toBe(1);
    expect(io.err()).toBe(
      `testudo: echo: 127.0.0.1:${port} is in use by another program: stop that one, or choose another port\n`,
    );
    expect(io.out()).toBe('');
  });
});

test('a second signal ends it at once', async () => {
  const data = folderWith();
  const io = testIo();
  const { code, out } = await started(io, '--data', data, '--https-port', '0', '--echo-port', '0');
  const port = Number(/-connect localhost:(\d+)/.exec(out)![1]);
  const socket = await connectTls(port, { ca: readFileSync(join(data, 'ca.pem')) });
  socket.resume();
  io.signals.emit('SIGTERM');
  io.signals.emit('SIGTERM');
  expect(await code).toBe(0);
  await once(socket, 'close');
});

describe('testudo up --config', () => {
  const config = `data: ./data\nlisteners:\n  - { name: echo, listen: "127.0.0.1:0", certificate: local, echo: true }\n`;

  test('serves what it says, with the data folder that it names', async () => {
    const folder = folderWith({ 'testudo.yaml': config });
    const io = testIo();
    const { code, out } = await started(io, '--config', join(folder, 'testudo.yaml'));
    const port = Number(/127\.0\.0\.1:(\d+)/.exec(out)![1]);
    const socket = await connectTls(port, { ca: readFileSync(join(folder, 'data', 'ca.pem')) });
    socket.end('hello');
    expect(await readAll(socket)).toBe('hello');
    io.signals.emit('SIGHUP');
    await expect.poll(() => io.err()).toContain('certificates reloaded: nothing has changed');
    io.signals.emit('SIGTERM');
    expect(await code).toBe(0);
  });

  test('says once that too few files can be open, and again when the number changes', async () => {
    const many = (connections: number): string =>
      config.replace('echo: true', `echo: true, limits: { connections: ${connections} }`);
    const folder = folderWith({ 'testudo.yaml': many(1_000_000) });
    const file = join(folder, 'testudo.yaml');
    const io = testIo();
    const { code } = await started(io, '--config', file);
    const reads = (): number => io.err().match(/reloaded/g)?.length ?? 0;
    const warnings = (): number => io.err().match(/open files/g)?.length ?? 0;
    for (const [at, [connections, expected]] of [
      [1_000_000, 1],
      [999_999, 2],
      [10, 2],
      [999_999, 3],
    ].entries()) {
      writeFileSync(file, many(connections!));
      io.signals.emit('SIGHUP');
      await expect.poll(() => [reads(), io.err()]).toEqual([at + 1, expect.anything()]);
      expect(warnings()).toBe(expected);
    }
    io.signals.emit('SIGTERM');
    expect(await code).toBe(0);
  });

  test('--check only looks', async () => {
    const folder = folderWith({ 'testudo.yaml': config });
    const io = testIo();
    expect(await main(['up', '--check', '--config', join(folder, 'testudo.yaml')], io)).toBe(0);
    expect(io.out()).toContain('fine, 1 listener');
    expect(existsSync(join(folder, 'data'))).toBe(false);
    writeFileSync(join(folder, 'testudo.yaml'), config.replace('local', 'none.pem, key: none.pem'));
    const bad = testIo();
    expect(await main(['up', '--check', '--config', join(folder, 'testudo.yaml')], bad)).toBe(1);
    expect(bad.err()).toContain('none.pem: cannot read the certificate: there is no such file');
  });

  test.each([
    ['127.0.0.1:8443', ':8443', 'overlap, since \\*:8443 is every address'],
    ['[::1]:8443', '[::]:8443', 'overlap, since \\[::\\]:8443 is every address'],
    ['localhost:8443', ':8443', 'overlap, since \\*:8443 is every address'],
    ['localhost:8443', 'LOCALHOST:8443', 'are the same address'],
    ['127.0.0.1:8443', '127.0.0.1:8443', 'two listeners on 127.0.0.1:8443'],
  ])('%s beside %s is one clear line, before anything is made', async (one, other, message) => {
    const yaml = [one, other].map(
      (listen) => `  - { listen: "${listen}", certificate: local, echo: true }\n`,
    );
    const folder = folderWith({ 'testudo.yaml': `data: ./data\nlisteners:\n${yaml.join('')}` });
    for (const more of [['--check'], []]) {
      const io = testIo();
      expect(await main(['up', ...more, '--config', join(folder, 'testudo.yaml')], io)).toBe(2);
      expect(io.err()).toMatch(new RegExp(`^testudo: [^\n]*(${message})[^\n]*\n$`));
      expect(existsSync(join(folder, 'data'))).toBe(false);
    }
  });

  test.each([
    [['--config', '/none.yaml'], '/none.yaml: cannot read the configuration'],
    [['--check'], '--check needs --config'],
    [['--https-port', '70000'], 'A port is a number from 0 to 65535'],
    [['--log-level', 'loud'], 'Allowed choices are silent, fatal'],
    [['--prot', '1'], "unknown option '--prot'"],
  ])('%j is wrong usage', async (args, message) => {
    const io = testIo();
    expect(await main(['up', ...args], io)).toBe(2);
    expect(io.err()).toContain(message);
  });

  test('ports of the demo do not go with it', async () => {
    const folder = folderWith({ 'testudo.yaml': config });
    const io = testIo();
    expect(await main(['up', '--config', join(folder, 'testudo.yaml'), '--echo-port', '1'], io)).toBe(2);
    expect(io.err()).toContain('with --config, write listen: into the file');
  });
});

describe('the program', () => {
  test.each([
    [['--help']],
    [['up', '--help']],
    [['connect', '--help']],
    [['ca', '--help']],
    [['ca', 'init', '--help']],
    [['ca', 'issue', '--help']],
    [['ca', 'show', '--help']],
  ])('%j helps, with an example', async (args) => {
    const io = testIo();
    expect(await main(args, io)).toBe(0);
    expect(io.out()).toContain('Usage: testudo');
    expect(io.out()).toContain('Example');
  });

  test('has a version', async () => {
    const io = testIo();
    expect(await main(['--version'], io)).toBe(0);
    expect(io.out()).toMatch(
      /^\d+\.\d+\.\d+\nNode [\d.]+, OpenSSL \S+ (called straight|through node:crypto \(.+\))\n$/,
    );
  });

  test('knows its verbs', async () => {
    const io = testIo();
    expect(await main(['konnect'], io)).toBe(2);
    expect(io.err()).toContain('Did you mean connect?');
  });
});
