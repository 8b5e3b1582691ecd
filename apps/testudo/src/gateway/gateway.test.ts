import { once } from 'node:events';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { connect as connectTcp, createServer } from 'node:net';
import { join } from 'node:path';
import { connect } from 'node:tls';
import type { KeySpec } from '@testudo/crypto';
import { connect as connectOurs } from '@testudo/tls/node';
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest';
import { LocalAuthority } from '../identity/local-authority.ts';
import { folderWith, removeFolders } from '../testing/folder.ts';
import {
  connectTls,
  fetchFrom,
  keepAliveAgent,
  listenOn,
  readAll,
  standstill,
  startGateway,
  stopAll,
  tcpServer,
} from '../testing/test-gateway.ts';

afterEach(stopAll);
afterAll(removeFolders);

const LOCAL = 'certificate: local';

describe('an echo service', () => {
  test('sends back what comes, and ends when the client does', async () => {
    const { port, ca } = await startGateway([`${LOCAL}\necho: true`]);
    const socket = await connectTls(port, { ca });
    expect(socket.authorized).toBe(true);
    socket.end('a'.repeat(300_000));
    expect(await readAll(socket)).toBe('a'.repeat(300_000));
  });
});

describe('a forward', () => {
  test('passes bytes both ways, and an end as an end', async () => {
    const behind = await tcpServer(async (socket) => {
      const text = await readAll(socket);
      socket.end(text.toUpperCase());
    });
    const { port, ca } = await startGateway([`${LOCAL}\nforward: 127.0.0.1:${behind}`]);
    const socket = await connectTls(port, { ca });
    // The service answers only after the client's end: the gateway keeps the other half open.
    socket.end('hello');
    expect(await readAll(socket)).toBe('HELLO');
  });

  test('to a service that is not there ends the connection, and says so in the log', async () => {
    const server = createServer();
    const free = await listenOn(server);
    server.close();
    await once(server, 'close');
    const { port, ca, lines, gateway } = await startGateway([`${LOCAL}\nforward: 127.0.0.1:${free}`]);
    const attempt = async (): Promise<void> => {
      const socket = await connectTls(port, { ca });
      await once(socket, 'close');
    };
    for (let i = 0; i < 10; i++) await attempt();
    const target = `127.0.0.1:${free}`;
    const reason = 'connection refused: nothing listens there';
    expect(lines()).toMatchObject([{ level: 40, target, reason, msg: 'the service cannot be reached' }]);
    const back = createServer((socket) => socket.end()).listen(free, '127.0.0.1');
    await once(back, 'listening');
    for (let i = 0; i < 3; i++) await attempt();
    back.close();
    await once(back, 'close');
    expect(lines().slice(1)).toMatchObject([
      { level: 30, target, count: 9, msg: 'the service can be reached again' },
    ]);
    for (let i = 0; i < 3; i++) await attempt();
    expect(lines()).toHaveLength(2);
    gateway.destroy();
    expect(lines().slice(2)).toMatchObject([
      { target, reason, count: 3, msg: 'more connections to the service failed in the last minute' },
    ]);
  });

  test('waits for a slow reader', async () => {
    let written = 0;
    const behind = await tcpServer((socket) => {
      const chunk = Buffer.alloc(65_536);
      const more = (): void => {
        while (written < 64 * 1024 * 1024 && socket.write(chunk)) written += chunk.length;
        socket.once('drain', more);
      };
      more();
    });
    const { port, ca } = await startGateway([`${LOCAL}\nforward: 127.0.0.1:${behind}`]);
    const socket = await connectTls(port, { ca });
    socket.pause();
    expect(await standstill(() => written)).toBeLessThan(32 * 1024 * 1024);
  });
});

