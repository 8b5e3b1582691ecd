// Runs the tests of this folder and writes README.md: what was tested with which program, and whether it passed.
//   node conformance/interop/write-readme.mjs

import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { testResults } from '../support/test-results.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));

/** Column, as tests name their suites, and what says the version. */
const COLUMNS = [
  ['OpenSSL client', ['openssl', 'version']],
  ['OpenSSL server', ['openssl', 'version']],
  ['GnuTLS client', ['gnutls-cli', '--version']],
  ['GnuTLS server', ['gnutls-cli', '--version']],
  ['node:tls client', ['node', '--version']],
  ['node:tls server', ['node', '--version']],
  ['curl client', ['curl', '--version']],
  ['nginx server', ['nginx', '-v']],
  ['Chromium client', ['chromium', '--version']],
  ['NSS client', ['dpkg-query', '-W', 'libnss3']],
  ['NSS server', ['dpkg-query', '-W', 'libnss3']],
  ['Python', ['python3', '--version']],
];

const { results, failed } = testResults('conformance/interop');
const rows = tableOf(results);
writeFileSync(join(here, 'README.md'), page(rows));
console.log(`README.md: ${rows.size} features, ${results.length} tests, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

/** Feature → column → versions → whether all of its tests passed. */
function tableOf(results) {
  const rows = new Map();
  for (const { ancestorTitles, title, status } of results) {
    const [suite] = ancestorTitles;
    const column = suite.replace(/, .*$/, '').replace(/^(\w+) as the (\w+)$/, '$1 $2');
    const [, version = '', rest] = /^(?:TLSv(1\.\d): )?(.*)$/.exec(title);
    const feature = featureOf(rest);
    if (!rows.has(feature)) rows.set(feature, new Map());
    const cells = rows.get(feature);
    if (!cells.has(column)) cells.set(column, new Map());
    const versions = cells.get(column);
    if (status === 'skipped' || status === 'pending') continue;
    versions.set(version, (versions.get(version) ?? true) && status === 'passed');
  }
  // What most programs share comes first.
  return new Map([...rows].sort(([, a], [, b]) => b.size - a.size));
}

/** Tests that differ in the type of key only are one feature. */
function featureOf(title) {
  if (/^every suite .*with a key of type/.test(title)) return 'every suite and group with every type of key';
  return title;
}

function cell(versions) {
  if (versions === undefined || versions.size === 0) return '';
  const names = [...versions].sort(([a], [b]) => (a < b ? 1 : -1));
  return names.map(([name, passed]) => `${passed ? 'yes' : '**no**'}${name ? ` (${name})` : ''}`).join(', ');
}

function page(rows) {
  const columns = COLUMNS.map(([name]) => name);
  const lines = [
    '# Interoperability',
    '',
    'Written by `node conformance/interop/write-readme.mjs` from a run of the tests in this folder; do not edit.',
    'An empty cell was not tested: mostly because the program cannot do it, or cannot show it.',
    '',
    'Programs:',
    '',
    ...[...new Set(COLUMNS.map(([, command]) => `- ${versionOf(command)}`))],
    '',
    `| feature | ${columns.join(' | ')} |`,
    `|---|${columns.map(() => '---|').join('')}`,
    ...[...rows]
      .filter(([, cells]) => columns.some((column) => cells.has(column)))
      .map(
        ([feature, cells]) =>
          `| ${feature} | ${columns.map((column) => cell(cells.get(column))).join(' | ')} |`,
      ),
    '',
  ];
  return lines.join('\n');
}

function versionOf([program, ...args]) {
  const { stdout, stderr } = spawnSync(program === 'node' ? process.execPath : program, args, {
    encoding: 'utf8',
    env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` },
  });
  const text = `${stdout ?? ''}${stderr ?? ''}`.split('\n')[0].trim();
  return program === 'node'
    ? `Node.js ${text} (OpenSSL ${process.versions.openssl})`
    : text.replace(/ \(.*$/, '');
}
