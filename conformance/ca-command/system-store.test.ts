import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { nodeCrypto } from '@testudo/crypto/node';
import { type Certificate, certificateToPem, createCertificateAuthority } from '@testudo/x509';
import { afterAll, expect, test } from 'vitest';
import {
  folderWith,
  removeFolders,
  type StoreOutcome,
  type SystemPlaces,
  systemStore,
  type TrustedRoot,
  trustedRoot,
} from '#app/testing';
import { requireProgram, withPrograms } from '../support/programs.ts';

// What `testudo ca trust --install` does on Debian, with update-ca-certificates on folders of its own.

afterAll(removeFolders);

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
    ...{
      folder,
      etc,
      bundle: join(etc, 'ca-certificates.crt'),
      program: requireProgram('update-ca-certificates'),
    },
    args: [...args, '--etccertsdir', etc, '--hooksdir', hooks],
  };
}

withPrograms('update-ca-certificates', 'openssl')('the system\u2019s list of roots', () => {
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

  test('what another file still holds is not called gone', async () => {
    const where = places();
    const store = systemStore(process.env, where);
    const root = trustedRoot(newRoot('My CA'));
    // By hand, under a name of somebody's own, with the line ends of another system.
    const byHand = join(where.folder, 'mine.crt');
    writeFileSync(byHand, root.pem.replaceAll('\n', '\r\n'));
    execFileSync(where.program, where.args, { stdio: 'pipe' });
    expect(await store.install(root)).toMatchObject([{ outcome: 'already there', detail: byHand }]);
    expect(await store.uninstall(root)).toMatchObject([
      {
        outcome: 'failed',
        detail: expect.stringContaining(`the root is still trusted, because ${byHand} holds it too`),
      },
    ]);
    rmSync(byHand);
    // The file has gone, the list was not made again.
    expect(await store.uninstall(root)).toMatchObject([
      { outcome: 'failed', detail: `the root is still trusted: ${where.bundle} holds it` },
    ]);
    await store.install(trustedRoot(newRoot('Other')));
    execFileSync(where.program, [...where.args, '--fresh'], { stdio: 'pipe' });
    expect(await store.uninstall(root)).toMatchObject([{ outcome: 'not there' }]);
  });

  test('the last of all is taken out, too', async () => {
    const where = places();
    const store = systemStore(process.env, where);
    const root = trustedRoot(newRoot('My CA'));
    expect(await store.install(root)).toMatchObject([{ outcome: 'installed' }]);
    expect(await store.uninstall(root)).toMatchObject([{ outcome: 'removed' }]);
    expect(readFileSync(where.bundle, 'utf8')).toBe('');
  });

  /** The real program, which is killed before its n-th command. */
  function dying(where: SystemPlaces, count: number): SystemPlaces {
    const folder = folderWith({
      program: `#!/bin/bash
n=0
trap 'n=$((n+1)); [ $n -lt ${count} ] || kill -9 $$' DEBUG
set -eT
. ${where.program} "$@"
`,
    });
    chmodSync(join(folder, 'program'), 0o755);
    return { ...where, program: join(folder, 'program') };
  }

  test('a program that is killed at any step: the next run sets it right', async () => {
    const root = trustedRoot(newRoot('My CA'));
    for (let count = 1; count < 120; count += 7) {
      const where = places();
      const store = systemStore(process.env, where);
      await systemStore(process.env, dying(where, count)).install(root);
      const [{ outcome }] = (await store.install(root)) as [StoreOutcome];
      expect(['installed', 'already there']).toContain(outcome);
      expect(isTrusted(where, root)).toBe(true);
      await systemStore(process.env, dying(where, count)).uninstall(root);
      const [last] = (await store.uninstall(root)) as [StoreOutcome];
      expect(['removed', 'not there']).toContain(last.outcome);
      expect(isTrusted(where, root)).toBe(false);
      expect(readdirSync(where.folder)).toEqual([]);
      expect(readdirSync(where.etc).filter((name) => name !== 'ca-certificates.crt')).toEqual([]);
    }
  });

  test.each([
    [
      'before the list is made',
      (where: SystemPlaces, root: TrustedRoot) =>
        writeFileSync(join(where.folder, `${root.name}.crt`), root.pem),
    ],
    [
      'while the file is written',
      (where: SystemPlaces, root: TrustedRoot) =>
        writeFileSync(join(where.folder, `${root.name}.crt.0123456789abcdef.tmp`), root.pem.slice(0, 100)),
    ],
  ])('an installation that is killed %s is finished, or taken back', async (_, leave) => {
    for (const call of ['install', 'uninstall'] as const) {
      const where = places();
      const root = trustedRoot(newRoot('My CA'));
      leave(where, root);
      const store = systemStore(process.env, where);
      await store[call](root);
      expect(isTrusted(where, root)).toBe(call === 'install');
      await store.uninstall(root);
      expect(isTrusted(where, root)).toBe(false);
      expect(readdirSync(where.folder).filter((name) => name.endsWith('.crt'))).toEqual([]);
    }
  });

  test('a removal that is killed before the list is made is finished, or taken back', async () => {
    for (const call of ['install', 'uninstall'] as const) {
      const where = places();
      const root = trustedRoot(newRoot('My CA'));
      const store = systemStore(process.env, where);
      await store.install(root);
      const file = join(where.folder, `${root.name}.crt`);
      renameSync(file, `${file}.leaving`);
      expect(await store[call](root)).toMatchObject([
        { outcome: call === 'install' ? 'installed' : 'removed' },
      ]);
      expect(isTrusted(where, root)).toBe(call === 'install');
      expect(readdirSync(where.folder)).toEqual(call === 'install' ? [`${root.name}.crt`] : []);
    }
  });

  test('a root in the list whose file has gone gets its file again', async () => {
    const where = places();
    const root = trustedRoot(newRoot('My CA'));
    const store = systemStore(process.env, where);
    await store.install(root);
    rmSync(join(where.folder, `${root.name}.crt`));
    expect(await store.install(root)).toMatchObject([{ outcome: 'installed' }]);
    execFileSync(where.program, [...where.args, '--fresh'], { stdio: 'pipe' });
    expect(isTrusted(where, root)).toBe(true);
  });

  function isTrusted({ etc }: ReturnType<typeof places>, root: TrustedRoot): boolean {
    const file = join(folderWith({ 'ca.pem': root.pem }), 'ca.pem');
    const { status } = spawnSync('openssl', ['verify', '-no-CAfile', '-CApath', etc, file]);
    return status === 0 && readFileSync(join(etc, 'ca-certificates.crt'), 'utf8').includes(root.pem.trim());
  }
});
