import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { connect as connectTcp } from 'node:net';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { loadConfig } from '../config/load.ts';
import { type Plan, planOf } from '../config/plan.ts';
import { authorityFiles, LocalAuthority } from '../identity/local-authority.ts';
import { folderWith, removeFolders } from '../testing/folder.ts';
import {
  connectTls,
  fetchFrom,
  keepAliveAgent,
  listenOn,
  stopAll,
  tcpServer,
  testLog,
} from '../testing/test-gateway.ts';
import { Gateway } from './gateway.ts';

const running: Gateway[] = [];
afterEach(() => {
  for (const gateway of running.splice(0)) gateway.destroy();
  stopAll();
});
afterAll(removeFolders);

const ECHO = 'certificate: local, echo: true';

/** A gateway whose configuration is a file. */
class Rig {
  readonly folder = folderWith();
  readonly file = join(this.folder, 'testudo.yaml');
  readonly log = testLog();
  gateway!: Gateway;

  /** Listeners as YAML flow maps; `top` comes before them. */
  write(listeners: readonly string[], top = ''): void {
    this.writeText(`${top}\nlisteners:\n${listeners.map((one) => `  - { ${one} }\n`).join('')}`);
  }

  writeText(text: string): void {
    writeFileSync(this.file, text);
  }

  load = (): Plan => planOf(loadConfig(this.file), this.file);

  async start(): Promise<void> {
    this.gateway = await Gateway.start(this.load(), this.folder, this.log.log);
    running.push(this.gateway);
  }

  /** Reloads; the log's messages meanwhile. */
  async reload(): Promise<string[]> {
    const before = this.log.lines().length;
    await this.gateway.reload(this.load);
    return this.log
      .lines()
      .slice(before)
      .map(({ listener, msg, reason }) => [listener, msg, reason].filter(Boolean).join(': '));
  }

  portOf(name: string): number {
    return this.gateway.listeners.find(({ plan }) => plan.name === name)!.address.port;
  }

  get ca(): string {
    return readFileSync(authorityFiles(this.folder).certificate, 'utf8');
  }

  connect(name: string, options: object = {}): Promise<TLSSocket> {
    return connectTls(this.portOf(name), { ca: this.ca, ...options });
  }
}

async function rigWith(listeners: readonly string[], top = ''): Promise<Rig> {
  const rig = new Rig();
  rig.write(listeners, top);
  await rig.start();
  return rig;
}

/** Whether a connection to an echo is alive. */
async function echoes(socket: TLSSocket): Promise<boolean> {
  socket.write('ping');
  const [data] = await once(socket, 'data');
  return String(data) === 'ping';
}

async function freePort(): Promise<number> {
  const server = createHttpServer();
  const port = await listenOn(server);
  server.close();
  await once(server, 'close');
  return port;
}

const at = (port: number, name: string, rest = ECHO): string =>
  `name: ${name}, listen: "127.0.0.1:${port}", ${rest}`;
const AS_IT_WAS = 'configuration and certificates not reloaded: nothing changes';

