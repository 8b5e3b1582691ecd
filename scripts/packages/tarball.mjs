// What a tarball must hold, and what it must not.

import { posix } from 'node:path';

/** All that may stand at its top. */
const TOP = /^(package\.json|README\.md|LICENSE|(dist|src|bin)\/.+)$/;
const OF_TESTS = /\.test\.|(^|\/)(testing|tests?|fixtures|vectors)\//;

/**
 * Problems of a tarball, one line for each. `files` are the paths in it, relative to its package; `read` gives the text
 * of one.
 */
export function checkTarball(files, read) {
  const present = new Set(files);
  const manifest = JSON.parse(read('package.json'));
  return [
    ...['README.md', 'LICENSE'].filter((name) => !present.has(name)).map((name) => `lacks ${name}`),
    ...files.filter((file) => !TOP.test(file)).map((file) => `holds ${file}, which nobody needs`),
    ...files.filter((file) => OF_TESTS.test(file)).map((file) => `holds ${file}, which is for tests`),
    ...targetsOf(manifest.exports).flatMap(([door, target]) =>
      present.has(withoutDot(target)) ? [] : [`${door} leads to ${target}, which it does not hold`],
    ),
    ...Object.keys(manifest.exports ?? {})
      .filter((door) => /test/.test(door))
      .map((door) => `has the door ${door}, which is for tests`),
    ...Object.values(manifest.bin ?? {}).flatMap((bin) =>
      present.has(withoutDot(bin)) ? [] : [`lacks ${bin}, which it says to run`],
    ),
    ...files.filter((file) => file.endsWith('.map')).flatMap((file) => checkMap(file, read(file), present)),
    ...files
      .filter((file) => /\.(js|d\.ts)$/.test(file))
      .flatMap((file) => checkMapReference(file, read(file), present)),
  ];
}

/** A map leads to the sources, which are there. */
function checkMap(file, text, present) {
  const { sources, sourceRoot = '' } = JSON.parse(text);
  return sources
    .filter((source) => !present.has(posix.join(posix.dirname(file), sourceRoot, source)))
    .map((source) => `${file} points to ${source}, which it does not hold`);
}

function checkMapReference(file, text, present) {
  const found = /^\/\/# sourceMappingURL=(.+)$/m.exec(text);
  if (found === null || present.has(posix.join(posix.dirname(file), found[1]))) return [];
  return [`${file} names its map ${found[1]}, which it does not hold`];
}

/** Pairs of a door, with its conditions, and the file behind it. */
function targetsOf(exports, door = 'exports') {
  if (typeof exports === 'string') return [[door, exports]];
  return Object.entries(exports ?? {}).flatMap(([key, value]) => targetsOf(value, `${door} ${key}`));
}

function withoutDot(path) {
  return path.replace(/^\.\//, '');
}
