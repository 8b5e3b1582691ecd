import { afterEach, describe, expect, test } from 'vitest';
import { closeAll, issue, listen, nodes, ours, type Tls, track, VERSIONS } from './testing/support.ts';
import type { ConnectionOptions, TlsOptions } from './types.ts';

// Where two sides have nothing in common, code and reason on both of them are those of the Node that runs.

afterEach(closeAll);

const ec = issue();
const rsa = issue({ key: { type: 'rsa', bits: 2048 } });
const both = { key: [ec.key, rsa.key], cert: [ec.cert, rsa.cert] };

const PSK_CIPHERS = 'PSK+HIGH:TLS_AES_128_GCM_SHA256';
const clientsKey = { ciphers: PSK_CIPHERS, pskCallback: () => ({ psk: Buffer.alloc(32, 1), identity: 'x' }) };
const named = { servername: 'any.name' };
const EMPTY_CONTEXT = (tls: Tls): TlsOptions => ({
  SNICallback: (_name, done) => done(null, tls.createSecureContext()),
});

type Row = readonly [
  what: string,
  server: TlsOptions | ((tls: Tls) => TlsOptions),
  client: ConnectionOptions,
];

const ROWS: readonly Row[] = [
  ['no certificate, a name', {}, named],
  ['no certificate, no name', {}, {}],
  ['no certificate, a callback that knows no name', { SNICallback: (_n, done) => done(null) }, named],
  ['a context without a certificate', (tls) => ({ ...ec, ...EMPTY_CONTEXT(tls) }), named],
  ['an unknown key, no certificate', { ciphers: PSK_CIPHERS, pskCallback: () => null }, clientsKey],
  ['an unknown key, and a certificate', { ...ec, ciphers: PSK_CIPHERS, pskCallback: () => null }, clientsKey],
  ['a wrong key', { ciphers: PSK_CIPHERS, pskCallback: () => Buffer.alloc(32, 2) }, clientsKey],
  ['a key, and a server without any', { ciphers: PSK_CIPHERS }, clientsKey],
  ['a server with keys alone', { ciphers: PSK_CIPHERS, pskCallback: () => Buffer.alloc(32, 2) }, {}],
  [
    'a client whose callback has no key',
    { ciphers: PSK_CIPHERS, pskCallback: () => Buffer.alloc(32, 2) },
    { ciphers: PSK_CIPHERS, pskCallback: () => null },
  ],
  ['groups', { ...ec, ecdhCurve: 'P-256', ciphers: 'ECDHE+AESGCM' }, { ecdhCurve: 'P-384' }],
  ['the curve of the certificate', { ...ec, ecdhCurve: 'P-384' }, { ecdhCurve: 'P-384' }],
  ['an RSA key, ECDSA only', { ...rsa, ciphers: 'ECDHE+AESGCM' }, { sigalgs: 'ecdsa_secp256r1_sha256' }],
  ['an EC key, RSA only', ec, { sigalgs: 'rsa_pss_rsae_sha256' }],
  ['an EC key, PKCS#1 only', ec, { sigalgs: 'rsa_pkcs1_sha256' }],
  ['an EC key, another curve', ec, { sigalgs: 'ecdsa_secp384r1_sha384' }],
  ['Ed25519 only', ec, { sigalgs: 'ed25519' }],
  ['two keys, neither fits', both, { sigalgs: 'ed25519' }],
  [
    'lists that share nothing',
    { ...rsa, sigalgs: 'rsa_pss_rsae_sha256' },
    { sigalgs: 'rsa_pss_rsae_sha512' },
  ],
  ['a list without its own key', { ...rsa, ciphers: 'ECDHE+AESGCM', sigalgs: 'ecdsa_secp256r1_sha256' }, {}],
  ['protocols', { ...ec, ALPNProtocols: ['a'] }, { ALPNProtocols: ['b'] }],
  ['protocols, by callback', { ...ec, ALPNCallback: () => undefined }, { ALPNProtocols: ['b'] }],
  [
    'suites',
    { ...ec, ciphers: 'AES128-GCM-SHA256:TLS_AES_128_GCM_SHA256' },
    { ciphers: 'ECDHE-ECDSA-AES256-GCM-SHA384:TLS_AES_256_GCM_SHA384' },
  ],
  [
    'suites of another key',
    { ...ec, ciphers: 'ECDHE-RSA-AES128-GCM-SHA256' },
    { ciphers: 'ECDHE-RSA-AES128-GCM-SHA256' },
  ],
  ['versions, a newer server', { ...ec, minVersion: 'TLSv1.3' }, { maxVersion: 'TLSv1.2' }],
  ['versions, an older server', { ...ec, maxVersion: 'TLSv1.2' }, { minVersion: 'TLSv1.3' }],
  ['certificates of the client', { ...ec, requestCert: true }, {}],
];

async function told(
  serverTls: Tls,
  clientTls: Tls,
  [, given, client]: Row,
  version: string,
): Promise<Record<string, unknown>> {
  const seen: Record<string, unknown> = {};
  const server = serverTls.createServer(typeof given === 'function' ? given(serverTls) : given, () => {
    seen['server'] ??= 'secure';
  });
  const heard = new Promise<void>((resolve) => {
    server.on('tlsClientError', (error) => {
      seen['server'] ??= facts(error);
      resolve();
    });
    server.on('secureConnection', () => resolve());
  });
  const port = await listen(server);
  const range = { minVersion: version, maxVersion: version, ...client } as ConnectionOptions;
  const socket = track(
    clientTls.connect({ port, rejectUnauthorized: false, checkServerIdentity: () => undefined, ...range }),
  );
  socket.on('secureConnect', () => socket.end()).resume();
  socket.on('error', (error) => (seen['client'] ??= facts(error)));
  await new Promise((resolve) => socket.on('close', resolve));
  await heard;
  return seen;
}

function facts(error: Error): unknown {
  const { code, library, reason } = error as Error & Record<string, unknown>;
  return { code, library, reason };
}

describe.each(VERSIONS)('%s', (version) => {
  test.each(ROWS)('%s', async (...row) => {
    const expected = await told(nodes, nodes, row, version);
    expect(await told(ours, ours, row, version)).toEqual(expected);
    expect(await told(ours, nodes, row, version)).toEqual(expected);
    // What Node's server says of our client depends on more suites than OpenSSL would offer.
    expect((await told(nodes, ours, row, version))['client']).toEqual(expected['client']);
  });
});

test('a context without a certificate for a server without one is told to the client as in Node', async () => {
  const row: Row = ['', EMPTY_CONTEXT, named];
  const { client } = await told(nodes, nodes, row, 'TLSv1.3');
  expect(await told(ours, nodes, row, 'TLSv1.3')).toMatchObject({ client });
});