describe('a reload', () => {
  test('of the same says so, and keeps connections, sessions and the address', async () => {
    const rig = await rigWith([at(0, 'one')]);
    const open = await rig.connect('one', { maxVersion: 'TLSv1.2' });
    const session = open.getSession()!;
    const port = rig.portOf('one');
    expect(await rig.reload()).toEqual(['configuration and certificates reloaded: nothing has changed']);
    expect(rig.portOf('one')).toBe(port);
    expect(await echoes(open)).toBe(true);
    const resumed = await rig.connect('one', { session, maxVersion: 'TLSv1.2' });
    expect(resumed.isSessionReused()).toBe(true);
  });

  test('adds, removes and changes listeners; open connections keep what they have', async () => {
    const [a, b, c] = [await freePort(), await freePort(), await freePort()];
    const rig = await rigWith([at(a, 'stays'), at(b, 'goes'), at(c, 'changes')]);
    const sockets = await Promise.all(['stays', 'goes', 'changes'].map((name) => rig.connect(name)));
    const d = await freePort();
    rig.write([
      at(a, 'stays'),
      at(c, 'changed', 'certificate: local, welcome: true, minVersion: TLSv1.3, limits: { idle: 90s }'),
      at(d, 'comes'),
    ]);
    expect(await rig.reload()).toEqual([
      `goes: removed: 127.0.0.1:${b}, echo`,
      'changed: name: changes \u2192 changed',
      'changed: service: echo \u2192 welcome',
      'changed: limits.idle: 2m \u2192 90s',
      'changed: minVersion: default \u2192 TLSv1.3',
      'changed: alpn: default \u2192 http/1.1',
      `comes: added: 127.0.0.1:${d}, echo`,
      'configuration and certificates reloaded',
    ]);
    for (const socket of sockets) expect(await echoes(socket)).toBe(true);
    await expect(connectTls(b, { ca: rig.ca })).rejects.toThrow();
    expect(await fetchFrom({ port: c, ca: rig.ca }, '/')).toMatchObject({ status: 200 });
    await expect(connectTls(c, { ca: rig.ca, maxVersion: 'TLSv1.2' })).rejects.toThrow();
    expect(await echoes(await rig.connect('comes'))).toBe(true);
    expect(rig.gateway.connections).toBeGreaterThanOrEqual(3);
  });

  test('shows another certificate to new connections, and says which', async () => {
    const rig = new Rig();
    const { authority } = LocalAuthority.create(rig.folder);
    const issue = (name: string): void => {
      const issued = authority.issue({ purpose: 'server', names: [name] });
      writeFileSync(join(rig.folder, 'c.pem'), issued.certificate.der);
      writeFileSync(join(rig.folder, 'k.pem'), issued.privateKey!.exportPkcs8(), { mode: 0o600 });
    };
    issue('old.test');
    rig.write([at(0, 'one', 'certificate: c.pem, key: k.pem, echo: true')]);
    await rig.start();
    const open = await rig.connect('one', { rejectUnauthorized: false });
    issue('new.test');
    const lines = await rig.reload();
    expect(lines).toContainEqual(expect.stringMatching(/^one: certificate old\.test, .* is no longer used$/));
    expect(lines).toContainEqual(
      expect.stringMatching(/^one: certificate new\.test, good until .* is now used$/),
    );
    const next = await rig.connect('one', { rejectUnauthorized: false });
    expect(next.getPeerCertificate().subjectaltname).toBe('DNS:new.test');
    expect(await echoes(open)).toBe(true);
  });

  test('leaves a request that is being answered with what it asked', async () => {
    let answer: () => void = () => undefined;
    const asked = new Promise<void>((resolve) => {
      void listenOn(
        createHttpServer((_request, response) => {
          answer = () => response.end('old');
          resolve();
        }),
      ).then((port) => begin(port));
    });
    let begin: (port: number) => void = () => undefined;
    const old = await new Promise<number>((resolve) => {
      begin = resolve;
    });
    const young = await listenOn(createHttpServer((_request, response) => void response.end('new')));
    const port = await freePort();
    const rig = await rigWith([at(port, 'web', `certificate: local, proxy: "http://127.0.0.1:${old}"`)]);
    const slow = fetchFrom({ port, ca: rig.ca }, '/', { agent: keepAliveAgent() });
    await asked;
    rig.write([at(port, 'web', `certificate: local, proxy: "http://127.0.0.1:${young}"`)]);
    expect(await rig.reload()).toContain(
      `web: service: proxy to http://127.0.0.1:${old}/ \u2192 proxy to http://127.0.0.1:${young}/`,
    );
    expect(await fetchFrom({ port, ca: rig.ca }, '/')).toMatchObject({ body: 'new' });
    answer();
    expect(await slow).toMatchObject({ body: 'old' });
  });

  test('changes the limit of connections, the drain and the log level', async () => {
    const port = await freePort();
    const rig = await rigWith([at(port, 'one', `${ECHO}, limits: { connections: 1 }`)]);
    await rig.connect('one');
    await expect(rig.connect('one')).rejects.toThrow();
    rig.write([at(port, 'one', `${ECHO}, limits: { connections: 2 }`)], 'drain: 90s\nlogLevel: trace');
    expect(await rig.reload()).toEqual([
      'drain: 10s \u2192 90s',
      'logLevel: info \u2192 trace',
      'one: limits.connections: 1 \u2192 2',
      'configuration and certificates reloaded',
    ]);
    expect(rig.gateway.drainTime).toBe(90_000);
    expect(await echoes(await rig.connect('one'))).toBe(true);
    await expect(rig.connect('one')).rejects.toThrow();
  });
});

