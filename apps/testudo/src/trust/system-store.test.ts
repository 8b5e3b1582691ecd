import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { nodeCrypto } from '@testudo/crypto/node';
import { type Certificate, certificateToPem, createCertificateAuthority } from '@testudo/x509';
import { afterAll, describe, expect, test } from 'vitest';
import { folderWith, removeFolders } from '../testing/folder.ts';
import { trustedRoot } from './stores.ts';
import { type SystemPlaces, systemStore } from './system-store.ts';

afterAll(removeFolders);

const PROGRAM = '/usr/sbin/update-ca-certificates';
const isThere = existsSync(PROGRAM);
const suite = isThere ? describe : describe.skip;
const needs = isThere ? '' : ' (skipped: needs update-ca-certificates (apt-get install ca-certificates))';

const newRoot = (commonName: string): Certificate =>
  createCertificateAuthority({ provider: nodeCrypto, commonName }).certificate;

/** The real program, on folders of its own: never on the machine's. */
function places(): SystemPlaces & { readonly etc: string } {
  const base = folderWith({ 'ca-certificates.conf': '# none\n' });
  const [share, folder, etc, hooks] = ['share', 'local', 'etc', 'hooks'].map((name) => join(base, name)) as [
    ...[string, string, string, string],
  ];
  for (const one of [share, folder, etc, hooks]) mkdirSync(one);
  const args = [
    '--certsconf',
    join(base, 'ca-certificates.conf'),
    '--certsdir',
    share,
    '--localcertsdir',
    folder,
  ];
  return {
    ...{ folder, etc, bundle: join(etc, 'ca-certificates.crt'), program: PROGRAM },
    args: [...args, '--etccertsdir', etc, '--hooksdir', hooks],
  };
}

suite(`the system\u2019s list of roots${needs}`, () => {
  test('takes a root, once, and OpenSSL finds it there; and gives it back without a trace', async () => {
    const where = places();
    const store = systemStore(process.env, where);
    const certificate = newRoot('My CA');
    const root = trustedRoot(certificate);
    expect(await store.uninstall(root)).toMatchObject([{ outcome: 'not there' }]);
    expect(await store.install(root)).toMatchObject([
      { store: 'system', place: where.folder, outcome: 'installed' },
    ]);
    expect(await store.install(root)).toMatchObject([{ outcome: 'already there' }]);
    const file = join(folderWith({ 'ca.pem': certificateToPem(certificate) }), 'ca.pem');
    expect(
      execFileSync('openssl', ['verify', '-no-CAfile', '-CApath', where.etc, file], { encoding: 'utf8' }),
    ).toContain('OK');

    // Another one beside it stays.
    const other = trustedRoot(newRoot('My CA'));
    await store.install(other);
    expect(await store.uninstall(root)).toMatchObject([{ outcome: 'removed' }]);
    expect(readFileSync(where.bundle, 'utf8')).toContain(other.pem.trim());
    expect(readFileSync(where.bundle, 'utf8')).not.toContain(root.pem.trim());
    expect(readdirSync(where.folder)).toEqual([`${other.name}.crt`]);
    expect(() =>
      execFileSync('openssl', ['verify', '-no-CAfile', '-CApath', where.etc, file], { stdio: 'pipe' }),
    ).toThrow();
    expect(readdirSync(where.etc).filter((name) => name.includes(root.name))).toEqual([]);
  });
});

describe('where it cannot be done, nothing is left behind', () => {
  const root = trustedRoot(newRoot('My CA'));

  test('on another kind of system', async () => {
    const folder = join(folderWith(), 'none');
    const [outcome] = await systemStore(process.env, { ...fake(folder, 'true') }).install(root);
    expect(outcome).toMatchObject({
      outcome: 'skipped',
      detail: expect.stringMatching(/this is not Debian/),
    });
    expect(existsSync(folder)).toBe(false);
  });

  test('without the program', async () => {
    const folder = folderWith();
    const [outcome] = await systemStore({ PATH: folder }, fake(folder, 'update-ca-certificates')).install(
      root,
    );
    expect(outcome).toMatchObject({
      outcome: 'skipped',
      detail: 'there is no update-ca-certificates on this machine',
    });
    expect(readdirSync(folder)).toEqual([]);
  });

  test.each([
    ['that fails', 'echo "what went wrong" >&2; exit 3', 'what went wrong'],
    ['that does nothing', 'exit 0', expect.stringMatching(/does not hold it after/)],
  ])('with a program %s', async (_, script, detail) => {
    const folder = folderWith();
    const program = join(folderWith(), 'program');
    writeFileSync(program, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    const [outcome] = await systemStore(process.env, fake(folder, program)).install(root);
    expect(outcome).toMatchObject({ outcome: 'failed', detail });
    expect(readdirSync(folder)).toEqual([]);
  });

  function fake(folder: string, program: string): SystemPlaces {
    return { folder, bundle: join(folder, 'bundle'), program, args: [] };
  }
});

test('names tell CAs of the same name apart, and nothing in a name leads elsewhere', () => {
  const [a, b] = [trustedRoot(newRoot('Same')), trustedRoot(newRoot('Same'))];
  expect(a.name).not.toBe(b.name);
  expect(a.nickname).not.toBe(b.nickname);
  const odd = trustedRoot(newRoot('-x:../../y;$(z)'));
  expect(odd.name).toMatch(/^testudo-[0-9a-f]{16}$/);
  expect(odd.nickname).toMatch(/^Testudo -x_\.\._\.\._y__\(z\) [0-9a-f]{16}$/);
});
