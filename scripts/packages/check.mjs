// `node scripts/packages/check.mjs`: whether the packages can be published as they are. It builds them if need be, packs
// them, and looks into the tarballs: what is in them, publint, and "are the types wrong". Prints each problem on a line of
// its own and ends with 1 if there is any.

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkManifests } from './manifests.mjs';
import { packAll } from './pack.mjs';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

async function main() {
  const problems = checkManifests(root);
  execFileSync(process.execPath, [join(root, 'scripts/prepare.mjs')], { stdio: 'inherit' });
  const folder = mkdtempSync(join(tmpdir(), 'testudo-packages-'));
  try {
    const packed = await packAll(root, folder);
    const digest = digestOf(packed);
    // Tarballs that were good are good again.
    if (readStamp() !== digest) {
      const { lintTarball } = await import('./lint.mjs');
      const found = [];
      for (const { path, tarball } of packed)
        found.push(
          ...(await lintTarball(readFileSync(tarball))).map((text) => `${path}: the tarball ${text}`),
        );
      if (found.length === 0) writeStamp(digest);
      problems.push(...found);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
  for (const problem of problems) console.log(problem);
  if (problems.length > 0) process.exitCode = 1;
}

/** Of the tarballs, of the tools, and of our own rules. */
function digestOf(packed) {
  const own = ['check', 'lint', 'tarball'].map((name) =>
    readFileSync(join(root, `scripts/packages/${name}.mjs`), 'utf8'),
  );
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  const tools = ['publint', '@arethetypeswrong/core'].map(
    (name) => packages[`node_modules/${name}`].integrity,
  );
  const digest = createHash('sha256').update([...tools, ...own].join('\n'));
  for (const { tarball } of packed) digest.update(readFileSync(tarball));
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
