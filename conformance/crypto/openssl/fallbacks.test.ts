import { execFile } from 'node:child_process';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { nodeCrypto } from '@testudo/crypto/node';
import { certificateToPem, createCertificateAuthority, privateKeyToPem } from '@testudo/x509';
import { describe, expect, test } from 'vitest';

/** Where OpenSSL cannot be called straight, everything works as it did before there was such a thing. On the build. */

const PROBE = join(import.meta.dirname, 'probe.mjs');
const PRELOAD = join(import.meta.dirname, 'without-koffi.cjs');
const PROGRAM = resolve(import.meta.dirname, '../../../apps/testudo/bin/testudo.mjs');
const authority = createCertificateAuthority({ provider: nodeCrypto, commonName: 'Test CA' });
const issued = authority.issue({ purpose: 'server', names: ['localhost'] });
const IDENTITY = JSON.stringify({
  key: privateKeyToPem(issued.privateKey!),
  cert: certificateToPem(...issued.certificateChain),
  ca: certificateToPem(authority.certificate),
});
const MAJOR = Number(process.versions.node.split('.')[0]);
/** From Node 25 on it is about the network, too. */
const PERMISSION = [
  MAJOR >= 22 ? '--permission' : '--experimental-permission',
  '--allow-fs-read=*',
  ...(MAJOR >= 25 ? ['--allow-net'] : []),
];

interface Start {
  readonly flags?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

interface Ending {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end. */
async function run(
  program: string,
  { flags = [], environment = {} }: Start,
  ...rest: string[]
): Promise<Ending> {
  const { TESTUDO_CRYPTO: _, NODE_OPTIONS: __, ...inherited } = process.env;
  const env = { ...inherited, IDENTITY, ...environment };
  try {
    const { stdout, stderr } = await promisify(execFile)(
      process.execPath,
      ['--no-warnings', ...flags, program, ...rest],
      { env },
    );
    return { code: 0, stdout, stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as unknown as Ending;
    return { code, stdout, stderr };
  }
}

const withFake = (fake: string): Start => ({
  flags: ['--require', PRELOAD],
  environment: { FAKE_KOFFI: fake },
});
const inRuntime = (name: string): Start => ({
  flags: ['--require', PRELOAD],
  environment: { FAKE_RUNTIME: name },
});

const FALLBACKS: readonly (readonly [string, Start, RegExp])[] = [
  ['koffi is not installed', withFake('absent'), /^Cannot find module 'koffi'$/],
  ['addons are forbidden', { flags: ['--no-addons'] }, /addon/],
  ['the permission model is on', { flags: PERMISSION }, /addon/],
  ['TESTUDO_CRYPTO is node', { environment: { TESTUDO_CRYPTO: 'node' } }, /^TESTUDO_CRYPTO is "node"$/],
  ['a function is missing', withFake('missing:EVP_DigestSign'), /EVP_DigestSign/],
  ['a system of 32 bits', withFake('narrow'), /64-bit/],
  [
    'tagged addresses of what OpenSSL allocates',
    withFake('tagged:EVP_MD_CTX_new'),
    /^addresses are tagged here/,
  ],
  ['tagged addresses of arrays', withFake('tagged'), /^addresses are tagged here/],
  [
    'another OpenSSL',
    withFake('other:OPENSSL_version_minor'),
    /^libcrypto is 3\.\d+\.x, and this Node's OpenSSL 3\./,
  ],
  ['no elliptic curves', withFake('fails:EVP_PKEY_fromdata_init'), /^libcrypto has no elliptic curves$/],
  ['hashing fails', withFake('fails:EVP_DigestUpdate'), /^libcrypto failed to hash$/],
  ['encryption fails', withFake('fails:EVP_EncryptUpdate'), /^libcrypto failed in aes-128-gcm$/],
  [
    'a tag is always right',
    withFake('wrong:EVP_DigestUpdate'),
    /^libcrypto gives a wrong answer for SHA-256$/,
  ],
  ['agreement fails', withFake('fails:EVP_PKEY_derive'), /not a usable point|wrong answer/],
  ['no signature verifies', withFake('fails:EVP_PKEY_verify'), /^libcrypto gives a wrong answer for ECDSA$/],
  ['Bun', inRuntime('bun'), /^bun does not carry OpenSSL$/],
  ['Deno', inRuntime('deno'), /^deno does not carry OpenSSL$/],
  ['Electron', inRuntime('electron'), /^electron does not carry OpenSSL$/],
];

const VERSIONS = ['TLSv1.3', 'TLSv1.2'];
/** Of {@link FALLBACKS}, those that people have: with these connections are made. */
const USUAL = 5;

describe('which provider it is, and that it works', () => {
  test.each([
    ['by itself', {}],
    ['when asked for', { environment: { TESTUDO_CRYPTO: 'openssl' } }],
    ['when nothing is asked for', { environment: { TESTUDO_CRYPTO: '' } }],
  ] as (readonly [string, Start])[])('openssl, %s', async (_, start) => {
    const { stdout, stderr } = await run(PROBE, start, 'connect');
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual({ name: 'openssl', system: 'openssl', versions: VERSIONS });
  });

  test.each(FALLBACKS)('node, where %s', async (_, start, reason) => {
    const connects = FALLBACKS.findIndex((fallback) => fallback[1] === start) < USUAL;
    const { stdout, stderr } = await run(PROBE, start, ...(connects ? ['connect'] : []));
    expect(stderr).toBe('');
    const { name, system, why, versions } = JSON.parse(stdout);
    expect([name, system]).toEqual(['node', 'node']);
    expect(why).toMatch(reason);
    expect(why).not.toContain('\n');
    expect(versions).toEqual(connects ? VERSIONS : undefined);
  });
});

describe('who asks for what is not there is told so, in one line', () => {
  test.each([
    ['openssl', withFake('absent'), "Cannot find module 'koffi'"],
    ['openssl', withFake('missing:EVP_DigestSign'), 'EVP_DigestSign'],
    ['nonsense', {}, 'TESTUDO_CRYPTO is "nonsense": it takes "node" or "openssl"'],
  ] as (readonly [string, Start, string])[])('TESTUDO_CRYPTO=%s', async (wanted, start, words) => {
    const asked = { ...start, environment: { ...start.environment, TESTUDO_CRYPTO: wanted } };
    for (const verb of ['--version', 'up']) {
      const { code, stderr, stdout } = await run(PROGRAM, asked, verb);
      expect(stdout).toBe('');
      expect(code).toBe(2);
      expect(stderr).toContain(words);
      expect(stderr.trimEnd().split('\n').length).toBe(1);
    }
  });
});

describe('testudo --version says which', () => {
  test.each([
    ['called straight', {}, /, OpenSSL 3\S+ called straight$/],
    ['no koffi', withFake('absent'), /, OpenSSL 3\S+ through node:crypto \(Cannot find module 'koffi'\)$/],
    ['no addons', { flags: ['--no-addons'] }, /through node:crypto \(.*addon.*\)$/],
  ] as (readonly [string, Start, RegExp])[])('%s', async (_, start, line) => {
    const { code, stdout } = await run(PROGRAM, start, '--version');
    expect(code).toBe(0);
    const lines = stdout.trimEnd().split('\n');
    expect(lines.length).toBe(2);
    expect(lines[1]).toMatch(line);
  });
});
