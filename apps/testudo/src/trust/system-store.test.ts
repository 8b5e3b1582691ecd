import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { nodeCrypto } from '@testudo/crypto/node';
import { type Certificate, createCertificateAuthority } from '@testudo/x509';
import { afterAll, describe, expect, test } from 'vitest';
import { folderWith, removeFolders } from '../testing/folder.ts';
import { trustedRoot } from './stores.ts';
import { type SystemPlaces, systemStore } from './system-store.ts';

afterAll(removeFolders);

const newRoot = (commonName: string): Certificate =>
  createCertificateAuthority({ provider: nodeCrypto, commonName }).certificate;

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

  test('on another kind of system nobody can say that it is not trusted', async () => {
    const folder = join(folderWith(), 'none');
    expect(await systemStore(process.env, fake(folder, 'true')).uninstall(root)).toMatchObject([
      { outcome: 'skipped' },
    ]);
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
