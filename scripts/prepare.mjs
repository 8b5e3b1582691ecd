// Makes a checkout ready: the right Node, the packages of the lock file, the built dist folders.
// It runs before anything is installed, so it imports nothing but Node's own modules and its neighbours.
//
//   node scripts/prepare.mjs             install and build, whichever is needed
//   node scripts/prepare.mjs --install   install only: for commands that work on the sources
//
// Every npm script begins with it. When there is nothing to do it only compares two stamps.

import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, isBuilt } from './prepare/build.mjs';
import { install, isInstalled } from './prepare/install.mjs';
import { withLock } from './prepare/lock.mjs';
import { onSignalStop, StepFailed } from './prepare/run.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

async function main() {
  requireNode();
  const withBuild = !process.argv.includes('--install');
  const isReady = () => isInstalled(root) && (!withBuild || isBuilt(root));
  if (isReady()) return;

  onSignalStop();
  await withLock(join(root, '.prepare.lock'), async (lock) => {
    // Asked again under the lock: another process may just have done the work.
    if (!isInstalled(root)) await install(root, lock);
    if (withBuild && !isBuilt(root)) await build(root, lock);
  });
}

/** Ends with one clear line on a Node older than package.json's `engines` allows. */
function requireNode() {
  const { engines } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const [, major, minor] = /(\d+)\.(\d+)/.exec(engines.node).map(Number);
  const [ourMajor, ourMinor] = process.versions.node.split('.').map(Number);
  if (ourMajor > major || (ourMajor === major && ourMinor >= minor)) return;
  console.error(
    `Testudo needs Node ${major}.${minor} or newer, and this is Node ${process.versions.node}: see https://nodejs.org/`,
  );
  process.exit(1);
}

main().catch((error) => {
  console.error(error instanceof StepFailed ? error.message : error);
  process.exit(1);
});
