// Whether the dist folders belong to the sources, and how they come to.

import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { runStep } from './run.mjs';

/** True when every source, tsconfig and package.json is what the last good build saw, and its output is there. */
export function isBuilt(root) {
  const stamp = readStamp(root);
  if (stamp === undefined || stamp.inputs !== inputsDigest(root)) return false;
  return projects(root).every(({ path, dist }) => {
    const present = new Set(walk(dist));
    return stamp.outputs[path]?.every((file) => present.has(file));
  });
}

/** Makes all dist folders anew: declarations by `tsc -b`, then scripts by {@link bundle.mjs}. */
export async function build(root, lock) {
  // Taken before the compiler reads: an edit during the build makes the next run build again.
  const inputs = inputsDigest(root);
  writeStamp(root, { inputs: 'unfinished', outputs: {} });
  for (const { dir, dist } of projects(root)) {
    rmSync(dist, { recursive: true, force: true });
    // tsc trusts its .tsbuildinfo and does not look whether the output is still there.
    rmSync(join(dir, 'tsconfig.tsbuildinfo'), { force: true });
  }
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const compile = [
    ...[tsc, '-b', 'tsconfig.build.json', '--emitDeclarationOnly'],
    ...(process.stderr.isTTY ? ['--pretty'] : []),
  ];
  const hint = 'the build failed; the lines above are what the compiler says';
  await runStep('Compiling', process.execPath, compile, { cwd: root, hint }, lock);
  const bundle = [join(root, 'scripts', 'prepare', 'bundle.mjs'), ...projects(root).map(({ path }) => path)];
  const bundleHint = 'the build failed; the lines above are what the bundler says';
  await runStep('Bundling', process.execPath, bundle, { cwd: root, hint: bundleHint }, lock);
  const outputs = Object.fromEntries(projects(root).map(({ path, dist }) => [path, walk(dist)]));
  writeStamp(root, { inputs, outputs });
}

function projects(root) {
  const config = JSON.parse(readFileSync(join(root, 'tsconfig.build.json'), 'utf8'));
  return config.references.map(({ path }) => {
    const dir = join(root, path);
    return { path, dir, src: join(dir, 'src'), dist: join(dir, 'dist') };
  });
}

/** One digest over name, time and size of all that the build reads, tests left out. */
function inputsDigest(root) {
  const digest = createHash('sha256');
  const add = (file) => {
    const stat = statSync(file, { throwIfNoEntry: false });
    digest.update(`${file}\0${stat === undefined ? 'absent' : `${stat.mtimeMs}\0${stat.size}`}\n`);
  };
  for (const name of [
    'package.json',
    'tsconfig.base.json',
    'tsconfig.build.json',
    'scripts/prepare/bundle.mjs',
  ])
    add(join(root, name));
  // Other versions of the compiler and of the packages whose types are read.
  if (existsSync(join(root, 'package-lock.json')))
    digest.update(readFileSync(join(root, 'package-lock.json')));
  for (const { dir, src } of projects(root)) {
    for (const name of ['package.json', 'tsconfig.json']) add(join(dir, name));
    for (const file of walk(src)) if (!isTest(file)) add(join(src, file));
  }
  return digest.digest('hex');
}

function isTest(file) {
  return /\.test\.m?tsx?$/.test(file);
}

/** Paths of all files below `folder`, relative to it, with forward slashes; none if it is not there. */
function walk(folder, prefix = '', files = []) {
  let entries;
  try {
    entries = readdirSync(join(folder, prefix), { withFileTypes: true });
  } catch {
    return files;
  }
  for (const entry of entries) {
    if (entry.isDirectory()) walk(folder, `${prefix}${entry.name}/`, files);
    else files.push(`${prefix}${entry.name}`);
  }
  return files;
}

function stampFile(root) {
  return join(root, 'node_modules', '.cache', 'testudo', 'build.json');
}

function readStamp(root) {
  try {
    return JSON.parse(readFileSync(stampFile(root), 'utf8'));
  } catch {
    return undefined;
  }
}

function writeStamp(root, stamp) {
  const file = stampFile(root);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(`${file}.new`, JSON.stringify(stamp));
  renameSync(`${file}.new`, file);
}
