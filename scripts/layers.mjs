// The layers of ARCHITECTURE.md: which package may import which, and through which door. `npm run check` runs it.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { findGlobals, findImports } from './imports.mjs';

/** Lowest first: a package imports only packages before it. Applications are above all of them. */
export const LAYERS = ['codec', 'crypto', 'x509', 'tls'];

/** The folders that may touch Node: `src/node` of a package, and this one; everything else is bytes in, bytes out. */
const ADAPTER = 'src/node/';
const OTHER_ADAPTER = 'packages/crypto/src/openssl/';
const NODE_GLOBALS = new Set(['Buffer', 'process', 'setImmediate', '__dirname', '__filename']);
const BUILTINS = new Set(builtinModules);
const SOURCE = 'testudo-source';
/** What a package shows to tests outside of it, beside its doors for everyone. */
const TEST_DOOR = 'src/testing/index.ts';
/** What tests ask for programs by, those of packages, too: it imports no package. */
const PROGRAMS = 'conformance/support/programs.ts';
/** Folders of the root that are no packages but import them. */
const ROOT_FOLDERS = ['bench', 'conformance', 'examples', 'fuzz', 'scripts'];

/** All breaches below `root`, as texts `file:line: what is wrong`; none when the layers hold. */
export function checkLayers(root) {
  const workspace = readWorkspace(root);
  return [
    // What has no place is told of below: nothing can be said of what it imports.
    ...workspace.packages
      .filter(({ rank }) => rank !== -1)
      .flatMap((pack) => [
        ...checkManifest(pack, workspace),
        ...sourcesOf(pack.dir).flatMap((file) => checkSource(file, pack, workspace)),
      ]),
    ...checkFolders(root),
    ...checkBuildList(workspace),
    ...checkTestDoors(workspace),
    ...ROOT_FOLDERS.flatMap((folder) =>
      sourcesOf(join(root, folder)).flatMap((file) => checkRootSource(file, workspace)),
    ),
  ];
}

function readWorkspace(root) {
  const packages = ['packages', 'apps'].flatMap((group) =>
    foldersOf(join(root, group))
      .filter((name) => existsSync(join(root, group, name, 'package.json')))
      .map((name) => readPackage(root, group, name)),
  );
  return {
    root,
    packages,
    byName: new Map(packages.map((p) => [p.name, p])),
    manifest: readJson(join(root, 'package.json')),
  };
}

function readPackage(root, group, folder) {
  const dir = join(root, group, folder);
  const manifest = readJson(join(dir, 'package.json'));
  const rank = group === 'apps' ? LAYERS.length : LAYERS.indexOf(folder);
  return { name: manifest.name, path: `${group}/${folder}`, dir, manifest, rank, isApp: group === 'apps' };
}

/** The list and the folders are the same; of a folder without package.json nothing else would be looked at. */
function checkFolders(root) {
  const folders = foldersOf(join(root, 'packages')).filter(
    (name) => sourcesOf(join(root, 'packages', name)).length > 0,
  );
  return [
    ...LAYERS.filter((name) => !folders.includes(name)).map(
      (name) => `scripts/layers.mjs: LAYERS names ${name}, but there is no packages/${name}`,
    ),
    ...folders
      .filter((name) => !LAYERS.includes(name))
      .map((name) => `packages/${name}: has no place in the layers: add it to LAYERS in scripts/layers.mjs`),
    ...folders
      .filter((name) => !existsSync(join(root, 'packages', name, 'package.json')))
      .map((name) => `packages/${name}: has no package.json`),
  ];
}

/** The package's place, its declared dependencies, and its tsconfig against them. */
function checkManifest(pack, { byName }) {
  const file = `${pack.path}/package.json`;
  const own = Object.keys(dependenciesOf(pack.manifest)).filter((name) => byName.has(name));
  const upward = own.filter((name) => byName.get(name).rank >= pack.rank);
  return [
    ...upward.map((name) => `${file}: depends on ${name}, which is not below it`),
    ...checkReferences(
      pack,
      own.map((name) => byName.get(name).path),
    ),
  ];
}

