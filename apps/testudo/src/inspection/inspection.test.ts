import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { KeySpec } from '@testudo/crypto';
import { nodeCrypto } from '@testudo/crypto/node';
import {
  type CertificateAuthority,
  certificateToPem,
  createCertificateAuthority,
  ManagedAuthority,
  MemoryCertificateDatabase,
  privateKeyToPem,
} from '@testudo/x509';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { main } from '../cli.ts';
import { day } from '../output/text.ts';
import { folderWith, removeFolders } from '../testing/folder.ts';
import { testIo } from '../testing/io.ts';
import { connectTls, readAll, startGateway, stopAll } from '../testing/test-gateway.ts';

// What `up --check` finds, and `up` says at its start.

afterEach(stopAll);
afterAll(removeFolders);

const DAY = 86_400_000;
const RSA: KeySpec = { type: 'rsa', bits: 2048 };
const root = createCertificateAuthority({ provider: nodeCrypto, commonName: 'root' });
let folder: string;
beforeEach(() => {
  folder = folderWith();
});

interface Wish {
  readonly days?: number;
  readonly at?: Date;
  readonly key?: KeySpec;
  readonly mode?: number;
  readonly by?: CertificateAuthority;
}

/** Writes a certificate and its key; gives what to write into a list of certificates. */
function certificate(file: string, names: string[], { mode = 0o600, by = root, ...wish }: Wish = {}): string {
  const issued = by.issue({ purpose: 'server', names, ...wish });
  writeFileSync(join(folder, `${file}.pem`), certificateToPem(...issued.certificateChain));
  writeFileSync(join(folder, `${file}.key`), privateKeyToPem(issued.privateKey!));
  chmodSync(join(folder, `${file}.key`), mode);
  return `certificate: ${file}.pem, key: ${file}.key`;
}

/** `up --check` of listeners. */
async function check(...listeners: string[]): Promise<{ code: number; out: string; err: string }> {
  const yaml = `listeners:\n${listeners.map((one) => `  - { listen: "127.0.0.1:0", echo: true, ${one} }\n`).join('')}`;
  const file = join(folder, 'testudo.yaml');
  writeFileSync(file, yaml);
  const io = testIo();
  const code = await main(['up', '--check', '--config', file], io);
  return { code, out: io.out().replaceAll(file, 'FILE'), err: io.err().replaceAll(`${folder}/`, '') };
}

const ago = (days: number): Date => new Date(Date.now() - days * DAY);

