import { once } from 'node:events';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { connect as connectTcp, createServer as createTcpServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { createServer, type TLSSocket, type TlsOptions } from 'node:tls';
import { nodeCrypto } from '@testudo/crypto/node';
import { certificateToPem, createCertificateAuthority, privateKeyToPem } from '@testudo/x509';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { main } from '../cli.ts';
import { folderWith, removeFolders } from '../testing/folder.ts';
import { testIo } from '../testing/io.ts';
import { listenOn, stopAll, tcpServer } from '../testing/test-gateway.ts';

afterEach(stopAll);
afterAll(removeFolders);

/** Against servers of `node:tls`, which know nothing of our code. */
let folder: string;
let ca: string;
const identities: Record<string, { cert: string; key: string }> = {};

beforeAll(() => {
  folder = folderWith();
  const authority = createCertificateAuthority({ provider: nodeCrypto, commonName: 'Test CA' });
  ca = join(folder, 'ca.pem');
  writeFileSync(ca, certificateToPem(authority.certificate));
  const issue = (name: string, request: Parameters<typeof authority.issue>[0]): void => {
    const issued = authority.issue(request);
    identities[name] = {
      cert: certificateToPem(...issued.certificateChain),
      key: privateKeyToPem(issued.privateKey!),
    };
    writeFileSync(join(folder, `${name}.pem`), identities[name].cert);
    writeFileSync(join(folder, `${name}.key`), identities[name].key);
  };
  issue('localhost', { purpose: 'server', names: ['localhost', '127.0.0.1'] });
  issue('other', { purpose: 'server', names: ['other.test'] });
  issue('client', { purpose: 'client', commonName: 'alice' });
  const past = new Date(Date.now() - 20 * 86_400_000);
  const old = createCertificateAuthority({ provider: nodeCrypto, commonName: 'Old CA', at: past });
  const expired = old.issue({ purpose: 'server', names: ['localhost'], at: past, days: 10 });
  identities['expired'] = {
    cert: certificateToPem(expired.certificate),
    key: privateKeyToPem(expired.privateKey!),
  };
  const stranger = createCertificateAuthority({ provider: nodeCrypto, commonName: 'Stranger CA' });
  const strange = stranger.issue({ purpose: 'server', names: ['localhost'] });
  identities['stranger'] = {
    cert: certificateToPem(strange.certificate),
    key: privateKeyToPem(strange.privateKey!),
  };
  writeFileSync(join(folder, 'old.pem'), certificateToPem(old.certificate));
});

async function tlsServer(
  options: TlsOptions = {},
  serve: (socket: TLSSocket) => void = echo,
): Promise<number> {
  const server = createServer({ ...identities['localhost'], ...options }, (socket) => {
    socket.on('error', () => undefined);
    serve(socket);
  });
  server.on('tlsClientError', () => undefined);
  return listenOn(server);
}

const echo = (socket: TLSSocket): void => void socket.pipe(socket);

async function run(
  port: number,
  args: readonly string[],
  input = '',
): Promise<{ code: number; out: string; err: string }> {
  const stdin = new PassThrough();
  stdin.end(input);
  const io = testIo({ stdin });
  const code = await main(['connect', `localhost:${port}`, '--ca', ca, ...args], io);
  return { code, out: io.out(), err: io.err() };
}

async function runJson(port: number, ...args: string[]) {
  const { code, out, err } = await run(port, ['--json', ...args]);
  return { code, err, json: JSON.parse(out) };
}

describe('standard input and output', () => {
  test('go through, and the report goes elsewhere', async () => {
    const { code, out, err } = await run(await tlsServer(), [], 'hello');
    expect([code, out]).toEqual([0, 'hello']);
    expect(err).toContain('TLS 1.3');
    expect(err).not.toContain('\u001b');
  });

  test('carry megabytes, unchanged', async () => {
    const much = 'abcdefgh'.repeat(500_000);
    const { code, out } = await run(await tlsServer(), [], much);
    expect(code).toBe(0);
    expect(out === much).toBe(true);
  });

  test('end when the server ends', async () => {
    // A server of Node that ends while its tickets are on the way sends no close_notify: it waits for a byte.
    const port = await tlsServer({}, (socket) => void socket.once('data', () => socket.end('bye')));
    const stdin = new PassThrough();
    const io = testIo({ stdin });
    stdin.write('x');
    expect(await main(['connect', `localhost:${port}`, '--ca', ca], io)).toBe(0);
    expect(io.out()).toBe('bye');
  });

  test('that break off are a failure: data may be missing', async () => {
    const port = await tlsServer({}, (socket) => {
      socket.write('half');
    });
    const proxy = await cutting(port);
    const io = testIo({ stdin: new PassThrough() });
    const ended = main(['connect', `localhost:${proxy.port}`, '--ca', ca], io);
    await io.waitForOut('half');
    proxy.cut();
    expect(await ended).toBe(4);
    expect(io.err()).toContain('without close_notify: data may be missing');
  });
});

/** A TCP proxy that ends the connection, without TLS's own end, when it is told to. */
async function cutting(port: number): Promise<{ port: number; cut: () => void }> {
  const clients: Socket[] = [];
  const listening = await listenOn(
    createTcpServer((client) => {
      const server = connectTcp(port, '127.0.0.1').on('error', () => undefined);
      client.on('error', () => undefined).pipe(server);
      server.on('data', (chunk) => client.write(chunk));
      clients.push(client);
    }),
  );
  return { port: listening, cut: () => clients.forEach((client) => void client.end()) };
}

describe('the report', () => {
  test('has what was agreed, the chain with a verdict, and the messages', async () => {
    const { code, err } = await run(await tlsServer({ ALPNProtocols: ['h2'] }), [
      '--alpn',
      'h2,http/1.1',
      '--no-input',
    ]);
    expect(code).toBe(0);
    for (const pattern of [
      /version +TLS 1\.3/,
      /cipher suite +TLS_AES_\d+_GCM_SHA/,
      /ALPN +h2/,
      /accepted: the certificate is for localhost and leads to the trusted root "CN=Test CA"/,
      /1\. the server’s certificate {2}valid for 39\d more days/,
      /2\. root CA, not sent/,
      /client → {2}ClientHello +[\d,]+ B/,
      /server ← {2}Certificate +\d+ B {2}encrypted/,
    ]) {
      expect(err).toMatch(pattern);
    }
  });

  test('as JSON is what the server knows, too', async () => {
    let seen: { suite: string; version: string | null; name: string } | undefined;
    const port = await tlsServer({}, (socket) => {
      seen = {
        suite: socket.getCipher().standardName,
        version: socket.getProtocol(),
        name: String((socket as { servername?: string }).servername),
      };
      echo(socket);
    });
    const { code, json, err } = await runJson(port);
    expect([code, err]).toEqual([0, '']);
    expect(json).toMatchObject({
      ok: true,
      cipherSuite: seen!.suite,
      version: seen!.version,
      serverName: 'localhost',
      resumed: false,
    });
    expect(json.certificate).toMatchObject({ accepted: true, code: null, insecure: false });
    expect(json.certificate.certificates.map(({ role }: { role: string }) => role)).toEqual([
      'server',
      'root',
    ]);
    expect(json.messages[0]).toMatchObject({ from: 'client', name: 'client_hello', encrypted: false });
  });

  test('with --trace has every field and every byte', async () => {
    const port = await tlsServer({ maxVersion: 'TLSv1.2' });
    const { code, err } = await run(port, ['--trace', '--no-input']);
    expect(code).toBe(0);
    expect(err).toMatch(/→ ClientHello, [\d,]+ B/);
    expect(err).toMatch(/supported_groups/);
    expect(err).toMatch(/← ServerKeyExchange/);
    expect(err).toMatch(/namedCurve {2}0x[0-9a-f]{4}/);
    expect(err).not.toContain('cannot be read further');
    const { json } = await runJson(port, '--trace');
    for (const message of json.trace) {
      expect(message.hex.length / 2).toBe(message.size);
      expect(message).not.toHaveProperty('error');
    }
  });
});

describe('options', () => {
  test('limit what is offered', async () => {
    const port = await tlsServer();
    expect((await runJson(port, '--max', '1.2')).json.version).toBe('TLSv1.2');
    expect((await runJson(port, '--groups', 'P-384')).json.group).toBe('secp384r1');
    expect((await runJson(port, '--ciphers', 'TLS_CHACHA20_POLY1305_SHA256')).json.cipherSuite).toBe(
      'TLS_CHACHA20_POLY1305_SHA256',
    );
  });

  test('resume a session that was kept, in a file for its owner only', async () => {
    const file = join(folder, 'session');
    for (const version of ['1.3', '1.2']) {
      const port = await tlsServer();
      expect((await runJson(port, '--max', version, '--session-out', file)).json.resumed).toBe(false);
      expect(statSync(file).mode & 0o777).toBe(0o600);
      const { json } = await runJson(port, '--max', version, '--session-in', file);
      expect([json.resumed, json.certificate]).toEqual([true, null]);
    }
  });

  test('write the key log that Node writes, too', async () => {
    const file = join(folder, 'keys.log');
    writeFileSync(file, '# before\n');
    const lines: string[] = [];
    const server = createServer(identities['localhost']!, echo);
    server.on('keylog', (line: Buffer) => lines.push(line.toString().trim()));
    await run(await listenOn(server), ['--keylog', file, '--no-input']);
    const written = readFileSync(file, 'utf8').trim().split('\n');
    expect(written[0]).toBe('# before');
    expect(written.slice(1).sort()).toEqual([...new Set(lines)].sort());
    const fresh = join(folder, 'fresh.log');
    await run(await tlsServer(), ['--keylog', fresh, '--no-input']);
    expect(statSync(fresh).mode & 0o777).toBe(0o600);
  });

  test('show a client certificate', async () => {
    let name: string | undefined;
    const port = await tlsServer({ requestCert: true, ca: readFileSync(ca) }, (socket) => {
      name = String(socket.getPeerCertificate().subject.CN);
      echo(socket);
    });
    expect(
      (
        await run(port, [
          '--cert',
          join(folder, 'client.pem'),
          '--key',
          join(folder, 'client.key'),
          '--no-input',
        ])
      ).code,
    ).toBe(0);
    expect(name).toBe('alice');
    const without = await run(port, ['--no-input']);
    expect(without.code).toBe(4);
    expect(without.err).toContain('the server wants a client certificate: give --cert and --key');
  });
});

describe('a certificate that is not good ends with 1, and says why:', () => {
  test.each([
    ['another name', 'other', [], 'name-mismatch', /other\.test/],
    ['an unknown CA', 'stranger', [], 'unknown-issuer', /neither trusted nor sent/],
    ['an expired one', 'expired', ['--ca', 'old.pem'], 'expired', /expired on .*; renew it/],
  ])('%s', async (_, name, args, code, message) => {
    const port = await tlsServer(identities[name]!);
    const paths = args.map((arg) => (arg.endsWith('.pem') ? join(folder, arg) : arg));
    const refused = await run(port, [...paths, '--no-input']);
    expect(refused.code).toBe(1);
    expect(refused.err.trim().split('\n').at(-1)).toMatch(message);
    expect(refused.err).toMatch(/refused: /);
    const { json, code: exit } = await runJson(port, ...paths);
    expect(exit).toBe(1);
    expect(json).toMatchObject({
      ok: false,
      error: { reason: 'CertificateRejected' },
      certificate: { accepted: false, code },
    });
  });

  test('--insecure takes it, and says so', async () => {
    const port = await tlsServer(identities['other']!);
    const { code, err } = await run(port, ['--insecure', '--no-input']);
    expect(code).toBe(0);
    expect(err).toMatch(/ACCEPTED ANYWAY \(--insecure\): .*other\.test/);
    expect((await runJson(port, '--insecure')).json.certificate).toMatchObject({
      accepted: true,
      insecure: true,
      code: 'name-mismatch',
    });
  });

  test('--servername asks for another one', async () => {
    const port = await tlsServer(identities['other']!);
    expect((await run(port, ['--servername', 'other.test', '--no-input'])).code).toBe(0);
  });
});

describe('a failure is one line, and an exit code', () => {
  const lastLine = (err: string): string => err.trim().split('\n').at(-1)!;

  test('3 where nothing listens', async () => {
    const server = createTcpServer();
    const free = await listenOn(server);
    server.close();
    await once(server, 'close');
    const { code, err, out } = await run(free, []);
    expect([code, err, out]).toEqual([
      3,
      `testudo: cannot connect to localhost:${free}: connection refused: nothing listens there\n`,
      '',
    ]);
    const { json, code: exit } = await runJson(free);
    expect([exit, json.ok, json.error.code]).toEqual([3, false, 'unreachable']);
  });

  test('3 for a name that does not exist', async () => {
    const io = testIo();
    expect(await main(['connect', 'does-not-exist.invalid'], io)).toBe(3);
    expect(io.err()).toMatch(/^testudo: cannot connect to does-not-exist\.invalid:443: .*\n$/);
  });

  test('4 for what is no TLS', async () => {
    const port = await tcpServer((socket) => socket.write('220 mail.example.test ESMTP\r\n'));
    const { code, err } = await run(port, []);
    expect(code).toBe(4);
    expect(lastLine(err)).toMatch(/this is not TLS; does the port speak another protocol/);
  });

  test('4 for a server that hangs up', async () => {
    const port = await tcpServer((socket) => socket.end());
    const { code, err } = await run(port, []);
    expect([code, lastLine(err).endsWith('does this port speak TLS?')]).toEqual([4, true]);
  });

  test('4 for a server that says nothing', async () => {
    const port = await tcpServer(() => undefined);
    const { code, err } = await run(port, ['--timeout', '0.1']);
    expect(code).toBe(4);
    expect(lastLine(err)).toContain('did not finish the handshake within 0.1 s');
  });

  test('4 for nothing in common, with what to try', async () => {
    const port = await tlsServer({ minVersion: 'TLSv1.3' });
    const { code, err } = await run(port, ['--max', '1.2']);
    expect([code, lastLine(err)]).toEqual([
      4,
      expect.stringMatching(/protocol_version.*try --min and --max/),
    ]);
  });

  test.each([
    [['a b:1'], 'has no valid host'],
    [['localhost:0'], 'nothing can be reached on port 0'],
    [['localhost', '--min', '1.1'], 'A version is 1.2 or 1.3'],
    [['localhost', '--min', '1.3', '--max', '1.2'], 'no TLS version from TLSv1.3 to TLSv1.2'],
    [['localhost', '--groups', 'x25520'], 'no group is called x25520'],
    [['localhost', '--ca', '/none.pem'], '/none.pem: cannot read the certificate'],
    [['localhost', '--cert', '/none.pem'], 'needs both --cert and --key'],
    [['localhost', '--timeout', 'soon'], 'A timeout is a number of seconds'],
    [['localhost', '--session-in', '/none'], '/none: cannot read the session'],
    [['localhost', '--keylog', '/none/none'], 'cannot write the key log /none/none'],
  ])('2 for %j', async (args, message) => {
    const io = testIo();
    expect(await main(['connect', ...args], io)).toBe(2);
    expect(io.err()).toContain(message);
  });
});

test('what a server sends cannot draw on the terminal', async () => {
  const evil = createCertificateAuthority({ provider: nodeCrypto, commonName: 'evil \u001b[2J\u202e' });
  const issued = evil.issue({ purpose: 'server', names: ['localhost'] });
  const port = await tlsServer({
    cert: certificateToPem(issued.certificate),
    key: privateKeyToPem(issued.privateKey!),
  });
  for (const args of [['--no-input'], ['--trace', '--no-input', '--insecure']]) {
    const { err } = await run(port, args);
    for (const character of ['\u001b', '\u202e']) expect(err).not.toContain(character);
    expect(err).toContain('evil');
  }
});

test('what comes goes to standard output as it is, while nobody types', async () => {
  const port = await tlsServer({}, (socket) => {
    socket.write('hello ');
    socket.once('data', () => socket.end('world'));
  });
  const stdin = new PassThrough();
  const io = testIo({ stdin });
  const done = main(['connect', `localhost:${port}`, '--ca', ca], io);
  await io.waitForOut('hello ');
  stdin.write('x');
  expect(await done).toBe(0);
  expect(io.out()).toBe('hello world');
});