/** `tsc -b` builds in the order of the references: each dependency needs one, and nothing else does. */
function checkReferences(pack, wanted) {
  const file = join(pack.dir, 'tsconfig.json');
  if (!existsSync(file)) return [`${pack.path}: has no tsconfig.json`];
  const present = (readJson(file).references || []).map(({ path }) =>
    slashes(relative(dirname(dirname(pack.dir)), resolve(pack.dir, path))),
  );
  return [
    ...wanted
      .filter((path) => !present.includes(path))
      .map((path) => `lacks the reference to ${path}, a dependency`),
    ...present
      .filter((path) => !wanted.includes(path))
      .map((path) => `references ${path}, which is no dependency`),
  ].map((text) => `${pack.path}/tsconfig.json: ${text}`);
}

function checkBuildList({ root, packages }) {
  const listed = readJson(join(root, 'tsconfig.build.json')).references.map(({ path }) =>
    path.replace(/^\.\//, ''),
  );
  return packages
    .filter(({ path }) => !listed.includes(path))
    .map(({ path }) => `tsconfig.build.json: lacks ${path}`);
}

function checkSource(file, pack, workspace) {
  const source = readFileSync(file, 'utf8');
  const inPackage = slashes(relative(pack.dir, file));
  const isDevelopment = !isShipped(inPackage);
  const isSansIO =
    !pack.isApp && inPackage.startsWith('src/') && !isAdapter(pack, inPackage) && !isDevelopment;
  const at = (line, text) => `${pack.path}/${inPackage}:${line}: ${text}`;
  const breaches = [];
  for (const { specifier, line } of findImports(source)) {
    const problems =
      specifier === undefined
        ? [isSansIO && 'imports a computed name: the layers cannot be checked']
        : [
            checkSpecifier(specifier, file, pack, workspace, isDevelopment),
            isSansIO && checkSansIO(specifier, file, pack),
          ];
    breaches.push(...problems.filter(Boolean).map((text) => at(line, text)));
  }
  if (isSansIO)
    for (const { name, line } of findGlobals(source, NODE_GLOBALS))
      breaches.push(at(line, `uses ${name}, which only Node has; adapters stand in src/node`));
  return breaches;
}

/** What is wrong with an import as such; undefined when nothing is. */
function checkSpecifier(specifier, file, pack, workspace, isDevelopment) {
  if (specifier.startsWith('.')) {
    const inside = slashes(relative(pack.dir, resolve(dirname(file), specifier)));
    if (inside.startsWith('../')) {
      const isFree =
        isDevelopment && slashes(relative(workspace.root, resolve(pack.dir, inside))) === PROGRAMS;
      return isFree ? undefined : `imports ${specifier}, which is outside its package`;
    }
    return isDevelopment || isShipped(inside) ? undefined : `imports ${specifier}, which users do not get`;
  }
  if (isBuiltin(specifier)) return undefined;
  const name = packageNameOf(specifier);
  const target = workspace.byName.get(name);
  if (target !== undefined && target !== pack && target.rank >= pack.rank)
    return `imports ${name}, which is not below ${pack.name}`;
  if (target !== undefined && !hasDoor(target, specifier)) return noDoor(specifier, target);
  if (target === pack) return undefined;
  const declared = {
    ...dependenciesOf(pack.manifest),
    ...(isDevelopment && developmentOf(pack.manifest, workspace)),
  };
  return name in declared ? undefined : `imports ${name}, which ${pack.path}/package.json does not declare`;
}

function checkSansIO(specifier, file, pack) {
  if (isBuiltin(specifier)) return `imports ${specifier}, but only src/node may import Node's modules`;
  const inside = specifier.startsWith('.')
    ? slashes(relative(pack.dir, resolve(dirname(file), specifier)))
    : '';
  if (isAdapter(pack, inside)) return `imports ${specifier}, an adapter: the dependency goes the other way`;
  if (/^@testudo\/\w+\/(node|openssl)$/.test(specifier)) return `imports ${specifier}, a door for Node only`;
  return undefined;
}

/**
 * The doors that only tests use are `imports` of the root: `#tls/testing`. They lead to sources, by the condition that nobody
 * sets outside of this repository, and to a folder that no tarball holds.
 */
function checkTestDoors({ manifest, packages }) {
  return Object.entries(manifest.imports ?? {}).flatMap(([name, target]) => {
    const places = packages.map(({ path }) => `./${path}/${TEST_DOOR}`);
    const isSound = Object.keys(target).join() === SOURCE && places.includes(target[SOURCE]);
    return isSound
      ? []
      : [`package.json: ${name} is to lead, by "${SOURCE}" alone, to a package's ${TEST_DOOR}`];
  });
}

/** Benchmarks, tests between packages, fuzzers: any package, by its doors, and what the root or their own workspace declares. */
function checkRootSource(file, { root, packages, byName, manifest }) {
  const path = slashes(relative(root, file));
  const declared = {
    ...dependenciesOf(manifest),
    ...manifest.devDependencies,
    ...manifestAbove(root, dirname(file)).devDependencies,
  };
  return findImports(readFileSync(file, 'utf8')).flatMap(({ specifier, line }) => {
    if (specifier === undefined || isBuiltin(specifier)) return [];
    if (specifier.startsWith('.')) {
      const pack = packages.find(({ dir }) => isInside(resolve(dirname(file), specifier), dir));
      if (pack === undefined) return [];
      return [
        `${path}:${line}: imports ${specifier}, which is inside of ${pack.path}: take one of its doors`,
      ];
    }
    if (specifier.startsWith('#')) {
      const doors = manifestAbove(root, dirname(file)).imports ?? {};
      return specifier in doors
        ? []
        : [`${path}:${line}: imports ${specifier}, which is none of the "imports" of package.json`];
    }
    const name = packageNameOf(specifier);
    const target = byName.get(name);
    if (target !== undefined)
      return hasDoor(target, specifier) ? [] : [`${path}:${line}: ${noDoor(specifier, target)}`];
    return name in declared ? [] : [`${path}:${line}: imports ${name}, which package.json does not declare`];
  });
}

/** The package.json of the nearest folder that has one, which is where Node looks, too. */
function manifestAbove(root, folder) {
  for (let at = folder; at !== root; at = dirname(at)) {
    const file = join(at, 'package.json');
    if (existsSync(file)) return readJson(file);
  }
  return readJson(join(root, 'package.json'));
}

function isInside(path, folder) {
  return slashes(path).startsWith(`${slashes(folder)}/`);
}

function noDoor(specifier, target) {
  return `imports ${specifier}, which is no door of ${target.name} (see its "exports")`;
}

function hasDoor({ name, manifest }, specifier) {
  const wanted = `.${specifier.slice(name.length)}`;
  const { exports } = manifest;
  if (exports === undefined) return false;
  const doors =
    typeof exports === 'string' ||
    (!('.' in exports) && !Object.keys(exports).some((key) => key.startsWith('./')))
      ? ['.']
      : Object.keys(exports);
  return doors.some((door) => {
    const [before, after] = door.split('*');
    return after === undefined ? door === wanted : wanted.startsWith(before) && wanted.endsWith(after);
  });
}

/** What users get; the rest of a package (its tests, what they share, its build configuration) may use development packages. */
function isShipped(path) {
  return /^(src|bin|dist)\//.test(path) && !/\.test\.\w+$|\/testing\//.test(path);
}

function dependenciesOf(manifest) {
  return { ...manifest.dependencies, ...manifest.optionalDependencies, ...manifest.peerDependencies };
}

function developmentOf(manifest, workspace) {
  return { ...workspace.manifest.devDependencies, ...manifest.devDependencies };
}

function packageNameOf(specifier) {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

function isAdapter(pack, path) {
  return path.startsWith(ADAPTER) || `${pack.path}/${path}`.startsWith(OTHER_ADAPTER);
}

function isBuiltin(specifier) {
  return specifier.startsWith('node:') || BUILTINS.has(specifier);
}

function sourcesOf(dir) {
  if (!existsSync(dir)) return [];
  return readdirSync(dir, { withFileTypes: true }).flatMap((entry) => {
    if (entry.isDirectory())
      return /^(node_modules|dist|vectors)$/.test(entry.name) ? [] : sourcesOf(join(dir, entry.name));
    return /\.[cm]?[jt]sx?$/.test(entry.name) ? [join(dir, entry.name)] : [];
  });
}

function foldersOf(dir) {
  if (!existsSync(dir)) return [];
  return readdirSync(dir, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name);
}

function readJson(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new Error(`${file}: ${error.message}`);
  }
}

function slashes(path) {
  return path.split(sep).join('/');
}
