import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { certificateToPem } from '@testudo/x509';
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest';
import type { ConnectionOptions } from './index.ts';
import {
  authority,
  ca,
  clientIdentity,
  closeAll,
  connected,
  failing,
  type Identity,
  issue,
  nodes,
  ours,
} from './testing/support.ts';

afterEach(closeAll);

const intermediate = authority.issueAuthority({ commonName: 'Test intermediate' });
const intermediatePem = certificateToPem(intermediate.certificate);
const whole = issue({}, intermediate);
/** Without the intermediate. */
const leaf: Identity = { ...whole, cert: whole.cert.slice(0, whole.cert.indexOf('-----END') + 26) };

type Case = readonly [string, Identity, ConnectionOptions & { allowPartialTrustChain?: boolean }];

/** What a client makes of certificates in `ca` that are no roots. */
const CASES: readonly Case[] = [
  ['an intermediate is not enough', leaf, { ca: intermediatePem }],
  ['nor when the server sends it, too', whole, { ca: intermediatePem }],
  ['nor is the leaf', leaf, { ca: leaf.cert }],
  ['an intermediate helps to find the root', leaf, { ca: [ca, intermediatePem] }],
  [
    'with allowPartialTrustChain an intermediate will do',
    leaf,
    { ca: intermediatePem, allowPartialTrustChain: true },
  ],
  ['and so will the leaf', leaf, { ca: leaf.cert, allowPartialTrustChain: true }],
  [
    'so it is with whatever is true',
    leaf,
    { ca: [intermediatePem, leaf.cert], allowPartialTrustChain: 1 as never },
  ],
  ['and not for who does not want it', leaf, { ca: [intermediatePem, leaf.cert] }],
  ['but not a stranger', leaf, { ca: clientIdentity.cert, allowPartialTrustChain: true }],
];

describe('certificates in ca, as in Node', () => {
  test.each(CASES)('%s', async (_name, identity, options) => {
    const outcome = async (clientTls: typeof ours): Promise<unknown> => {
      const relaxed = { ...options, rejectUnauthorized: false };
      const { client } = await connected(clientTls, clientTls, identity, relaxed);
      if (client.authorized) return 'authorized';
      const { client: error } = await failing(clientTls, clientTls, identity, options);
      return { code: client.authorizationError, message: error!.message };
    };
    expect(await outcome(ours)).toEqual(await outcome(nodes));
  });

  test('it is the same for a server\u2019s clients', async () => {
    // Node's server does not hand allowPartialTrustChain on.
    const client = issue({ purpose: 'client', names: ['c.example'] }, intermediate);
    for (const allowPartialTrustChain of [false, true]) {
      const options = { requestCert: true, rejectUnauthorized: false, ca: intermediatePem };
      const { accepted } = await connected(ours, ours, { ...options, allowPartialTrustChain }, client);
      expect(accepted.authorizationError).toBe(allowPartialTrustChain ? null : 'UNABLE_TO_GET_ISSUER_CERT');
    }
  });
});

describe('with --use-openssl-ca', () => {
  const folder = mkdtempSync(join(tmpdir(), 'testudo-roots-'));
  const file = join(folder, 'root.pem');
  writeFileSync(file, ca);
  writeFileSync(join(folder, '0123abcd.0'), intermediatePem);
  writeFileSync(join(folder, 'README'), clientIdentity.cert);
  afterAll(() => rmSync(folder, { recursive: true }));
  afterEach(() => {
    vi.unstubAllEnvs();
    process.execArgv = process.execArgv.filter((flag) => flag !== '--use-openssl-ca');
  });

  function start(environment: Readonly<Record<string, string>>): void {
    for (const [name, value] of Object.entries({ NODE_EXTRA_CA_CERTS: '', ...environment })) {
      vi.stubEnv(name, value);
    }
  }

  test('the roots are those of SSL_CERT_FILE and SSL_CERT_DIR', () => {
    process.execArgv = [...process.execArgv, '--use-openssl-ca'];
    start({ SSL_CERT_FILE: file, SSL_CERT_DIR: '/nowhere' });
    expect(defaults()).toContain(ca.trim());
    expect(defaults()).not.toContain(intermediatePem.trim());
    start({ SSL_CERT_FILE: '/nowhere', SSL_CERT_DIR: `/nowhere:${folder}` });
    expect(defaults()).toContain(intermediatePem.trim());
    expect(defaults()).not.toContain(clientIdentity.cert.trim());
    // Those of NODE_EXTRA_CA_CERTS were read before, and stay.
    expect(defaults()).toHaveLength(1 + ours.getCACertificates('extra').length);
  });

  test('without it they are not looked at', () => {
    start({ SSL_CERT_FILE: file });
    expect(defaults()).not.toContain(ca.trim());
  });
});

type DefaultsOf = (certs: readonly (string | NodeJS.ArrayBufferView)[]) => void;
const { setDefaultCACertificates: nodesDefaults } = nodes as { setDefaultCACertificates?: DefaultsOf };

// From Node 22.19 on.
if (nodesDefaults !== undefined) describe('setDefaultCACertificates, as in Node', compareDefaults);

function compareDefaults(): void {
  const before = ours.getCACertificates('default');
  afterAll(() => ours.setDefaultCACertificates(before));
  const block = (text: string): string => `-----BEGIN CERTIFICATE-----\n${text}\n-----END CERTIFICATE-----\n`;

  const LISTS: readonly (readonly [string, readonly (string | Buffer)[]])[] = [
    ['none', []],
    ['one', [ca]],
    ['one twice', [ca, ca]],
    ['one twice in a text', [ca + ca]],
    ['several in a text', [intermediatePem + ca]],
    ['several', [intermediatePem, ca, clientIdentity.cert]],
    ['text around it', [`root:\n${ca}\nend`]],
    ['bytes', [Buffer.from(ca)]],
    ['CR and LF', [ca.replaceAll('\n', '\r\n')]],
    ['an old label', [ca.replaceAll('CERTIFICATE', 'X509 CERTIFICATE')]],
    ['a label for more than that', [ca.replaceAll('CERTIFICATE', 'TRUSTED CERTIFICATE')]],
    ['no PEM', ['text']],
    ['no text', ['']],
    ['no PEM beside one', ['text', ca]],
    ['a key', [clientIdentity.key]],
    ['a key beside one', [ca, clientIdentity.key]],
    ['a block of nothing beside one', [ca, block('valid cert content')]],
    ['a block of nothing before one', [block('AAAA') + ca]],
    ['a block that is no base64', [block('A')]],
    ['a block that does not end', [ca.slice(0, 200), ca]],
  ];

  test.each(LISTS)('%s', (_name, list) => {
    const outcome = (set: DefaultsOf, get: () => string[]): unknown => {
      try {
        set(list);
        return get();
      } catch (error) {
        const { code, message } = error as { code?: string; message: string };
        return { code, message };
      }
    };
    const node = nodes as typeof ours;
    expect(outcome(ours.setDefaultCACertificates, () => ours.getCACertificates())).toEqual(
      outcome(nodesDefaults!, () => node.getCACertificates()),
    );
  });
}

function defaults(): string[] {
  return ours.getCACertificates('default').map((pem) => pem.trim());
}