describe('certificates', () => {
  test('that are good are fine', async () => {
    const ec = certificate('ec', ['a.test', '*.b.test']);
    const rsa = certificate('rsa', ['a.test', '*.b.test'], { key: RSA });
    expect(
      await check(`name: x, certificates: [{ ${ec}, names: [A.test., "*.b.test", c.b.test] }, { ${rsa} }]`),
    ).toEqual({
      code: 0,
      out: 'FILE: fine, 1 listener\n',
      err: '',
    });
  });

  test.each([
    [
      'expired',
      { at: ago(40), days: 30 },
      /^testudo: x: one\.pem: the certificate expired on \d+ \w+ \d{4}: renew it\n$/,
    ],
    [
      'not yet valid',
      { at: ago(-5) },
      /^testudo: x: one\.pem: the certificate is not valid before \d+ \w+ \d{4}\n$/,
    ],
  ])('%s', async (_, wish, message) => {
    const { code, out, err } = await check(`name: x, ${certificate('one', ['a.test'], wish)}`);
    expect([code, out, err]).toEqual([1, '', expect.stringMatching(message)]);
  });

  test('that end soon are only told', async () => {
    expect(await check(`name: x, ${certificate('one', ['a.test'], { days: 3 })}`)).toEqual({
      code: 0,
      out: 'FILE: fine, 1 listener (1 note)\n',
      err: `note: x: one.pem: the certificate expires on ${day(ago(-3))}: renew it\n`,
    });
  });

  test('whose intermediate has expired', async () => {
    const old = root.issueAuthority({ commonName: 'old', at: ago(40), days: 30 });
    const { code, err } = await check(`name: x, ${certificate('one', ['a.test'], { by: old })}`);
    expect([code, err]).toEqual([
      1,
      expect.stringMatching(/testudo: x: one\.pem: the intermediate certificate "CN=old" expired on /),
    ]);
  });

  test.each([
    [['b.test'], ['b.test']],
    [
      ['a.test', '*.a.test', 'x.y.test', '127.0.0.1'],
      ['*.a.test', '127.0.0.1'],
    ],
    [['*.y.test', 'x.x.y.test'], ['x.x.y.test']],
  ])('for other names than %j', async (names, missing) => {
    const one = certificate('one', ['a.test', '*.y.test']);
    const { code, err } = await check(`name: x, certificates: [{ ${one}, names: ${JSON.stringify(names)} }]`);
    const line = (name: string): string =>
      `testudo: x: one.pem: the certificate is not for ${name}, but for a.test, *.y.test\n`;
    expect([code, err]).toEqual([1, missing.map(line).join('')]);
  });

  test('without names', async () => {
    const { certificate: bare, privateKey } = root.issue({ purpose: 'client', commonName: 'a', names: [] });
    writeFileSync(join(folder, 'one.pem'), certificateToPem(bare));
    writeFileSync(join(folder, 'one.key'), privateKeyToPem(privateKey!), { mode: 0o600 });
    const { code, err } = await check('name: x, certificate: one.pem, key: one.key');
    expect([code, err]).toEqual([0, expect.stringContaining('names no domain and no address')]);
  });

  test('the same twice', async () => {
    const one = certificate('one', ['a.test']);
    expect((await check(`name: x, certificates: [{ ${one} }, { ${one} }]`)).err).toBe(
      'testudo: x: one.pem: the same certificate is listed twice: leave one of the two out\n',
    );
    // On listeners of their own it is no mistake.
    expect((await check(`name: x, ${one}`, `name: y, ${one}`)).code).toBe(0);
  });

  test('that no client is ever shown', async () => {
    const one = certificate('one', ['a.test', 'b.test']);
    const two = certificate('two', ['B.test']);
    const three = certificate('three', ['b.test', 'c.test']);
    const rsa = certificate('rsa', ['b.test'], { key: RSA });
    const list = (...items: string[]): string =>
      `name: x, certificates: [${items.map((item) => `{ ${item} }`).join(', ')}]`;
    expect(await check(list(one, two))).toMatchObject({
      code: 1,
      err: expect.stringMatching(
        /^testudo: x: two\.pem: this certificate is never used: one\.pem comes before it/,
      ),
    });
    expect(await check(list(one, three, rsa))).toMatchObject({ code: 0, err: '' });
    expect(await check(list(one, `${two}, default: true`))).toMatchObject({ code: 0, err: '' });
  });
});

describe('secrets that others can read', () => {
  test.each([
    [0o644, 'read'],
    [0o666, 'read and change'],
    [0o602, 'change'],
  ])('a private key of mode %o', async (mode, what) => {
    expect(await check(`name: x, ${certificate('one', ['a.test'], { mode })}`)).toMatchObject({
      code: 1,
      err: `testudo: x: one.key: everyone on this machine can ${what} this secret: chmod 600 one.key\n`,
    });
  });

  test('not those of a group', async () => {
    expect(await check(`name: x, ${certificate('one', ['a.test'], { mode: 0o640 })}`)).toMatchObject({
      code: 0,
    });
  });

  test('ticket keys', async () => {
    writeFileSync(join(folder, 't.key'), new Uint8Array(48), { mode: 0o644 });
    const one = certificate('one', ['a.test']);
    expect((await check(`name: x, ${one}, tickets: { keys: [t.key] }`)).err).toContain('t.key: everyone');
  });
});

