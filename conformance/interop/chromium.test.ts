import { readFileSync } from 'node:fs';
import { createServer as createHttp } from 'node:http';
import { createServer as createHttp2 } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { nodeCrypto } from '@testudo/crypto/node';
import { type ConnectionInfo, type ServerOptions, serverConfig, TicketKeys } from '@testudo/tls';
import { brotliCertificates, createServer, type TLSSocket } from '@testudo/tls/node';
import { type Browser, chromium, type Page } from 'playwright-core';
import { beforeAll, expect, test } from 'vitest';
import { withPrograms } from '../support/programs.ts';
import { launchOptions, trustInChromium } from './support/chromium.ts';
import { cleanUp, cleanUpAfterTests } from './support/clean-up.ts';
import { Identities, type Identity } from './support/identities.ts';
import { type Link, type LinkServer, listenLinks } from './support/link.ts';

// A browser that trusts our CA through its own store, and ignores no error.

cleanUpAfterTests();

let identities: Identities;
let identity: Identity;
let browser: Browser;

withPrograms('chromium', 'certutil')('Chromium client', () => {
  beforeAll(async () => {
    identities = new Identities();
    identity = identities.server();
    trustInChromium(identities);
    browser = await chromium.launch({
      ...launchOptions(identities),
    });
    cleanUp(() => browser.close());
  }, 60_000);

  test.each([
    ['TLSv1.3', 'h2'],
    ['TLSv1.3', 'http/1.1'],
    ['TLSv1.2', 'h2'],
    ['TLSv1.2', 'http/1.1'],
  ] as const)('%s: a page over %s, and the server certificate verified', async (version, protocol) => {
    const listener = (_: unknown, response: { end(text: string): void }): void =>
      response.end(`<title>shields</title><p>locked by ${protocol}</p>`);
    const [http1, http2] = [createHttp(listener), createHttp2(listener)];
    const sockets: TLSSocket[] = [];
    const server = createServer(
      {
        cert: readFileSync(identity.cert),
        key: readFileSync(identity.key),
        maxVersion: version,
        ALPNProtocols: [protocol],
      },
      (socket) => {
        sockets.push(socket);
        socket.on('error', () => {});
        (protocol === 'h2' ? http2 : http1).emit('connection', socket);
      },
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    cleanUp(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    const page = await newPage();
    const response = await page.goto(`https://localhost:${(server.address() as AddressInfo).port}/`);
    expect(await page.textContent('p')).toBe(`locked by ${protocol}`);
    expect(await response!.securityDetails()).toMatchObject({
      issuer: 'Interop intermediate',
      protocol: version.replace('v', ' '),
    });
    expect(sockets[0]!.getProtocol()).toBe(version);
    expect(sockets[0]!.alpnProtocol).toBe(protocol);
  });

  test('TLSv1.3: application settings for HTTP/2 (ALPS), with a message of its own after our Finished', async () => {
    // An empty SETTINGS frame (RFC 9113 §6.5): nothing but the defaults.
    const settings = Uint8Array.of(0, 0, 0, 4, 0, 0, 0, 0, 0);
    const infos: ConnectionInfo[] = [];
    const http2 = createHttp2((_, response) => void response.end('<p>settled</p>'));
    const server = createServer(
      {
        cert: readFileSync(identity.cert),
        key: readFileSync(identity.key),
        ALPNProtocols: ['h2'],
        applicationSettings: { h2: settings },
      },
      (socket) => {
        infos.push(socket.connectionInfo!);
        socket.on('error', () => {});
        http2.emit('connection', socket);
        cleanUp(() => socket.destroy());
      },
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    cleanUp(() => server.close());
    const page = await newPage();
    await page.goto(`https://localhost:${(server.address() as AddressInfo).port}/`);
    expect(await page.textContent('p')).toBe('settled');
    const { applicationSettings } = infos[0]!;
    expect(applicationSettings?.sent).toEqual(settings);
    expect(applicationSettings?.received).toBeInstanceOf(Uint8Array);
  });

  test('TLSv1.3: the hybrid group, whose share it sends', async () => {
    const { info } = await visit({});
    expect(info.version).toBe('TLSv1.3');
    expect(['x25519', 'X25519MLKEM768']).toContain(info.group?.name);
    const preferred = await visit({ groups: ['X25519MLKEM768', 'x25519'] });
    expect(preferred.info).toMatchObject({ group: { name: 'X25519MLKEM768' }, helloRetryRequest: false });
  });

  test('TLSv1.3: HelloRetryRequest', async () => {
    const { info } = await visit({ groups: ['secp384r1'] });
    expect(info).toMatchObject({ group: { name: 'secp384r1' }, helloRetryRequest: true });
  });

  test('TLSv1.3: the certificate compressed with Brotli, which it offers', async () => {
    const { info } = await visit({ certificateCompression: [brotliCertificates] });
    expect(info.certificateCompression).toEqual({ sent: 'brotli', received: undefined });
  });

  test.each([
    ['TLSv1.3', 'ticket'],
    ['TLSv1.2', 'ticket'],
  ] as const)('%s: resumption by %s', async (version, _by) => {
    const tickets = new TicketKeys(nodeCrypto);
    const { info, again } = await visit({ tickets, maxVersion: version });
    expect([info.version, info.resumed]).toEqual([version, false]);
    expect((await again()).resumed).toBe(true);
  });

  test('it refuses certificates: unknown CA, another name', async () => {
    const cases = [
      [new Identities('Stranger').server(), 'ERR_CERT_AUTHORITY_INVALID'],
      [identities.server('P-256', { names: ['other.example'] }), 'ERR_CERT_COMMON_NAME_INVALID'],
      [
        identities.server('P-256', { at: new Date(Date.now() - 100 * 86_400_000), days: 30 }),
        'ERR_CERT_DATE_INVALID',
      ],
    ] as const;
    for (const [{ credential }, error] of cases) {
      await expect(visit({ credentials: [credential] })).rejects.toThrow(error);
    }
  });
});

/** A page on a bare connection of ours, so that everything about it can be seen. */
async function visit(options: Partial<ServerOptions>) {
  const server = await listenLinks(
    serverConfig({ provider: nodeCrypto, credentials: [identity.credential], ...options }),
    { echo: false },
  );
  const links = new Map<string, (link: Link) => void>();
  answerAll(server, (path, link) => links.get(path)?.(link));
  const page = await newPage();
  const serve = async (path: string) => {
    const answered = new Promise<Link>((resolve) => links.set(path, resolve));
    await page.goto(`https://localhost:${server.port}/${path}`);
    expect(await page.textContent('p')).toBe('bare');
    return (await answered).secure;
  };
  return { info: await serve('first'), again: () => serve('second') };
}

/** Answers every request, on whichever connection it comes: a browser may open some to spare. */
function answerAll(server: LinkServer, onAnswer: (path: string, link: Link) => void): void {
  const body = '<p>bare</p>';
  const head = `HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n`;
  void server.next().then((link) => {
    answerAll(server, onAnswer);
    link.expect('\r\n\r\n').then(
      () => {
        link.send(head + body);
        link.close();
        onAnswer(/^GET \/(\w*)/.exec(link.received)?.[1] ?? '', link);
      },
      () => {},
    );
  });
}

async function newPage(): Promise<Page> {
  const context = await browser.newContext();
  cleanUp(() => context.close());
  return context.newPage();
}
