// `docs/rfc-index.md`: which file does what a section of a standard says, from the citations in the sources.
// `node scripts/rfc-index.mjs` writes it, as `npm run fix` does; `npm run check` says when it is out of date.

import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, extname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { citationsIn } from './citations.mjs';

const INDEX = 'docs/rfc-index.md';

/** Titles by section. RFC 9846 is not numbered like RFC 8446, whose numbers are still in many heads. */
const SECTIONS_9846 = JSON.parse(readFileSync(new URL('./rfc9846.json', import.meta.url), 'utf8'));

/** What the sections of RFC 8446 are in RFC 9846, where they have another number. */
const MOVED = JSON.parse(readFileSync(new URL('./rfc8446.json', import.meta.url), 'utf8'));

const FOLDERS = ['apps', 'bench', 'conformance', 'docs', 'examples', 'fuzz', 'packages'];
const SKIPPED = new Set(['node_modules', 'dist', 'vectors', 'results']);
const TEXT = new Set(['.ts', '.mjs', '.js', '.md', '.html', '.txt']);
const SOURCE = /^(?:packages|apps)\/[^/]+\/src\/(?!(?:.*\/)?testing\/).*(?<!\.test)\.ts$/;

/** Citations that cannot be right, and an index that is not what the sources say: one line each. */
export function checkCitations(root) {
  const files = citingFiles(root);
  const wrong = files.flatMap(problemsOf);
  const path = join(root, INDEX);
  const written = existsSync(path) ? readFileSync(path, 'utf8') : '';
  return written === indexOf(files) ? wrong : [...wrong, `${INDEX}: is out of date: run npm run fix`];
}

function problemsOf({ name, citations }) {
  return citations.flatMap(({ standard, section, line, beside }) => {
    if (standard === '9846' && section !== undefined && !(section in SECTIONS_9846))
      return [`${name}:${line}: RFC 9846 has no §${section}${wasMoved(section)}`];
    if (!beside && SOURCE.test(name))
      return [`${name}:${line}: §${section} of what? The standard is to be named in the same comment`];
    return [];
  });
}

function wasMoved(section) {
  return section in MOVED ? `: what RFC 8446 has there is §${MOVED[section]} now` : '';
}

/** The text of the index: standards, their sections, and for each the sources that cite it. */
export function indexOf(files) {
  const standards = new Map();
  for (const { name, citations } of files) {
    if (!SOURCE.test(name)) continue;
    for (const { standard, section, steps } of citations) {
      const sections = at(standards, standard, () => new Map());
      const keys = steps.length === 0 ? [section || WHOLE] : steps.map((step) => `${section} (${step})`);
      for (const key of keys) at(sections, key, () => new Set()).add(name);
    }
  }
  const chapters = sorted(standards).map(([standard, sections]) => chapter(standard, sections));
  return [HEAD, ...chapters, movedSections()].join('\n');
}

const WHOLE = '';

const HEAD = `# Index of standards

Which file does what a section of a standard says: from the citations in the sources, without the tests. A letter in brackets is
a step of an algorithm. [RFCS.md](../RFCS.md) tells what of each RFC is done. This page is written by \`npm run fix\`.
`;

function chapter(standard, sections) {
  const name = /^\d+$/.test(standard) ? `RFC ${standard}` : standard;
  const files = new Set([...sections].flatMap(([key, names]) => (key === WHOLE ? [] : [...names])));
  // Who names a section need not be named with the whole as well.
  const rows = sorted(sections).flatMap(([key, names]) => {
    const left = [...names].filter((file) => key !== WHOLE || !files.has(file)).sort();
    return left.length === 0 ? [] : [`| ${label(standard, key)} | ${left.map(link).join(', ')} |`];
  });
  return `## ${name}\n\n| section | files |\n|---|---|\n${rows.join('\n')}\n`;
}

/** For who comes with a number of RFC 8446. */
function movedSections() {
  const rows = Object.entries(MOVED).map(([was, is]) => `| §${was} | §${is} ${SECTIONS_9846[is]} |`);
  return `## From RFC 8446 to RFC 9846\n\nSections that have another number now.\n\n| was | is |\n|---|---|\n${rows.join('\n')}\n`;
}

function label(standard, key) {
  if (key === WHOLE) return 'as a whole';
  const title = standard === '9846' ? SECTIONS_9846[key] : undefined;
  return title === undefined ? `§${key}` : `§${key} ${title}`;
}

function link(file) {
  const [, part, rest] = /^[^/]+\/([^/]+)\/src\/(.*)$/.exec(file);
  return `[${part}: ${rest}](../${file})`;
}

function at(map, key, make) {
  if (!map.has(key)) map.set(key, make());
  return map.get(key);
}

/** RFCs by number, then the others; sections by number, then appendices. */
function sorted(map) {
  return [...map].sort(([a], [b]) => rank(a) - rank(b) || a.localeCompare(b, 'en', { numeric: true }));
}

function rank(key) {
  return /^\d|^$/.test(key) ? 0 : 1;
}

/** Files with text in which a citation may stand, in order: `{ name, citations }`. */
export function citingFiles(root) {
  const top = readdirSync(root).filter((name) => name.endsWith('.md'));
  const names = [...top, ...FOLDERS.flatMap((folder) => textsIn(root, join(root, folder)))].sort();
  return names
    .filter((name) => name !== INDEX)
    .map((name) => ({
      name,
      citations: citationsIn(readFileSync(join(root, name), 'utf8'), name.endsWith('.md')),
    }));
}

function textsIn(root, dir) {
  if (!existsSync(dir)) return [];
  return readdirSync(dir, { withFileTypes: true }).flatMap((entry) => {
    const path = join(dir, entry.name);
    if (entry.isDirectory()) return SKIPPED.has(entry.name) ? [] : textsIn(root, path);
    return TEXT.has(extname(entry.name)) ? [relative(root, path).split(sep).join('/')] : [];
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const root = dirname(dirname(process.argv[1]));
  mkdirSync(join(root, dirname(INDEX)), { recursive: true });
  writeFileSync(join(root, INDEX), indexOf(citingFiles(root)));
}