describe('when anything is wrong, all stays as it was', () => {
  test.each([
    ['YAML that is none', 'listeners: [', /:1:13: not valid YAML/],
    ['an unknown key', 'listeners:\n  - { listen: ":1", echoo: true }\n', /unknown key "echoo"/],
    ['no listener', 'listeners: []\n', /needs at least one listener/],
    [
      'a missing file',
      'listeners:\n  - { name: a, listen: ":1", certificate: none.pem, key: none.pem, echo: true }\n',
      /^.*a: .*none\.pem: cannot read the certificate/,
    ],
    [
      'a missing folder',
      'listeners:\n  - { name: a, listen: ":1", certificate: local, folder: ./none }\n',
      /none: cannot serve this folder/,
    ],
    [
      'a group that nobody knows',
      'listeners:\n  - { name: a, listen: ":1", certificate: local, echo: true, groups: [x] }\n',
      /no group is called x/,
    ],
  ])('%s', async (_, text, reason) => {
    const rig = await rigWith([at(0, 'one')]);
    const open = await rig.connect('one');
    rig.writeText(text);
    const lines = await rig.reload();
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain(AS_IT_WAS);
    expect(lines[0]).toMatch(reason);
    expect(await echoes(open)).toBe(true);
    expect(await echoes(await rig.connect('one'))).toBe(true);
  });

  test('a configuration that is gone', async () => {
    const rig = await rigWith([at(0, 'one')]);
    const missing = (): Plan => planOf(loadConfig('/none.yaml'), '/none.yaml');
    await rig.gateway.reload(missing);
    expect(rig.log.lines().at(-1)).toMatchObject({ level: 50, msg: AS_IT_WAS });
    expect(await echoes(await rig.connect('one'))).toBe(true);
  });

  test('an address that is taken: no other change counts either, and no address is held', async () => {
    const taken = await tcpServer(() => undefined);
    const [a, free] = [await freePort(), await freePort()];
    const rig = await rigWith([at(a, 'one')]);
    const changed = at(a, 'one', 'certificate: local, welcome: true');
    rig.write([changed, at(free, 'two'), at(taken, 'three')], 'logLevel: silent');
    expect(await rig.reload()).toEqual([
      `${AS_IT_WAS}: three: 127.0.0.1:${taken} is in use by another program: stop that one, or choose another port`,
    ]);
    expect(await echoes(await rig.connect('one'))).toBe(true);
    await expect(connectTls(free, { ca: rig.ca })).rejects.toThrow();
    rig.write([changed, at(free, 'two')]);
    expect((await rig.reload()).at(-1)).toBe('configuration and certificates reloaded');
    expect(await echoes(await rig.connect('two'))).toBe(true);
  });

  test('an address that this gateway itself holds under another one', async () => {
    const port = await freePort();
    const rig = await rigWith([at(port, 'one')]);
    rig.write([`name: one, listen: ":${port}", ${ECHO}`]);
    const lines = await rig.reload();
    expect(lines[0]).toContain(
      `it is this gateway itself, which listens on 127.0.0.1:${port}: such a change needs a restart`,
    );
    expect(await echoes(await rig.connect('one'))).toBe(true);
  });
});

test('a hundred wishes at once become few, and all connections live', async () => {
  const port = await freePort();
  const rig = await rigWith([at(port, 'one')]);
  const open = await rig.connect('one');
  const wishes = Array.from({ length: 100 }, () => rig.gateway.reload(rig.load));
  const sockets = await Promise.all(Array.from({ length: 10 }, () => rig.connect('one')));
  await Promise.all(wishes);
  const done = rig.log
    .lines()
    .filter(({ msg }) => String(msg).startsWith('configuration and certificates reloaded'));
  expect(done.length).toBeGreaterThan(0);
  expect(done.length).toBeLessThan(5);
  for (const socket of [open, ...sockets]) expect(await echoes(socket)).toBe(true);
});

test('the last of two quick changes counts', async () => {
  const port = await freePort();
  const rig = await rigWith([at(port, 'one')]);
  rig.write([at(port, 'two')]);
  const first = rig.gateway.reload(rig.load);
  rig.write([at(port, 'three')]);
  await Promise.all([first, rig.gateway.reload(rig.load)]);
  expect(rig.gateway.listeners.map(({ plan }) => plan.name)).toEqual(['three']);
});

test('while the gateway ends, nothing is read again, and no address is taken', async () => {
  const [a, b] = [await freePort(), await freePort()];
  const rig = await rigWith([at(a, 'one')]);
  const open = await rig.connect('one');
  rig.write([at(a, 'one'), at(b, 'two')]);
  const reloading = rig.gateway.reload(rig.load);
  const drained = rig.gateway.drain(60_000);
  await reloading;
  expect(await rig.reload()).toEqual(['the gateway is ending: the configuration is not reloaded']);
  await expect(connectTls(b, { ca: rig.ca })).rejects.toThrow();
  expect(await echoes(open)).toBe(true);
  open.end();
  await drained;
});

test('a listener that is removed ends its idle HTTP connections with a close_notify, and lets the others finish', async () => {
  const [a, b] = [await freePort(), await freePort()];
  const rig = await rigWith([at(a, 'web', 'certificate: local, welcome: true'), at(b, 'echo')]);
  const idle = await rig.connect('web');
  idle.resume();
  const busy = await rig.connect('echo');
  rig.write([at(await freePort(), 'other')]);
  await rig.reload();
  await once(idle, 'end');
  expect(await echoes(busy)).toBe(true);
});

test('handshakes that fail are logged as the new configuration wants it', async () => {
  const port = await freePort();
  const rig = await rigWith([at(port, 'one')]);
  rig.write([at(port, 'two')], 'logLevel: debug');
  await rig.reload();
  const junk = connectTcp({ port, host: '127.0.0.1' }).resume();
  junk.end('GET / HTTP/1.0\r\n\r\n');
  await once(junk, 'close');
  await expect.poll(() => rig.log.lines().at(-1)).toMatchObject({ listener: 'two', code: 'not-tls' });
  rig.write([at(port, 'two')], 'logLevel: error');
  await rig.reload();
  const before = rig.log.lines().length;
  await expect(
    connectTls(port, { ca: rig.ca, minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1' }),
  ).rejects.toThrow();
  expect(rig.log.lines()).toHaveLength(before);
});
