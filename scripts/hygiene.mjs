// Two small rules that `npm run check` keeps: files stay short, the lock file stays complete and neutral.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';

const MOST_LINES = 500;

/** Files that may be longer, each with its reason. */
const LONG_FILES = new Map([
  // ['packages/x/src/table.ts', 'one table of the registry, read nowhere but at the top'],
]);

const FOLDERS = ['apps', 'bench', 'conformance', 'examples', 'fuzz', 'packages', 'scripts'];
const SKIPPED = new Set(['node_modules', 'dist', 'vectors', 'results']);
const CODE = /\.([cm]?[jt]sx?|css|html)$/;

/** Files over 500 lines without a reason, and reasons without such a file. */
export function checkSizes(root, allowed = LONG_FILES) {
  const long = FOLDERS.flatMap((folder) => codeIn(join(root, folder)))
    .map((file) => [relative(root, file).split(sep).join('/'), lineCount(file)])
    .filter(([, lines]) => lines > MOST_LINES);
  const names = new Set(long.map(([name]) => name));
  return [
    ...long
      .filter(([name]) => !allowed.has(name))
      .map(([name, lines]) => `${name}: ${lines} lines, over ${MOST_LINES}: split it by concept`),
    ...[...allowed.keys()]
      .filter((name) => !names.has(name))
      .map((name) => `scripts/hygiene.mjs: ${name} is not long any more: take it off the list`),
  ];
}

/** What would break `npm ci` on a fresh checkout, or names the registry of the machine that wrote the lock. */
export function checkLock(root) {
  const file = join(root, 'package-lock.json');
  if (!existsSync(file)) return ['package-lock.json: is missing'];
  const { packages } = JSON.parse(readFileSync(file, 'utf8'));
  return Object.entries(packages).flatMap(([path, entry]) => [
    ...(/^https?:/.test(entry.resolved || '')
      ? [`package-lock.json: ${path} names its registry: run npm install --omit-lockfile-registry-resolved`]
      : []),
    ...(path.includes('node_modules/') ? [] : checkManifest(root, path, entry)),
    ...Object.keys({ ...entry.dependencies, ...entry.optionalDependencies })
      .filter((name) => !isResolved(packages, path, name))
      .map(
        (name) =>
          `package-lock.json: lacks ${name}, which ${path || 'package.json'} needs: npm ci would refuse it`,
      ),
  ]);
}

function checkManifest(root, path, entry) {
  const file = join(root, path, 'package.json');
  if (!existsSync(file)) return [`package-lock.json: ${path} is not there any more: run npm install`];
  const manifest = JSON.parse(readFileSync(file, 'utf8'));
  return ['dependencies', 'devDependencies', 'optionalDependencies', 'peerDependencies']
    .filter((group) => !sameEntries(manifest[group], entry[group]))
    .map(
      (group) =>
        `package-lock.json: does not have the ${group} of ${join(path, 'package.json')}: run npm install`,
    );
}

/** Node's own search: the folder's node_modules, then that of each folder above it. */
function isResolved(packages, from, name) {
  for (let at = from; ; at = at.includes('/') ? at.slice(0, at.lastIndexOf('/')) : '') {
    if (packages[`${at}${at === '' ? '' : '/'}node_modules/${name}`] !== undefined) return true;
    if (at === '') return false;
  }
}

function sameEntries(a = {}, b = {}) {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name]);
}

function codeIn(dir) {
  if (!existsSync(dir)) return [];
  return readdirSync(dir, { withFileTypes: true }).flatMap((entry) => {
    if (entry.isDirectory()) return SKIPPED.has(entry.name) ? [] : codeIn(join(dir, entry.name));
    return CODE.test(entry.name) ? [join(dir, entry.name)] : [];
  });
}

function lineCount(file) {
  const text = readFileSync(file, 'utf8');
  return text.split('\n').length - (text.endsWith('\n') ? 1 : 0);
}
