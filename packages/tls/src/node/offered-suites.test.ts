import { once } from 'node:events';
import { createServer } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { CIPHER_SUITES } from '../suites/index.ts';
import type { ConnectionOptions, TlsOptions } from './index.ts';
import { closeAll, connected, issue, listen, nodes, ours, type Tls, track } from './testing/support.ts';

afterEach(closeAll);

const rsa = issue({ key: { type: 'rsa', bits: 2048 } });

const bySuiteId = new Map(CIPHER_SUITES.map((suite) => [suite.id, suite]));
const nodesNames = new Set(nodes.getCiphers());

/** The suites in a client's hello, by OpenSSL's names: those that both implementations have. */
async function offered(tls: Tls, options: ConnectionOptions): Promise<string[]> {
  const server = createServer();
  const port = await listen(server);
  const accepted = once(server, 'connection');
  track(tls.connect({ port, ...options })).on('error', () => {});
  const [socket] = await accepted;
  track(socket).on('error', () => {});
  const [hello] = (await once(socket, 'data')) as [Buffer];
  const start = 5 + 4 + 2 + 32;
  const at = start + 1 + hello[start]!;
  const ids = Array.from({ length: hello.readUInt16BE(at) / 2 }, (_, i) =>
    hello.readUInt16BE(at + 2 + 2 * i),
  );
  return ids
    .map((id) => bySuiteId.get(id))
    .filter((suite) => suite !== undefined && !suite.isLegacy)
    .map((suite) => suite!.opensslName)
    .filter((name) => nodesNames.has(name.toLowerCase()));
}

describe('A client offers the suites that Node offers, in its order', () => {
  test.each<ConnectionOptions>([
    {},
    { ciphers: undefined },
    { ciphers: '' },
    { ciphers: 'DEFAULT' },
    { ciphers: 'HIGH' },
    { ciphers: 'HIGH:!aNULL:!kRSA' },
    { ciphers: 'ALL:!PSK' },
    { ciphers: nodes.DEFAULT_CIPHERS },
    { ciphers: `${nodes.DEFAULT_CIPHERS}:@SECLEVEL=0` },
    { ciphers: 'ECDHE+AESGCM:ECDHE+CHACHA20:!ECDSA' },
    { ciphers: 'ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384' },
    { ciphers: 'TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256' },
    { ciphers: 'TLS_AES_128_GCM_SHA256:AES256-SHA:TLS_AES_256_GCM_SHA384' },
    { ciphers: 'AES128-SHA:ECDHE:-AES128:AES128' },
    { maxVersion: 'TLSv1.2' },
    { minVersion: 'TLSv1.3' },
    { minVersion: 'TLSv1.3', ciphers: 'TLS_AES_128_GCM_SHA256' },
  ])('%o', async (options) => {
    const own = await offered(ours, options);
    expect(own).toEqual(await offered(nodes, options));
    expect(own.length).toBeGreaterThan(0);
  });

  test('with strict: forward secrecy and an AEAD', async () => {
    const own = await offered(ours, { strict: true });
    expect(own.length).toBe(9);
    expect(own.every((name) => /^(TLS_|ECDHE-.*(GCM|POLY1305))/.test(name))).toBe(true);
  });
});

/** What comes of a server with RSA and a client that names these. */
async function agreed(
  tls: Tls,
  own: TlsOptions,
  ciphers: string,
  version: 'TLSv1.2' | 'TLSv1.3',
): Promise<string> {
  const client = { ciphers, minVersion: version, maxVersion: version, rejectUnauthorized: false } as const;
  const { accepted } = await connected(tls, nodes, { ...rsa, ...own }, client);
  return accepted.getCipher().name;
}

describe('A server prefers the suites that Node prefers', () => {
  test.each<readonly [TlsOptions, string, 'TLSv1.2' | 'TLSv1.3']>([
    [{}, 'TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_256_GCM_SHA384', 'TLSv1.3'],
    [{}, 'TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256', 'TLSv1.3'],
    [{ honorCipherOrder: false }, 'TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384', 'TLSv1.3'],
    [{}, 'ECDHE-RSA-CHACHA20-POLY1305:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256', 'TLSv1.2'],
    [{}, 'ECDHE-RSA-CHACHA20-POLY1305:ECDHE-RSA-AES256-GCM-SHA384', 'TLSv1.2'],
    [{ ciphers: 'HIGH' }, 'AES128-SHA:ECDHE-RSA-AES128-SHA:ECDHE-RSA-AES256-SHA384', 'TLSv1.2'],
    [{ ciphers: 'HIGH', honorCipherOrder: false }, 'AES128-SHA:ECDHE-RSA-AES128-SHA', 'TLSv1.2'],
    [{ ciphers: 'AES128-SHA:AES256-SHA' }, 'AES256-SHA:AES128-SHA', 'TLSv1.2'],
    [{ dhparam: 'auto' }, 'DHE-RSA-AES256-GCM-SHA384', 'TLSv1.2'],
  ])('%o', async (own, ciphers, version) => {
    expect(await agreed(ours, own, ciphers, version)).toBe(await agreed(nodes, own, ciphers, version));
  });

  test.each(['AES128-SHA', 'AES128-GCM-SHA256', 'ECDHE-RSA-AES128-SHA'])(
    'but %s by name only',
    async (name) => {
      await expect(agreed(ours, { ciphers: name }, name, 'TLSv1.2')).resolves.toBe(name);
      const server = ours.createServer(rsa);
      const port = await listen(server);
      const client = track(
        nodes.connect({ port, ciphers: name, maxVersion: 'TLSv1.2', rejectUnauthorized: false }),
      );
      const [error] = await Promise.all([once(server, 'tlsClientError'), once(client, 'error')]);
      expect(error[0].code).toBe('ERR_SSL_NO_SHARED_CIPHER');
    },
  );
});
