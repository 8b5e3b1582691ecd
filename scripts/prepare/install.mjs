// Whether node_modules belongs to package-lock.json, and how it comes to.

import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { runStep } from './run.mjs';

/** True when the packages in node_modules are those of the lock file, for this platform. */
export function isInstalled(root) {
  const wanted = lockStamp(root);
  if (wanted === undefined) return existsSync(npmsOwnLock(root));
  if (readText(stampFile(root)) === wanted) return true;
  // Not our installation, but perhaps a good one: somebody ran npm by hand.
  if (!matchesLock(root)) return false;
  writeStamp(root, wanted);
  return true;
}

/** Runs `npm ci`, or `npm install` where there is no lock file. Development packages always come along. */
export async function install(root, lock) {
  const verb = existsSync(join(root, 'package-lock.json')) ? 'ci' : 'install';
  // Gone first: an installation that is cut short must not look like one.
  rmSync(stampFile(root), { force: true });
  rmSync(npmsOwnLock(root), { force: true });
  const npm = npmCommand();
  const args = [
    ...npm.args,
    verb,
    // Named, because NODE_ENV=production or `omit` in a configuration would leave them out.
    '--include=dev',
    '--include=optional',
    // No dependency of ours needs its install script: koffi's would build what it brings prebuilt. None runs.
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
  ];
  const hint = 'the packages could not be installed; the lines above are what npm says';
  await runStep(
    `Installing packages (npm ${verb})`,
    npm.command,
    args,
    { cwd: root, shell: npm.shell, hint },
    lock,
  );
  const stamp = lockStamp(root);
  if (stamp !== undefined) writeStamp(root, stamp);
}

/** The npm that started us if one did: it is there and it is of the user's choosing. */
export function npmCommand() {
  const running = process.env.npm_execpath;
  if (running !== undefined && /^npm(-cli)?\.c?js$/.test(basename(running)))
    return { command: process.execPath, args: [running], shell: false };
  return { command: 'npm', args: [], shell: process.platform === 'win32' };
}

function lockStamp(root) {
  const lock = readText(join(root, 'package-lock.json'));
  if (lock === undefined) return undefined;
  return `${createHash('sha256').update(lock).digest('hex')} ${process.platform}-${process.arch}\n`;
}

/** Compares package-lock.json to the record that npm leaves at the end of each installation. */
function matchesLock(root) {
  const wanted = readPackages(join(root, 'package-lock.json'));
  const present = readPackages(npmsOwnLock(root));
  if (wanted === undefined || present === undefined) return false;
  const isModule = (path) => path.startsWith('node_modules/');
  return (
    Object.keys(present).every((path) => !isModule(path) || wanted[path] !== undefined) &&
    Object.keys(wanted).every(
      (path) =>
        !isModule(path) ||
        (present[path] === undefined ? mayBeAbsent(wanted[path]) : isSame(wanted[path], present[path])),
    )
  );
}

function isSame(wanted, present) {
  return ['version', 'integrity', 'link'].every((key) => wanted[key] === present[key]);
}

/** Optional packages are absent when they are for another platform, or when npm found no use for them. */
function mayBeAbsent(entry) {
  if (entry.optional !== true && entry.devOptional !== true) return false;
  const isForUs =
    entry.os?.includes(process.platform) &&
    (entry.cpu === undefined || entry.cpu.includes(process.arch)) &&
    entry.libc === undefined;
  return !isForUs;
}

function readPackages(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages;
  } catch {
    return undefined;
  }
}

function npmsOwnLock(root) {
  return join(root, 'node_modules', '.package-lock.json');
}

function stampFile(root) {
  return join(root, 'node_modules', '.cache', 'testudo', 'install');
}

function writeStamp(root, stamp) {
  mkdirSync(join(root, 'node_modules', '.cache', 'testudo'), { recursive: true });
  writeFileSync(stampFile(root), stamp);
}

function readText(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
