import { execFileSync } from 'node:child_process';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { main } from '../cli.ts';
import { folderWith, removeFolders } from '../testing/folder.ts';
import { testIo } from '../testing/io.ts';
import { connectTls, startGateway, stopAll } from '../testing/test-gateway.ts';
import { LocalAuthority } from './local-authority.ts';

// Keys that OpenSSL encrypted, in each of its ways.

afterEach(stopAll);
afterEach(() => vi.unstubAllEnvs());
afterAll(removeFolders);

const SECRET = 'a pass phrase, with \u00fcmlaut';
let folder: string;

beforeAll(() => {
  folder = folderWith({ right: `${SECRET}\nmore\n`, wrong: 'wrong\n', empty: '' });
  chmodSync(join(folder, 'right'), 0o600);
  const files = LocalAuthority.create(folderWith()).certificateFor(['localhost']);
  writeFileSync(join(folder, 'c.pem'), readFileSync(files.certificate));
  const openssl = (...args: string[]): void => {
    execFileSync('openssl', [...args, '-in', files.key, '-passout', `file:${join(folder, 'right')}`], {
      stdio: 'pipe',
    });
  };
  openssl('pkcs8', '-topk8', '-out', join(folder, 'pkcs8.key'));
  openssl('pkcs8', '-topk8', '-scrypt', '-out', join(folder, 'scrypt.key'));
  openssl('pkcs8', '-topk8', '-v2', 'des3', '-out', join(folder, 'des3.key'));
  openssl('ec', '-aes256', '-out', join(folder, 'traditional.key'));
  for (const name of ['pkcs8', 'scrypt', 'des3', 'traditional'])
    chmodSync(join(folder, `${name}.key`), 0o600);
});

async function check(certificate: string): Promise<{ code: number; err: string }> {
  const file = join(folder, 'testudo.yaml');
  writeFileSync(
    file,
    `listeners: [{ name: x, listen: ":0", echo: true, certificate: c.pem, ${certificate} }]\n`,
  );
  const io = testIo();
  const code = await main(['up', '--check', '--config', file], io);
  return { code, err: io.err().replaceAll(`${folder}/`, '') };
}

describe('an encrypted key in a configuration', () => {
  test.each(['pkcs8', 'scrypt', 'des3', 'traditional'])(
    'opens with a file, and with the environment: %s',
    async (name) => {
      const { port, ca } = await startGateway(
        [
          `certificate: c.pem\nkey: ${name}.key\npassphraseFile: right\necho: true`,
          'certificate: local\necho: true',
        ],
        { folder },
      );
      await connectTls(port, { ca, rejectUnauthorized: false });
      vi.stubEnv('THE_SECRET', SECRET);
      expect(await check(`key: ${name}.key, passphraseEnv: THE_SECRET`)).toEqual({ code: 0, err: '' });
    },
  );

  test.each([
    [
      '',
      1,
      'x: pkcs8.key: the private key is encrypted: give its passphrase with passphraseFile: or passphraseEnv:, or decrypt it first: openssl pkey -in pkcs8.key -out plain.pem',
    ],
    [
      'passphraseFile: wrong',
      1,
      'x: pkcs8.key: the passphrase in wrong does not open this private key: it is the wrong one, or the key was altered',
    ],
    ['passphraseFile: none', 1, 'x: none: cannot read the password: there is no such file or directory'],
    ['passphraseFile: empty', 1, 'x: empty: the first line is empty: put the password there'],
    [
      'passphraseEnv: NOT_SET',
      1,
      'x: NOT_SET: this variable of the environment is not set: it should hold a passphrase',
    ],
    [
      'passphraseEnv: EMPTY',
      1,
      'x: EMPTY: this variable of the environment is empty: it should hold a passphrase',
    ],
    [
      'passphraseEnv: WRONG',
      1,
      'x: pkcs8.key: the passphrase in the variable WRONG does not open this private key: it is the wrong one, or the key was altered',
    ],
    [
      'passphraseFile: right, passphraseEnv: WRONG',
      2,
      'testudo.yaml: x: the certificate c.pem has both passphraseFile and passphraseEnv: leave one of the two out',
    ],
  ])('%s', async (more, code, message) => {
    vi.stubEnv('EMPTY', '');
    vi.stubEnv('WRONG', 'not-the-secret');
    const result = await check(`key: pkcs8.key, ${more}`);
    expect(result).toEqual({ code, err: `testudo: ${message}\n` });
    expect(result.err).not.toContain('not-the-secret');
  });

  test('and one that is not encrypted needs none, and takes one', async () => {
    execFileSync('openssl', [
      'pkey',
      '-in',
      join(folder, 'pkcs8.key'),
      '-passin',
      `file:${join(folder, 'right')}`,
      '-out',
      join(folder, 'plain.key'),
    ]);
    chmodSync(join(folder, 'plain.key'), 0o600);
    expect(await check('key: plain.key, passphraseFile: right')).toEqual({ code: 0, err: '' });
  });

  test('a passphrase that everybody can read is found', async () => {
    writeFileSync(join(folder, 'open'), SECRET, { mode: 0o644 });
    expect((await check('key: pkcs8.key, passphraseFile: open')).err).toContain(
      'open: everyone on this machine can read',
    );
  });
});