describe('certificates', () => {
  test('are chosen by name', async () => {
    const folder = folderWith();
    const { authority } = LocalAuthority.create(folder);
    const write = (name: string): string => {
      const issued = authority.issue({ purpose: 'server', names: [name] });
      writeFileSync(join(folder, `${name.replace('*', '_')}.pem`), issued.certificate.der);
      writeFileSync(join(folder, `${name.replace('*', '_')}.key`), issued.privateKey!.exportPkcs8());
      return name.replace('*', '_');
    };
    const [one, wild] = [write('one.test'), write('*.wild.test')];
    const { port } = await startGateway(
      [
        `certificates:\n  - { certificate: ${one}.pem, key: ${one}.key }\n  - { certificate: ${wild}.pem, key: ${wild}.key }\n  - { certificate: local, default: true }\necho: true`,
      ],
      { folder },
    );
    const nameFor = async (servername: string): Promise<string | undefined> => {
      const socket = await connectTls(port, { servername, rejectUnauthorized: false });
      return socket.getPeerCertificate().subjectaltname;
    };
    expect(await nameFor('one.test')).toBe('DNS:one.test');
    expect(await nameFor('a.wild.test')).toBe('DNS:*.wild.test');
    expect(await nameFor('other.test')).toContain('DNS:localhost');
    expect(await nameFor('')).toContain('DNS:localhost');
  });

  test('of two kinds for one name are both used: each client gets what it can', async () => {
    const folder = folderWith();
    const { authority } = LocalAuthority.create(folder);
    const write = (file: string, names: string[], key: KeySpec): string => {
      const issued = authority.issue({ purpose: 'server', names, key });
      writeFileSync(join(folder, `${file}.pem`), issued.certificate.der);
      writeFileSync(join(folder, `${file}.key`), issued.privateKey!.exportPkcs8());
      return `{ certificate: ${file}.pem, key: ${file}.key }`;
    };
    const lines = [
      write('ec', ['one.test'], { type: 'ec', curve: 'secp256r1' }),
      write('rsa', ['one.test', 'other.test'], { type: 'rsa', bits: 2048 }),
      write('wild', ['*.wild.test'], { type: 'rsa', bits: 2048 }),
      write('exact', ['a.wild.test'], { type: 'ec', curve: 'secp256r1' }),
    ];
    const { port } = await startGateway([`certificates: [${lines.join(', ')}]\necho: true`], { folder });
    const keyFor = async (servername: string, options: object): Promise<string | undefined> => {
      const socket = await connectTls(port, { servername, rejectUnauthorized: false, ...options });
      const { asn1Curve, bits } = socket.getPeerCertificate() as { asn1Curve?: string; bits?: number };
      return asn1Curve ?? `RSA ${bits}`;
    };
    const ecdsa = { sigalgs: 'ECDSA+SHA256' };
    const rsa = { sigalgs: 'RSA-PSS+SHA256:RSA+SHA256' };
    const old = { maxVersion: 'TLSv1.2' };
    for (const servername of ['one.test', 'a.wild.test', 'unknown.test', '']) {
      for (const version of [{}, old]) {
        expect(await keyFor(servername, { ...ecdsa, ...version })).toBe('prime256v1');
        expect(await keyFor(servername, { ...rsa, ...version })).toBe('RSA 2048');
      }
      // As it is listed, for clients that can do both.
      expect(await keyFor(servername, {})).toBe('prime256v1');
    }
    expect(await keyFor('one.test', { ...old, ciphers: 'ECDHE-RSA-AES128-GCM-SHA256' })).toBe('RSA 2048');
    expect(await keyFor('one.test', { ...old, ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256' })).toBe('prime256v1');
    await expect(keyFor('b.wild.test', ecdsa)).rejects.toThrow();
  });

  test('are read again when asked for, and the old one stays when the new one is bad', async () => {
    const folder = folderWith();
    const { authority } = LocalAuthority.create(folder);
    const write = (): void => {
      const issued = authority.issue({ purpose: 'server', names: ['localhost'] });
      writeFileSync(join(folder, 'c.pem'), issued.certificate.der);
      writeFileSync(join(folder, 'k.pem'), issued.privateKey!.exportPkcs8());
    };
    write();
    const { port, gateway, lines } = await startGateway(['certificate: c.pem\nkey: k.pem\necho: true'], {
      folder,
    });
    const serial = async (): Promise<string> => {
      const socket = await connectTls(port, { rejectUnauthorized: false });
      return socket.getPeerCertificate().serialNumber;
    };
    const first = await serial();
    write();
    await gateway.reload();
    const second = await serial();
    expect(second).not.toBe(first);
    copyFileSync(join(folder, 'ca-key.pem'), join(folder, 'k.pem'));
    await gateway.reload();
    expect(await serial()).toBe(second);
    expect(lines().at(-1)).toMatchObject({
      level: 50,
      msg: 'configuration and certificates not reloaded: nothing changes',
    });
  });

  describe('of clients', () => {
    async function withClientCa(mode: string) {
      const folder = folderWith();
      const local = LocalAuthority.create(folder);
      const issued = local.authority.issue({ purpose: 'client', commonName: 'alice', names: [] });
      const { certificateToPem, privateKeyToPem } = await import('@testudo/x509');
      const started = await startGateway(
        [`${LOCAL}\nclientCa: ca.pem\nclientCertificate: ${mode}\necho: true`],
        { folder },
      );
      return {
        ...started,
        cert: certificateToPem(issued.certificate),
        key: privateKeyToPem(issued.privateKey!),
      };
    }

    /** Whether an echo comes back: with TLS 1.3 a client learns only later that it was refused. */
    async function isServed(port: number, options: object): Promise<boolean> {
      try {
        const socket = await connectTls(port, options);
        socket.end('x');
        return (await readAll(socket)) === 'x';
      } catch {
        return false;
      }
    }

    test('are required: none, and one of another CA, is refused', async () => {
      const { port, ca, cert, key } = await withClientCa('required');
      const stranger = LocalAuthority.create(folderWith()).authority.issue({
        purpose: 'client',
        commonName: 'eve',
        names: [],
      });
      const { certificateToPem, privateKeyToPem } = await import('@testudo/x509');
      const eve = {
        cert: certificateToPem(stranger.certificate),
        key: privateKeyToPem(stranger.privateKey!),
      };
      expect(await isServed(port, { ca, cert, key })).toBe(true);
      expect(await isServed(port, { ca })).toBe(false);
      expect(await isServed(port, { ca, ...eve })).toBe(false);
      expect(await isServed(port, { ca, maxVersion: 'TLSv1.2' })).toBe(false);
    });

    test('are optional: none is fine', async () => {
      const { port, ca, cert, key } = await withClientCa('optional');
      expect(await isServed(port, { ca, cert, key })).toBe(true);
      expect(await isServed(port, { ca })).toBe(true);
    });
  });
});

describe('options of TLS', () => {
  test('limit versions, suites and groups', async () => {
    const { ports, ca } = await startGateway([
      `${LOCAL}\necho: true\nmaxVersion: TLSv1.2\ncipherSuites: [TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256]`,
      `${LOCAL}\necho: true\nminVersion: TLSv1.3\ngroups: [secp384r1]\nalpn: [smtp, imap]`,
    ]);
    const old = await connectTls(ports[0]!, { ca });
    expect([old.getProtocol(), old.getCipher().name]).toEqual(['TLSv1.2', 'ECDHE-ECDSA-CHACHA20-POLY1305']);
    await expect(connectTls(ports[0]!, { ca, minVersion: 'TLSv1.3' })).rejects.toThrow();
    const young = await connectTls(ports[1]!, { ca, ALPNProtocols: ['imap', 'smtp'] });
    expect(young.getEphemeralKeyInfo()).toMatchObject({ name: 'secp384r1' });
    expect(young.alpnProtocol).toBe('smtp');
    await expect(connectTls(ports[1]!, { ca, ALPNProtocols: ['h2'] })).rejects.toThrow();
  });

  test('that do not exist are refused before anything starts', async () => {
    await expect(startGateway([`name: a\n${LOCAL}\necho: true\ngroups: [x25520]`])).rejects.toThrow(
      'a: no group is called x25520',
    );
    await expect(startGateway([`name: a\n${LOCAL}\necho: true\ncipherSuites: [RC4]`])).rejects.toThrow(
      'a: no cipher suite is called RC4',
    );
  });
});

test('a client that wants to renegotiate is told no', async () => {
  const { port, ca } = await startGateway([`${LOCAL}\necho: true`]);
  const socket = await connectTls(port, { ca, maxVersion: 'TLSv1.2' });
  const refused = once(socket, 'error');
  socket.resume();
  socket.renegotiate({}, () => {});
  expect((await refused)[0]).toMatchObject({ code: 'ERR_SSL_NO_RENEGOTIATION' });
});

describe('limits', () => {
  test('of connections: a flood is a line a minute, with its count', async () => {
    const { port, ca, lines } = await startGateway([`${LOCAL}\necho: true\nlimits: { connections: 1 }`]);
    await connectTls(port, { ca });
    const told = (): unknown[] =>
      lines().flatMap(({ msg, limit, count }) =>
        String(msg).startsWith('too many connections') ? [{ limit, count }] : [],
      );
    for (let i = 0; i < 5; i++) await expect(connectTls(port, { ca })).rejects.toThrow();
    expect(told()).toEqual([{ limit: 1, count: undefined }]);
    const later = performance.now() + 60_001;
    vi.spyOn(performance, 'now').mockImplementation(() => later);
    try {
      await expect(connectTls(port, { ca })).rejects.toThrow();
    } finally {
      vi.restoreAllMocks();
    }
    expect(told()).toEqual([
      { limit: 1, count: undefined },
      { limit: 1, count: 4 },
    ]);
  });

  test('of connections: one more is closed, and the next is welcome when one has gone', async () => {
    const { port, ca, lines } = await startGateway([`${LOCAL}\necho: true\nlimits: { connections: 1 }`]);
    const first = await connectTls(port, { ca });
    await expect(connectTls(port, { ca })).rejects.toThrow();
    expect(lines().some(({ msg }) => String(msg).startsWith('too many connections'))).toBe(true);
    first.end();
    await once(first, 'close');
    for (;;) {
      const again = await connectTls(port, { ca }).catch(() => undefined);
      if (again !== undefined) break;
    }
  });

  test('of time for the handshake', async () => {
    const { port, lines } = await startGateway([`${LOCAL}\necho: true\nlimits: { handshake: 100ms }`]);
    const silent = connectTcp(port, '127.0.0.1').on('error', () => undefined);
    silent.resume();
    await once(silent, 'close');
    expect(lines()).toMatchObject([{ code: 'handshake-timeout', msg: 'a client was too slow' }]);
  });

  test('of time without a byte', async () => {
    const { port, ca } = await startGateway([`${LOCAL}\necho: true\nlimits: { idle: 150ms }`]);
    const socket = await connectTls(port, { ca });
    socket.resume();
    await once(socket, 'close');
  });
});

test('bytes that are no TLS are logged without what they hold', async () => {
  const { port, lines } = await startGateway([`${LOCAL}\necho: true`]);
  const socket = connectTcp(port, '127.0.0.1').on('error', () => undefined);
  socket.write('GET /secret-\u001b[2J HTTP/1.1\r\n\r\n');
  socket.resume();
  await once(socket, 'close');
  expect(lines()).toHaveLength(1);
  expect(lines()[0]).toMatchObject({ msg: 'a handshake failed', level: 30 });
  expect(JSON.stringify(lines())).not.toMatch(/secret|\\u001b/);
});

test('a client that does not trust us is a warning that says what it needs', async () => {
  const { port, lines } = await startGateway([`${LOCAL}\necho: true`]);
  const client = connectOurs({ port, host: '127.0.0.1', servername: 'localhost', strict: true });
  const [error] = await once(client, 'error');
  expect(error.code).toBe('UNABLE_TO_VERIFY_LEAF_SIGNATURE');
  await expect.poll(() => lines().length).toBe(1);
  expect(lines()[0]).toMatchObject({
    level: 40,
    code: 'alert-received',
    msg: 'a client does not trust our certificate: it needs the CA’s certificate',
  });
});

describe('a start that fails', () => {
  test('holds no address, and names every problem', async () => {
    const taken = await tcpServer(() => undefined);
    const { parseConfig } = await import('../config/load.ts');
    const { planOf } = await import('../config/plan.ts');
    const { Gateway } = await import('./gateway.ts');
    const { testLog } = await import('../testing/test-gateway.ts');
    const free = await tcpServerPort();
    const yaml = `listeners:\n  - { name: one, listen: "127.0.0.1:${free}", certificate: local, echo: true }\n  - { name: two, listen: "127.0.0.1:${taken}", certificate: local, echo: true }\n  - { name: three, listen: "192.0.2.1:1", certificate: local, echo: true }`;
    const starting = Gateway.start(
      planOf(parseConfig(yaml, 'c.yaml'), 'c.yaml'),
      folderWith(),
      testLog().log,
    );
    await expect(starting).rejects.toThrow(
      `two: 127.0.0.1:${taken} is in use by another program: stop that one, or choose another port\nthree: cannot listen on 192.0.2.1:1: the address does not belong to this machine`,
    );
    const server = createServer();
    server.listen(free, '127.0.0.1');
    await once(server, 'listening');
    server.close();
  });

  test('makes no CA when files are wrong', async () => {
    const folder = folderWith({ 'text.pem': 'hello' });
    const { parseConfig } = await import('../config/load.ts');
    const { planOf } = await import('../config/plan.ts');
    const { Gateway } = await import('./gateway.ts');
    const { testLog } = await import('../testing/test-gateway.ts');
    const file = join(folder, 'c.yaml');
    const yaml = `listeners:\n  - { name: one, listen: ":0", certificate: local, folder: ./none }\n  - { name: two, listen: ":0", certificate: text.pem, key: text.pem, echo: true }\n  - { name: three, listen: ":0", certificate: local, folder: text.pem }`;
    const starting = Gateway.start(
      planOf(parseConfig(yaml, file), file),
      join(folder, 'data'),
      testLog().log,
    );
    await expect(starting).rejects.toThrow(
      new RegExp(
        'one: .*/none: cannot serve this folder: there is no such file or directory\n' +
          'two: .*/text.pem: cannot use the certificate: no CERTIFICATE block.*\n' +
          'three: .*/text.pem: cannot serve this folder: it is a file',
      ),
    );
    expect(() => readFileSync(join(folder, 'data', 'ca.pem'))).toThrow();
  });
});

async function tcpServerPort(): Promise<number> {
  const server = createServer();
  const port = await listenOn(server);
  server.close();
  await once(server, 'close');
  return port;
}

describe('draining', () => {
  test('refuses new connections, and lets open ones finish', async () => {
    const { port, ca, gateway } = await startGateway([`${LOCAL}\necho: true`]);
    const socket = await connectTls(port, { ca });
    const drained = gateway.drain(60_000);
    await expect(connectTls(port, { ca })).rejects.toThrow();
    socket.end('last words');
    expect(await readAll(socket)).toBe('last words');
    await drained;
  });

  test('ends connections that take longer than the limit', async () => {
    const { port, ca, gateway } = await startGateway([`${LOCAL}\necho: true`]);
    const socket = await connectTls(port, { ca });
    // Until then the gateway may be in the middle of the handshake.
    socket.write('x');
    await once(socket, 'data');
    const closed = once(socket, 'close');
    await gateway.drain(50);
    await closed;
    await expect.poll(() => gateway.connections).toBe(0);
  });

  test('ends idle HTTP connections at once, and busy ones after their answer', async () => {
    let answer: () => void = () => undefined;
    let asked: () => void = () => undefined;
    const isAsked = new Promise<void>((resolve) => {
      asked = resolve;
    });
    const { createServer: createHttpServer } = await import('node:http');
    const behind = await listenOn(
      createHttpServer((_request, response) => {
        answer = () => response.end('done');
        asked();
      }),
    );
    const started = await startGateway([
      `${LOCAL}\nproxy: http://127.0.0.1:${behind}`,
      `${LOCAL}\nwelcome: true`,
    ]);
    const agent = keepAliveAgent();
    await fetchFrom({ ...started, port: started.ports[1]! }, '/', { agent });
    const busy = fetchFrom(started, '/', { agent: keepAliveAgent() });
    await isAsked;
    const drained = started.gateway.drain(60_000);
    await expect.poll(() => started.gateway.connections).toBe(1);
    answer();
    expect(await busy).toMatchObject({ status: 200, body: 'done' });
    await drained;
  });
});

test('an abrupt end of the client leaves nothing open', async () => {
  const { port, ca, gateway } = await startGateway([`${LOCAL}\necho: true`]);
  const raw = connectTcp(port, '127.0.0.1');
  const socket = connect({ socket: raw, ca, servername: 'localhost' }).on('error', () => undefined);
  await once(socket, 'secureConnect');
  raw.resetAndDestroy();
  await expect.poll(() => gateway.connections).toBe(0);
});
