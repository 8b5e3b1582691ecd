// Makes the scripts in the packages' dist folders: one file for each door in `exports`, and chunks for what doors share.
// A program that imports a door then loads some ten files where src has four hundred: a fifth of the time, and half of
// the heap. Declarations are the compiler's.
//
//   node scripts/prepare/bundle.mjs packages/codec packages/crypto ...

import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { rolldown } from 'rolldown';

const SOURCE = 'testudo-source';

for (const project of process.argv.slice(2)) await bundleProject(resolve(project));

async function bundleProject(project) {
  const { exports = {} } = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8'));
  const bundle = await rolldown({
    cwd: project,
    input: Object.fromEntries(
      Object.values(exports).map((door) => [withoutEnds(door.default), door[SOURCE]]),
    ),
    platform: 'node',
    // Other packages stay packages: a class of theirs must be one class for all who import it.
    external: /^[^./]/,
    // The package.json says that importing has no side effects, which is meant for users' bundlers; here all is kept.
    treeshake: { moduleSideEffects: true },
    plugins: [{ name: 'one-byte', generateBundle: oneByte }],
    onLog: (_, log) => {
      throw new Error(log.message);
    },
  });
  await bundle.write({
    dir: join(project, 'dist'),
    format: 'esm',
    entryFileNames: '[name].js',
    chunkFileNames: '[name]-[hash].js',
    sourcemap: true,
    // The tarballs hold the sources, so that the maps (of the declarations, too) lead to them.
    sourcemapExcludeSources: true,
    comments: false,
  });
  await bundle.close();
}

/**
 * Leaves Latin-1 in the scripts, with escapes for what is outside: one `…` in a text, and V8 keeps the whole file with
 * two bytes for each character. Lines stay what the source maps say.
 */
function oneByte(_, files) {
  for (const file of Object.values(files))
    if (file.type === 'chunk') file.code = file.code.replace(/[^\0-\xff]/g, escaped);
}

function escaped(character) {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** `./dist/node/index.js` is the entry `node/index`. */
function withoutEnds(path) {
  return path.replace(/^\.\/dist\//, '').replace(/\.js$/, '');
}