describe('an encrypted key for connect', () => {
  const connect = async (...args: string[]): Promise<{ code: number; err: string }> => {
    const io = testIo();
    const code = await main(
      [
        'connect',
        'localhost:1',
        '--cert',
        join(folder, 'c.pem'),
        '--key',
        join(folder, 'scrypt.key'),
        ...args,
      ],
      io,
    );
    return { code, err: io.err().replaceAll(`${folder}/`, '') };
  };

  test('opens with a file, and with the environment', async () => {
    // As far as the connection, which nobody takes.
    expect((await connect('--passphrase-file', join(folder, 'right'))).code).toBe(3);
    vi.stubEnv('THE_SECRET', SECRET);
    expect((await connect('--passphrase-env', 'THE_SECRET')).code).toBe(3);
  });

  test.each([
    [
      [],
      'scrypt.key: the private key is encrypted: give its passphrase with --passphrase-file or --passphrase-env, or decrypt',
    ],
    [['--passphrase-file', '/none'], '/none: cannot read the password'],
    [['--passphrase-env', 'NOT_SET'], 'NOT_SET: this variable of the environment is not set'],
    [
      ['--passphrase-env', 'A', '--passphrase-file', 'a'],
      'a passphrase comes from one place: give one of --passphrase-file or --passphrase-env',
    ],
  ])('%j', async (args, message) => {
    expect(await connect(...args)).toEqual({ code: 2, err: expect.stringContaining(message) });
  });
});

describe('the key of a CA', () => {
  test('is encrypted where the environment says so, and opens there only', async () => {
    const data = folderWith();
    const run = async (...args: string[]): Promise<{ code: number; err: string }> => {
      const io = testIo();
      const code = await main(['ca', ...args, '--data', data], io);
      return { code, err: io.err() };
    };
    vi.stubEnv('TESTUDO_CA_PASSPHRASE_FILE', join(folder, 'right'));
    expect(await run('init', '--intermediate')).toEqual({ code: 0, err: '' });
    for (const name of ['ca-key.pem', 'intermediate-key.pem'])
      expect(readFileSync(join(data, name), 'utf8')).toContain('BEGIN ENCRYPTED PRIVATE KEY');
    const issue = () => run('issue', 'a.test', '--out', folderWith());
    expect(await issue()).toEqual({ code: 0, err: '' });
    vi.unstubAllEnvs();
    const closed = await issue();
    expect(closed).toEqual({
      code: 1,
      err: expect.stringMatching(
        /intermediate-key\.pem: the private key is encrypted: give its passphrase with TESTUDO_CA_PASSPHRASE_FILE or/,
      ),
    });
    vi.stubEnv('TESTUDO_CA_PASSPHRASE', 'not-the-secret');
    expect((await issue()).err).toContain(
      'the passphrase in the variable TESTUDO_CA_PASSPHRASE does not open',
    );
    vi.stubEnv('TESTUDO_CA_PASSPHRASE', SECRET);
    expect(await run('crl', '--root')).toEqual({ code: 0, err: '' });
  });
});
