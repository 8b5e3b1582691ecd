// The reference of the gateway's configuration in `apps/testudo/README.md`, from the schema in `apps/testudo/src/config`.
// `node scripts/options.mjs` writes it, as `npm run fix` does; `npm run check` says when it is out of date.

import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const README = 'apps/testudo/README.md';
const SCHEMA = 'apps/testudo/src/config/options.ts';
const BEGIN = '<!-- options: npm run fix writes what follows, from the schema -->';
const END = '<!-- end of the options -->';

/** That the reference is not what the schema says, or nothing. */
export async function checkOptions(root) {
  const readme = readFileSync(join(root, README), 'utf8');
  const wanted = withReference(readme, referenceOf(await optionGroups(root)));
  return readme === wanted ? [] : [`${README}: its options are out of date: run npm run fix`];
}

/** A document with the reference in its place. */
export function withReference(document, reference) {
  const [begin, end] = [document.indexOf(BEGIN), document.indexOf(END)];
  if (begin === -1 || end < begin)
    throw new Error(`${README} has no place for the options: ${BEGIN} … ${END}`);
  return `${document.slice(0, begin + BEGIN.length)}\n\n${reference}\n${document.slice(end)}`;
}

/** Groups of options as Markdown: a table for each. */
export function referenceOf(groups) {
  return groups.map(({ name, options }) => `${heading(name)}\n\n${table(options)}\n`).join('\n');
}

function heading(name) {
  return name === '' ? '### At the top of the file' : `### ${name}`;
}

function table(options) {
  const rows = options.map(({ name, form, isRequired, standard, meaning, services }) => {
    const text = services.length === 0 ? meaning : `${meaning} (${services.join(', ')})`;
    return `| \`${name}\` | ${[form, isRequired ? 'required' : standard, text].map(cell).join(' | ')} |`;
  });
  return ['| option | value | default | meaning |', '|---|---|---|---|', ...rows].join('\n');
}

function cell(text) {
  return text.replaceAll('|', '\\|');
}

/** As `OptionGroup`s of the app's sources, which need not be built. */
async function optionGroups(root) {
  const bundle = await rolldown({
    cwd: root,
    input: join(root, SCHEMA),
    platform: 'node',
    // Of the packages, too, the sources.
    resolve: { conditionNames: ['testudo-source', 'import', 'node', 'default'] },
  });
  const { output } = await bundle.generate({ format: 'esm', codeSplitting: false });
  await bundle.close();
  // All in one text, so that nothing is written that would have to be removed again.
  const module = await import(
    `data:text/javascript;base64,${Buffer.from(output[0].code).toString('base64')}`
  );
  return module.optionGroups();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const root = dirname(dirname(process.argv[1]));
  const path = join(root, README);
  writeFileSync(path, withReference(readFileSync(path, 'utf8'), referenceOf(await optionGroups(root))));
}
