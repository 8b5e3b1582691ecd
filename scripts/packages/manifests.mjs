// What each package that is published says of itself. It needs no build.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The keys of a door in `exports`, in this order: the first that is asked for counts. */
const CONDITIONS = ['testudo-source', 'types', 'default'];
/** What goes into a tarball beside package.json, README.md and LICENSE, which npm always takes. */
const FILES = ['dist', 'src', '!src/**/*.test.ts', '!src/**/testing'];
const FEWEST_KEYWORDS = 3;

/** Packages that are published: those of the build list that are not private, as `{ path, manifest }`. */
export function publishedPackages(root) {
  return readJson(join(root, 'tsconfig.build.json'))
    .references.map(({ path }) => path.replace(/^\.\//, ''))
    .map((path) => ({ path, manifest: readJson(join(root, path, 'package.json')) }))
    .filter(({ manifest }) => manifest.private !== true);
}

/** What the manifests and the files beside them lack; one line for each. */
export function checkManifests(root) {
  const workspace = readJson(join(root, 'package.json'));
  const packages = publishedPackages(root);
  const [first] = packages;
  return [
    ...(workspace.private === true ? [] : ['package.json: the workspace itself must stay private']),
    ...packages.flatMap(({ path, manifest }) => {
      const wanted = { ...workspace, version: first?.manifest.version };
      return [
        ...checkFields(manifest, wanted, path),
        ...checkDoors(manifest),
        ...checkSiblings(manifest, packages),
      ].map((text) => `${path}/package.json: ${text}`);
    }),
    ...packages.flatMap(({ path }) => checkNeighbours(root, path)),
  ];
}

/** `wanted` has what all of them share. */
function checkFields(manifest, wanted, path) {
  const { description, keywords, homepage, bugs, repository, files } = manifest;
  const rules = [
    [typeof description === 'string' && description !== '', 'has no description'],
    [
      Array.isArray(keywords) && keywords.length >= FEWEST_KEYWORDS,
      `has fewer than ${FEWEST_KEYWORDS} keywords`,
    ],
    [isWebAddress(homepage), 'has no homepage'],
    [isWebAddress(bugs?.url), 'does not say in bugs where to report one'],
    [repository?.type === 'git' && /^git\+https:/.test(repository.url), 'does not name its repository'],
    [repository?.directory === path, `repository.directory is not ${path}`],
    [manifest.version === wanted.version, `has another version than ${wanted.version}: all have the same`],
    [manifest.license === wanted.license, `license is not ${wanted.license}`],
    [manifest.engines?.node === wanted.engines?.node, `engines.node is not ${wanted.engines?.node}`],
    [manifest.type === 'module', 'type is not module: there is nothing but ES modules'],
    // A program is not bundled into others.
    [
      manifest.bin !== undefined || 'sideEffects' in manifest,
      'does not say in sideEffects what importing does',
    ],
    [manifest.publishConfig?.access === 'public', 'publishConfig.access is not public'],
    [
      same(files, [...(manifest.bin === undefined ? [] : ['bin']), ...FILES]),
      `files are not ${FILES.join(', ')}${manifest.bin === undefined ? '' : ', and bin'}`,
    ],
    [
      manifest.scripts?.prepack === 'node ../../scripts/prepare.mjs',
      'scripts.prepack does not build: what is packed may be old',
    ],
  ];
  return rules.filter(([holds]) => !holds).map(([, text]) => text);
}

function checkDoors({ exports = {} }) {
  return Object.entries(exports).flatMap(([door, target]) => {
    const source = target['testudo-source'] ?? '';
    const built = source.replace(/^\.\/src\//, './dist/').replace(/\.ts$/, '');
    const wanted = { 'testudo-source': source, types: `${built}.d.ts`, default: `${built}.js` };
    if (!same(Object.keys(target), CONDITIONS)) return [`exports ${door} has not ${CONDITIONS.join(', ')}`];
    return same(Object.values(target), Object.values(wanted))
      ? []
      : [`exports ${door} does not lead to what is made of ${source}`];
  });
}

/** Packages of this repository are published together, so each needs the others just as they are. */
function checkSiblings({ dependencies = {} }, packages) {
  return packages
    .filter(({ manifest }) => manifest.name in dependencies)
    .filter(({ manifest }) => dependencies[manifest.name] !== manifest.version)
    .map(({ manifest }) => `depends on another ${manifest.name} than ${manifest.version}`);
}

function checkNeighbours(root, path) {
  const read = (name) =>
    existsSync(join(root, path, name)) ? readFileSync(join(root, path, name), 'utf8') : undefined;
  const readme = read('README.md');
  const license = read('LICENSE');
  // On a registry a README stands alone.
  const relative = /\]\((?!https?:|#|mailto:)([^)\s]+)/.exec(readme ?? '');
  return [
    ...(readme === undefined ? [`${path}: has no README.md`] : []),
    ...(readme !== undefined && !/^```(js|ts|sh|yaml)\n/m.test(readme)
      ? [`${path}/README.md: has no example`]
      : []),
    ...(relative === null
      ? []
      : [`${path}/README.md: links to ${relative[1]}, which is not on the registry`]),
    ...(license === readFileSync(join(root, 'LICENSE'), 'utf8')
      ? []
      : [`${path}/LICENSE: is not that of the project`]),
  ];
}

function isWebAddress(text) {
  return typeof text === 'string' && /^https:\/\/[^/]/.test(text);
}

function same(a, b) {
  return JSON.stringify(a) === JSON.stringify(b);
}

function readJson(file) {
  return JSON.parse(readFileSync(file, 'utf8'));
}
