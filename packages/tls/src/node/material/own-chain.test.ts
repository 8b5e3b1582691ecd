import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeCrypto } from '@testudo/crypto/node';
import { certificateToPem, createCertificateAuthority, privateKeyToPem } from '@testudo/x509';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import type { ConnectionOptions, TlsOptions } from '../index.ts';
import { closeAll, connected, listen, nodes, ours, type Tls, track, VERSIONS } from '../testing/support.ts';

afterEach(closeAll);

const root = createCertificateAuthority({ provider: nodeCrypto, commonName: 'Chain Root' });
const upper = root.issueAuthority({ commonName: 'Chain Upper' });
const lower = upper.issueAuthority({ commonName: 'Chain Lower' });
const other = createCertificateAuthority({ provider: nodeCrypto, commonName: 'Chain Other' });
const [rootPem, upperPem, lowerPem, otherPem] = [root, upper, lower, other].map(({ certificate }) =>
  certificateToPem(certificate),
) as [string, string, string, string];
const issued = lower.issue({ purpose: 'server', names: ['localhost'] });
const leaf = certificateToPem(issued.certificate);
const key = privateKeyToPem(issued.privateKey!);

const folder = mkdtempSync(join(tmpdir(), 'testudo-own-chain-'));
afterAll(() => rmSync(folder, { recursive: true }));

execFileSync('openssl', [
  ...[
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-subj',
    '/CN=localhost',
  ],
  ...[
    '-addext',
    'basicConstraints=CA:FALSE',
    '-keyout',
    join(folder, 'alone.key'),
    '-out',
    join(folder, 'alone.pem'),
  ],
]);
const alone = {
  cert: readFileSync(join(folder, 'alone.pem'), 'utf8'),
  key: readFileSync(join(folder, 'alone.key'), 'utf8'),
};

function pfx(...others: string[]): Buffer {
  const [file, certs] = [join(folder, 'own.p12'), join(folder, 'certs.pem')];
  writeFileSync(join(folder, 'key.pem'), key);
  writeFileSync(certs, leaf + others.join(''));
  execFileSync('openssl', [
    ...[
      'pkcs12',
      '-export',
      '-inkey',
      join(folder, 'key.pem'),
      '-in',
      certs,
      '-out',
      file,
      '-passout',
      'pass:x',
    ],
  ]);
  return readFileSync(file);
}

const OWN: readonly (readonly [string, () => TlsOptions])[] = [
  ['a lone leaf, nothing else', () => ({ cert: leaf, key })],
  ['a lone leaf, all above it in ca', () => ({ cert: leaf, key, ca: [rootPem, upperPem, lowerPem] })],
  [
    'a lone leaf, all above it in one text',
    () => ({ cert: leaf, key, ca: otherPem + upperPem + rootPem + lowerPem }),
  ],
  ['a lone leaf, no root in ca', () => ({ cert: leaf, key, ca: [lowerPem, upperPem] })],
  ['a lone leaf, one above it in ca', () => ({ cert: leaf, key, ca: lowerPem })],
  ['a lone leaf, a gap in ca', () => ({ cert: leaf, key, ca: [lowerPem, rootPem] })],
  ['a lone leaf, only the root in ca', () => ({ cert: leaf, key, ca: rootPem })],
  ['a lone leaf, strangers in ca', () => ({ cert: leaf, key, ca: otherPem })],
  ['a whole chain in cert', () => ({ cert: leaf + lowerPem + upperPem, key, ca: rootPem })],
  [
    'part of a chain in cert, the rest in ca',
    () => ({ cert: leaf + lowerPem, key, ca: [upperPem, rootPem] }),
  ],
  ['a chain in cert that is in disorder', () => ({ cert: leaf + rootPem + lowerPem + otherPem, key })],
  ['a self-signed leaf', () => ({ ...alone, ca: rootPem })],
  ['pfx with a lone leaf', () => ({ pfx: pfx(), passphrase: 'x' })],
  [
    'pfx with a lone leaf, all above it in ca',
    () => ({ pfx: pfx(), passphrase: 'x', ca: [rootPem, upperPem, lowerPem] }),
  ],
  ['pfx with its chain', () => ({ pfx: pfx(lowerPem, upperPem), passphrase: 'x', ca: rootPem })],
  ['pfx with chain and root', () => ({ pfx: pfx(rootPem, lowerPem, upperPem), passphrase: 'x' })],
  ['pfx with part of the chain', () => ({ pfx: pfx(upperPem), passphrase: 'x', ca: [rootPem, lowerPem] })],
];

