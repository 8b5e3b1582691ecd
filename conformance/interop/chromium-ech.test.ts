import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer as createHttps } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { nodeCrypto } from '@testudo/crypto/node';
import {
  type ConnectionInfo,
  type EchKey,
  type EchKeyOptions,
  encodeEchConfigList,
  generateEchKey,
  RetryCookies,
  type ServerOptions,
  serverConfig,
  TicketKeys,
} from '@testudo/tls';
import { type BrowserContext, chromium } from 'playwright-core';
import { beforeAll, expect, test } from 'vitest';
import { withPrograms } from '../support/programs.ts';
import { launchOptions, trustInChromium } from './support/chromium.ts';
import { cleanUp, cleanUpAfterTests } from './support/clean-up.ts';
import { Identities, type Identity } from './support/identities.ts';
import { type Link, type LinkServer, listenLinks } from './support/link.ts';

// Encrypted Client Hello (RFC 9849) with Chromium, whose TLS is BoringSSL. It takes the configuration from the DNS record
// of type HTTPS, which it believes only when it comes by DNS over HTTPS (RFC 8484): a server of that is here, too.

cleanUpAfterTests();

const PUBLIC = 'public.example';

let identities: Identities;
let open: Identity;
let hidden: Identity;
let context: BrowserContext;
/** What the DNS says, by name. */
const published = new Map<string, Uint8Array>();

withPrograms('chromium', 'certutil')('Chromium client', () => {
  beforeAll(async () => {
    identities = new Identities();
    open = identities.server('P-256', { names: [PUBLIC] });
    hidden = identities.server('P-256', { names: ['*.hidden.example'] });
    trustInChromium(identities);
    const profile = join(identities.folder, 'profile');
    mkdirSync(profile);
    const templates = `https://127.0.0.1:${await serveDns()}/dns-query`;
    const settings = { dns_over_https: { mode: 'secure', templates } };
    writeFileSync(join(profile, 'Local State'), JSON.stringify(settings));
    context = await chromium.launchPersistentContext(profile, {
      ...launchOptions(identities),
    });
    cleanUp(() => context.close());
  }, 60_000);

  test.each([
    ['AES-128-GCM', { cipherSuites: [{ kdf: 1, aead: 1 }] }],
    ['AES-256-GCM', { cipherSuites: [{ kdf: 1, aead: 2 }] }],
    ['ChaCha20-Poly1305', { cipherSuites: [{ kdf: 1, aead: 3 }] }],
    ['a longest name', { maximumNameLength: 100 }],
  ] as const)('accepted: %s', async (_what, options) => {
    const own = key(options);
    const site = await serve(own, { echKeys: [own] });
    expect(await site.visit()).toMatchObject({
      ech: 'accepted',
      serverName: site.name,
      helloRetryRequest: false,
    });
    expect(site.asked).not.toContain(PUBLIC);
  });

  test('accepted after a HelloRetryRequest', async () => {
    const own = key();
    const site = await serve(own, { echKeys: [own], groups: ['secp384r1'] });
    expect(await site.visit()).toMatchObject({ ech: 'accepted', helloRetryRequest: true });
  });

  test('accepted after a HelloRetryRequest with a cookie', async () => {
    const own = key();
    const site = await serve(own, { echKeys: [own], retryCookies: new RetryCookies(nodeCrypto) });
    expect(await site.visit()).toMatchObject({ ech: 'accepted', helloRetryRequest: true });
  });

  test('resumed', async () => {
    const own = key();
    const site = await serve(own, { echKeys: [own], tickets: new TicketKeys(nodeCrypto) });
    expect(await site.visit()).toMatchObject({ ech: 'accepted', resumed: false });
    expect(await site.visit()).toMatchObject({ ech: 'accepted', resumed: true });
  });

  test.each([
    ['', {}],
    [' after a HelloRetryRequest', { groups: ['secp384r1'] }],
  ])('rejected%s: it tries again with the key that it is told', async (_how, options) => {
    const own = key();
    const site = await serve(key(), { echKeys: [own], ...options });
    expect(await site.visit()).toMatchObject({ ech: 'accepted', serverName: site.name });
    expect(site.asked).toContain(PUBLIC);
    expect(site.alerts()).toContain('received ech_required');
  });

  test.each([
    ['', {}],
    [' after a HelloRetryRequest', { groups: ['secp384r1'] }],
    [', in TLS 1.2', { maxVersion: 'TLSv1.2' }],
  ] as const)('a server that does without%s: it tries again without', async (_how, options) => {
    const site = await serve(key(), options);
    const info = await site.visit();
    expect(info.serverName).toBe(site.name);
    expect(['none', 'grease']).toContain(info.ech);
    expect(site.asked).toContain(PUBLIC);
    expect(site.alerts()).toContain('received ech_required');
  });

  test('a server without a certificate for the public name is not believed', async () => {
    const site = await serve(key(), { echKeys: [key()], credentials: () => [hidden.credential] });
    await expect(site.visit()).rejects.toThrow('ERR_ECH_FALLBACK_CERTIFICATE_INVALID');
    expect(site.alerts()).not.toContain('received ech_required');
  });

  test.each([
    ['', {}],
    [' after a HelloRetryRequest', { groups: ['secp384r1'] }],
  ])('GREASE%s', async (_how, options) => {
    const site = await serve(undefined, { echKeys: [key()], ...options });
    expect(await site.visit()).toMatchObject({ ech: 'grease', serverName: site.name });
  });
});