describe('revocation of clients', () => {
  const revocation = (more = ''): string => `clientCa: ca.pem, clientRevocation: { crls: [a.crl]${more} }`;
  async function lists(at: Date, ...authorities: CertificateAuthority[]): Promise<void> {
    const blocks: Uint8Array[] = [];
    for (const one of authorities) {
      const managed = new ManagedAuthority(one, new MemoryCertificateDatabase());
      blocks.push((await managed.crl({ at })).der);
    }
    const pem = blocks.map(
      (der) => `-----BEGIN X509 CRL-----\n${Buffer.from(der).toString('base64')}\n-----END X509 CRL-----\n`,
    );
    writeFileSync(join(folder, 'a.crl'), pem.join(''));
    writeFileSync(join(folder, 'ca.pem'), certificateToPem(root.certificate));
  }
  const checked = (more?: string) => check(`name: x, ${certificate('one', ['a.test'])}, ${revocation(more)}`);

  test('by a list that is good is fine', async () => {
    await lists(new Date(), root);
    expect(await checked()).toMatchObject({ code: 0, err: '' });
  });

  test.each([
    ['', 'every client with a certificate from it is refused'],
    [', mode: soft-fail', 'clients that were revoked since are let in'],
    [', online: true', 'only online answers count now'],
  ])('by a list that has expired%s', async (more, means) => {
    await lists(ago(30), root);
    expect(await checked(more)).toMatchObject({
      code: 1,
      err: expect.stringMatching(
        new RegExp(
          `^testudo: x: a\\.crl: the list of revoked certificates of "CN=root" expired on ${day(ago(23))}: ${means}\\.`,
        ),
      ),
    });
  });

  test('by a list of the future', async () => {
    await lists(ago(-3), root);
    expect((await checked()).err).toMatch(/is not valid before .*: every client/);
  });

  test('by the list of another CA, and by one of the same name', async () => {
    await lists(new Date(), createCertificateAuthority({ provider: nodeCrypto, commonName: 'other' }));
    expect((await checked()).err).toContain('no list is from the CA "CN=root"');
    expect(await checked(', online: true')).toMatchObject({ code: 0, err: '' });
    await lists(new Date(), createCertificateAuthority({ provider: nodeCrypto, commonName: 'root' }));
    expect((await checked()).err).toMatch(/^note: x: a\.crl: the list is not signed with the key of the CA/);
  });

  test('a CA of clients that has expired', async () => {
    const old = createCertificateAuthority({
      provider: nodeCrypto,
      commonName: 'old',
      days: 10,
      at: ago(20),
    });
    writeFileSync(join(folder, 'ca.pem'), certificateToPem(old.certificate));
    expect((await check(`name: x, ${certificate('one', ['a.test'])}, clientCa: ca.pem`)).err).toMatch(
      /^testudo: x: ca\.pem: the CA "CN=old" expired on .*: every client with a certificate from it is refused\n$/,
    );
  });

  test('`up` says at its start what would refuse everybody, and again after a reload', async () => {
    await lists(ago(30), root);
    const { gateway, port, ca, lines } = await startGateway(
      [`name: x\ncertificate: local\necho: true\nclientCa: ca.pem\nclientRevocation: { crls: [a.crl] }`],
      { folder },
    );
    const warnings = () => lines().filter(({ level, msg }) => level === 40 && String(msg).includes('a.crl'));
    expect(warnings()).toMatchObject([{ listener: 'x', msg: expect.stringContaining('expired on') }]);
    gateway.inspect();
    expect(warnings()).toHaveLength(1);
    await gateway.reload();
    expect(warnings()).toHaveLength(2);
    // And it is true.
    const client = root.issue({ purpose: 'client', commonName: 'a', names: [] });
    const socket = await connectTls(port, {
      ca,
      cert: certificateToPem(client.certificate),
      key: privateKeyToPem(client.privateKey!),
    });
    socket.end('x');
    expect(await readAll(socket).catch(() => 'refused')).toBe('refused');
    await lists(new Date(), root);
    await gateway.reload();
    expect(warnings()).toHaveLength(2);
  });
});