const bare = { cert: undefined, key: undefined } as unknown as TlsOptions;

/** What a client of ours sees of the server, DER. */
async function shownBy(tls: Tls, options: TlsOptions): Promise<string[]> {
  const { client } = await connected(tls, ours, { ...bare, ...options }, { rejectUnauthorized: false });
  return client.connectionInfo!.peerCertificates.map((der) => Buffer.from(der).toString('hex'));
}

/** What a server of ours sees of the client. */
async function shownByClient(
  tls: Tls,
  options: ConnectionOptions,
  maxVersion: 'TLSv1.2' | 'TLSv1.3',
): Promise<string[]> {
  const asking = { requestCert: true, rejectUnauthorized: false, maxVersion };
  const { accepted } = await connected(ours, tls, asking, {
    rejectUnauthorized: false,
    ca: undefined,
    ...options,
  });
  return accepted.connectionInfo!.peerCertificates.map((der) => Buffer.from(der).toString('hex'));
}

describe.each(VERSIONS)('The chain that is sent is the one that Node sends, %s', (maxVersion) => {
  test.each(OWN)('a server’s: %s', async (_name, make) => {
    const options = { ...make(), maxVersion };
    expect(await shownBy(ours, options)).toEqual(await shownBy(nodes, options));
  });

  test.each(OWN)('a client’s: %s', async (_name, make) => {
    const options = make() as ConnectionOptions;
    const own = await shownByClient(ours, options, maxVersion);
    expect(own).toEqual(await shownByClient(nodes, options, maxVersion));
    expect(own.length).toBeGreaterThan(0);
  });
});

describe('Wherever the context comes from', () => {
  const whole = { cert: leaf, key, ca: [rootPem, upperPem, lowerPem] };
  const expected = [issued.certificate, lower.certificate, upper.certificate, root.certificate].map(
    ({ der }) => Buffer.from(der).toString('hex'),
  );

  async function seen(
    tls: Tls,
    options: TlsOptions,
    prepare: (server: ReturnType<Tls['createServer']>) => void = () => {},
  ): Promise<string[]> {
    const server = tls.createServer({ ...alone, ...options });
    prepare(server);
    const port = await listen(server);
    const client = track(ours.connect({ port, servername: 'localhost', rejectUnauthorized: false }));
    await once(client, 'secureConnect');
    return client.connectionInfo!.peerCertificates.map((der) => Buffer.from(der).toString('hex'));
  }

  test.each([
    ['ours', ours],
    ['Node', nodes],
  ] as const)('%s: setSecureContext, the server\u2019s CAs, addCACert', async (_name, tls) => {
    expect(await seen(tls, {}, (server) => server.setSecureContext(whole))).toEqual(expected);
    const bare = tls.createSecureContext({ cert: leaf, key });
    const byName: TlsOptions = { ca: whole.ca, SNICallback: (_name, callback) => callback(null, bare) };
    expect(await seen(tls, byName)).toEqual(expected);
    const context = tls.createSecureContext({ cert: leaf, key, ca: [rootPem] });
    context.context.addCACert(upperPem);
    context.context.addCACert(lowerPem);
    const secureContext = { secureContext: context } as ConnectionOptions;
    expect(await shownByClient(tls, secureContext, 'TLSv1.3')).toEqual(expected);
  });

  // Node forgets the CAs of the context here; what a client needs is above the leaf all the same (RFC 5246 §7.4.2).
  test('the context of a name has CAs of its own', async () => {
    expect(await seen(ours, {}, (server) => server.addContext('localhost', whole))).toEqual(expected);
    const context = ours.createSecureContext(whole);
    expect(await seen(ours, { SNICallback: (_name, callback) => callback(null, context) })).toEqual(expected);
  });
});
