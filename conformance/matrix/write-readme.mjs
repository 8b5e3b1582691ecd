// Runs the tests of this folder and writes README.md: everything negotiated, with which program, and whether it worked.
//   node conformance/matrix/write-readme.mjs

import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { testResults } from '../support/test-results.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
const COLUMNS = ['OpenSSL server', 'OpenSSL client', 'GnuTLS server', 'GnuTLS client'];
const PARTS = [
  ['Cipher suites', /^TLS_\S+$/],
  ['Groups', /^group (.*)$/],
  ['Signatures, by the key of the certificate', /^key (.*)$/],
];

const { results, failed } = testResults('conformance/matrix');
const cells = cellsOf(results);
writeFileSync(join(here, 'README.md'), page(cells));
console.log(`README.md: ${cells.size} rows, ${results.length} tests, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

/** What → column → versions with what came of them. */
function cellsOf(tests) {
  const rows = new Map();
  for (const { ancestorTitles, title, status } of tests) {
    const [, version, what] = /^TLSv(\S+): (.*)$/.exec(title) ?? [];
    if (what === undefined || status === 'skipped' || status === 'pending') continue;
    const [program, role] = [ancestorTitles[0].split(' ')[0], ancestorTitles[1].split(' ').at(-1)];
    if (!rows.has(what)) rows.set(what, new Map());
    const row = rows.get(what);
    const column = `${program} ${role}`;
    const name = version === '1' ? '1.0' : version;
    row.set(column, [...(row.get(column) ?? []), status === 'passed' ? name : `**${name} failed**`]);
  }
  return rows;
}

function page(rows) {
  const lines = [
    '# Everything negotiated',
    '',
    'Written by `node conformance/matrix/write-readme.mjs` from a run of the tests in this folder; do not edit.',
    'A cell gives the versions in which a handshake and data both ways worked; an empty one: the program cannot.',
    'The programs say themselves which suites they have, so this is all that both can do. SSL 3.0, which neither',
    'program has any more, and suites without a row are met between our own two sides only',
    '(`packages/tls/src/tls12/every-suite.test.ts`).',
    '',
    `- ${versionOf('openssl', 'version')}`,
    `- ${versionOf('gnutls-cli', '--version')}`,
    '',
  ];
  for (const [heading, pattern] of PARTS) {
    const chosen = [...rows].filter(([what]) => pattern.test(what)).sort(([a], [b]) => (a < b ? -1 : 1));
    lines.push(
      `## ${heading}`,
      '',
      `| | ${COLUMNS.join(' | ')} |`,
      `|---|${COLUMNS.map(() => '---|').join('')}`,
    );
    for (const [what, row] of chosen) {
      const name = pattern.exec(what)[1] ?? what;
      lines.push(`| ${name} | ${COLUMNS.map((column) => (row.get(column) ?? []).join(', ')).join(' | ')} |`);
    }
    lines.push('');
  }
  return lines.join('\n');
}

function versionOf(...command) {
  const { stdout } = spawnSync(command[0], command.slice(1), { encoding: 'utf8' });
  return stdout
    .split('\n')[0]
    .replace(/ \(.*$/, '')
    .trim();
}
