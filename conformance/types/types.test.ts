import { execFile } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, expect, test } from 'vitest';

// The declarations of our doors beside those of Node, of each version that is in use: whether a user's program compiles.

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

test.each([20, 22, 24, 26])('@types/node of version %i', async (version) => {
  expect(await compile(version, 'doors.ts')).toBe('');
});

test('what is not of Node\u2019s types is seen', async () => {
  expect(await compile(26, 'doors.ts', 'take<nodeTls.TLSSocket>(given.net);')).toContain('TLSSocket');
});

/** What the compiler complains about, in a project of its own that has only these types. */
async function compile(version: number, name: string, more = ''): Promise<string> {
  if (!existsSync(resolve('packages/tls/dist/node/index.d.ts'))) {
    throw new Error('types are those of what was compiled: npm run build');
  }
  const folder = mkdtempSync(join(tmpdir(), 'testudo-types-'));
  folders.push(folder);
  const link = (target: string, at: string) => {
    mkdirSync(join(folder, 'node_modules', at, '..'), { recursive: true });
    symlinkSync(resolve(target), join(folder, 'node_modules', at));
  };
  const types = `node_modules/types-node-${version}`;
  link(types, '@types/node');
  // Where a version of its own was installed for these types, that one.
  const own = `${types}/node_modules/undici-types`;
  link(existsSync(own) ? own : 'node_modules/undici-types', 'undici-types');
  for (const one of ['codec', 'crypto', 'x509', 'tls']) link(`packages/${one}`, `@testudo/${one}`);
  copyFileSync(resolve('conformance/types', name), join(folder, name));
  if (more !== '') writeFileSync(join(folder, name), `\n${more}\n`, { flag: 'a' });
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  const options = {
    ...{ strict: true, exactOptionalPropertyTypes: true, noEmit: true, types: ['node'] },
    ...{ target: 'es2023', module: 'nodenext', lib: ['es2023', 'dom'], preserveSymlinks: true },
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions: options, files: [name] }));
  return new Promise((done) => {
    const tsc = resolve('node_modules/typescript/bin/tsc');
    execFile(process.execPath, [tsc, '-p', folder, '--pretty', 'false'], (_error, out, err) =>
      done(out + err),
    );
  });
}
