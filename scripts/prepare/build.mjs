// Whether the dist folders belong to the sources, and how they come to.

import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
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
  return projects(root).every((project) => missingOutputs(project, stamp).length === 0);
}

/** Runs `tsc -b` after clearing away what it would leave or not make again. */
export async function build(root, lock) {
  const before = readStamp(root);
  // Taken before the compiler reads: an edit during the build makes the next run build again.
  const inputs = inputsDigest(root);
  writeStamp(root, { inputs: 'unfinished', outputs: before === undefined ? {} : before.outputs });
  for (const project of projects(root)) {
    removeOrphans(project.dist, project.src);
    // tsc trusts its .tsbuildinfo and does not look whether the output is still there.
    if (before === undefined || missingOutputs(project, before).length > 0)
      rmSync(join(project.dir, 'tsconfig.tsbuildinfo'), { force: true });
  }
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const args = [tsc, '-b', 'tsconfig.build.json', ...(process.stderr.isTTY ? ['--pretty'] : [])];
  const hint = 'the build failed; the lines above are what the compiler says';
  await runStep('Building', process.execPath, args, { cwd: root, hint }, lock);
  const outputs = {};
  for (const project of projects(root)) outputs[project.path] = compiled(project.dist);
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
  for (const name of ['package.json', 'tsconfig.base.json', 'tsconfig.build.json']) add(join(root, name));
  // Other versions of the compiler and of the packages whose types are read.
  if (existsSync(join(root, 'package-lock.json')))
    digest.update(readFileSync(join(root, 'package-lock.json')));
  for (const { dir, src } of projects(root)) {
    for (const name of ['package.json', 'tsconfig.json']) add(join(dir, name));
    for (const file of walk(src)) if (!isTest(file)) add(join(src, file));
  }
  return digest.digest('hex');
}

function missingOutputs(project, stamp) {
  const expected = stamp.outputs[project.path];
  if (expected === undefined) return [project.dist];
  const present = new Set(walk(project.dist));
  return expected.filter((file) => !present.has(file));
}

/** What tsc made in `dist`: a declaration and its script. Other tools' output has no declarations. */
function compiled(dist) {
  const files = new Set(walk(dist));
  return [...files]
    .filter((file) => /\.d\.m?ts$/.test(file))
    .flatMap((file) => [file, scriptOf(file)])
    .filter((file) => files.has(file));
}

/** Deletes the output of sources that are gone; tsc never does. */
function removeOrphans(dist, src) {
  const sources = new Set(walk(src).filter((file) => !isTest(file)));
  const folders = new Set();
  for (const declaration of walk(dist).filter((file) => /\.d\.m?ts$/.test(file))) {
    const script = scriptOf(declaration);
    const source = script.replace(/js$/, 'ts');
    if (sources.has(source) || sources.has(`${source}x`)) continue;
    // The declaration goes last: it is what tells us that the others are the compiler's.
    for (const file of [`${script}.map`, script, `${declaration}.map`, declaration])
      rmSync(join(dist, file), { force: true });
    folders.add(dirname(join(dist, declaration)));
  }
  for (const folder of folders) removeEmptyFolders(folder, dist);
}

function removeEmptyFolders(folder, top) {
  for (let at = folder; at.startsWith(top); at = dirname(at)) {
    if (readdirSync(at).length > 0) return;
    rmdirSync(at);
  }
}

function scriptOf(declaration) {
  return declaration.replace(/\.d\.(m?)ts$/, '.$1js');
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
