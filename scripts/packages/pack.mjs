// Tarballs as npm makes them.

import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { npmCommand } from '../prepare/install.mjs';
import { publishedPackages } from './manifests.mjs';

/**
 * Packs what was built into `folder`, without building. Resolves to `[{ path, name, tarball }]`; the same files make the same
 * tarball, to the byte. Rejects with what npm says.
 */
export async function packAll(root, folder) {
  const packages = publishedPackages(root);
  const workspaces = packages.flatMap(({ path }) => ['--workspace', path]);
  await npm(['pack', ...workspaces, '--ignore-scripts', '--pack-destination', folder], root);
  return packages.map(({ path, manifest }) => ({
    path,
    name: manifest.name,
    tarball: join(folder, tarballName(manifest)),
  }));
}

/** What npm calls the tarball: `@testudo/tls` of 0.1.0 is in `testudo-tls-0.1.0.tgz`. */
export function tarballName({ name, version }) {
  return `${name.replace(/^@/, '').replace('/', '-')}-${version}.tgz`;
}

/** Runs npm in a folder. Resolves to its standard output, rejects with what it says when it fails. */
export function npm(args, cwd) {
  const { command, args: before, shell } = npmCommand();
  return new Promise((resolve, reject) => {
    const child = spawn(command, [...before, ...args], { cwd, shell, stdio: ['ignore', 'pipe', 'pipe'] });
    let out = '';
    let problems = '';
    child.stdout.setEncoding('utf8').on('data', (chunk) => {
      out += chunk;
    });
    child.stderr.setEncoding('utf8').on('data', (chunk) => {
      problems += chunk;
    });
    child.on('error', reject);
    child.on('close', (code) =>
      code === 0 ? resolve(out) : reject(new Error(`npm ${args[0]}: ${problems}${out}`)),
    );
  });
}
