// `node scripts/packages/check.mjs`: whether the packages can be published as they are. It builds them if need be, packs
// them, and looks into the tarballs: what is in them, publint, and "are the types wrong". Prints each problem on a line of
// its own and ends with 1 if there is any.

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkManifests, publishedPackages } from './manifests.mjs';
import { packAll } from './pack.mjs';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

async function main() {
  const problems = checkManifests(root);
  execFileSync(process.execPath, [join(root, 'scripts/prepare.mjs')], { stdio: 'inherit' });
  const digest = outlineDigest();
  if (readStamp() !== digest) {
    const found = await lintAll();
    if (found.length === 0) writeStamp(digest);
    problems.push(...found);
  }
  for (const problem of problems) console.log(problem);
  if (problems.length > 0) process.exitCode = 1;
}

async function lintAll() {
  const { lintTarball } = await import('./lint.mjs');
  const folder = mkdtempSync(join(tmpdir(), 'testudo-packages-'));
  try {
    const found = [];
    for (const { path, tarball } of await packAll(root, folder))
      found.push(...(await lintTarball(readFileSync(tarball))).map((text) => `${path}: the tarball ${text}`));
    return found;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/**
 * Of all that the verdict depends on: manifests, declarations, the names of files, our own rules and how scripts are made, the
 * tools. What the functions do inside changes nothing about it, so that most changes cost no second look.
 */
function outlineDigest() {
  const digest = createHash('sha256');
  for (const { path, manifest } of publishedPackages(root)) {
    digest.update(JSON.stringify(manifest));
    for (const file of readdirSync(join(root, path), { recursive: true, encoding: 'utf8' }).sort()) {
      if (!/^(dist|src|bin)\b/.test(file)) continue;
      // A chunk's name has a digest of what is in it.
      digest.update(`${file.replace(/-[\w-]{8}\.js/, '-.js')}\n`);
      if (file.endsWith('.d.ts')) digest.update(readFileSync(join(root, path, file)));
    }
  }
  const rules = ['packages/check', 'packages/lint', 'packages/tarball', 'prepare/bundle'];
  for (const name of rules) digest.update(readFileSync(join(root, `scripts/${name}.mjs`)));
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  for (const name of ['publint', '@arethetypeswrong/core'])
    digest.update(packages[`node_modules/${name}`].integrity);
  return digest.digest('hex');
}

function stampFile() {
  return join(root, 'node_modules/.cache/testudo/packages');
}

function readStamp() {
  return existsSync(stampFile()) ? readFileSync(stampFile(), 'utf8') : undefined;
}

function writeStamp(digest) {
  mkdirSync(dirname(stampFile()), { recursive: true });
  writeFileSync(stampFile(), digest);
}

main();