const key = (more: Partial<EchKeyOptions> = {}): EchKey =>
  generateEchKey(nodeCrypto, { publicName: PUBLIC, ...more });

interface Site {
  readonly name: string;
  /** The names that clients asked for. */
  readonly asked: readonly (string | undefined)[];
  /** Of all connections. */
  readonly alerts: () => readonly string[];
  /** Opens a page; what the connection was that it came by. */
  visit(): Promise<ConnectionInfo>;
}

/** A server with a name of its own, of which the DNS says `told`. */
async function serve(told: EchKey | undefined, options: Partial<ServerOptions>): Promise<Site> {
  const asked: (string | undefined)[] = [];
  const server = await listenLinks(
    serverConfig({
      provider: nodeCrypto,
      credentials: ({ serverName }) => {
        asked.push(serverName);
        return [serverName === PUBLIC ? open.credential : hidden.credential];
      },
      ...options,
    }),
    { echo: false },
  );
  const [links, answered]: [Link[], Link[]] = [[], []];
  answerAll(server, links, answered);
  const name = `n${server.port}.hidden.example`;
  if (told !== undefined) published.set(`_${server.port}._https.${name}`, encodeEchConfigList([told.config]));
  return {
    name,
    asked,
    alerts: () => links.flatMap(({ alerts }) => alerts),
    async visit() {
      const before = answered.length;
      const page = await context.newPage();
      try {
        await page.goto(`https://${name}:${server.port}/`);
        expect(await page.textContent('p')).toBe('bare');
      } finally {
        await page.close();
      }
      return answered[before]!.secure;
    },
  };
}

/** Answers every request, on whichever connection it comes: a browser may open some to spare. */
function answerAll(server: LinkServer, links: Link[], answered: Link[]): void {
  const body = '<p>bare</p>';
  const head = `HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n`;
  void server.next().then((link) => {
    answerAll(server, links, answered);
    links.push(link);
    link.expect('\r\n\r\n').then(
      () => {
        link.send(head + body);
        link.close();
        answered.push(link);
      },
      () => {},
    );
  });
}

/** DNS over HTTPS on loopback: every name is 127.0.0.1, and those that are published have a record of type HTTPS. */
async function serveDns(): Promise<number> {
  const { cert, key: file } = identities.server();
  const server = createHttps({ cert: readFileSync(cert), key: readFileSync(file) }, (request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const inPath = new URL(request.url!, 'https://localhost').searchParams.get('dns');
      const query = inPath === null ? Buffer.concat(parts) : Buffer.from(inPath, 'base64url');
      response.writeHead(200, { 'content-type': 'application/dns-message' }).end(answerTo(query));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanUp(() => {
    server.close();
    server.closeAllConnections();
  });
  return (server.address() as AddressInfo).port;
}

const A = 1;
const HTTPS = 65;

/** RFC 1035 §4: the question again, and what there is. */
function answerTo(query: Buffer): Buffer {
  const labels: string[] = [];
  let at = 12;
  for (let length = query[at]!; length > 0; length = query[at]!) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  const name = labels.join('.').toLowerCase();
  const type = query.readUInt16BE(at + 1);
  const question = query.subarray(12, at + 5);
  const data = type === A ? Buffer.of(127, 0, 0, 1) : type === HTTPS ? httpsRecord(name) : undefined;
  const header = Buffer.of(query[0]!, query[1]!, 0x81, 0x80, 0, 1, 0, data === undefined ? 0 : 1, 0, 0, 0, 0);
  if (data === undefined) return Buffer.concat([header, question]);
  const record = Buffer.of(0xc0, 12, type >> 8, type, 0, 1, 0, 0, 0, 60, data.length >> 8, data.length);
  return Buffer.concat([header, question, record, data]);
}

/** Priority 1, the name that the port is of, `alpn` and `ech` (RFC 9460 §2.2, RFC 9848). */
function httpsRecord(name: string): Buffer | undefined {
  const list = published.get(name);
  if (list === undefined) return undefined;
  const alpn = [0, 1, 0, 9, 8, ...Buffer.from('http/1.1')];
  const target = name.replace(/^_\d+\._https\./, '').split('.');
  const targetName = target.flatMap((label) => [label.length, ...Buffer.from(label)]);
  return Buffer.from([0, 1, ...targetName, 0, ...alpn, 0, 5, list.length >> 8, list.length, ...list]);
}
