import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { citationsIn } from './citations.mjs';
import { checkCitations, citingFiles, indexOf } from './rfc-index.mjs';

let root;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'rfc-index-'));
});
afterEach(() => rmSync(root, { recursive: true }));

function write(path, text) {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

/** `5280 §6.1.3 (b)`, one string for each citation. */
function cited(text, isMarkdown) {
  return citationsIn(text, isMarkdown).map(({ standard, section, steps }) =>
    [standard, section && `§${section}`, ...steps.map((step) => `(${step})`)].filter(Boolean).join(' '),
  );
}

describe('citations', () => {
  test.each([
    ['// RFC 5280 §6.1.3 (b), (c): both', ['5280', '5280 §6.1.3 (b) (c)']],
    ['/** RFC 5280 §6.1.1 (c), (e) to (g). */', ['5280', '5280 §6.1.1 (c) (e) (f) (g)']],
    ['// RFC 5280 §6.1.3 (a)(1) and (d).', ['5280', '5280 §6.1.3 (a) (d)']],
    ['// (RFC 6066 §4, §8, RFC 8449 §4)', ['6066', '6066 §4', '6066 §8', '8449', '8449 §4']],
    ["const source = 'RFC 9846 §E.4';", ['9846', '9846 §E.4']],
    ['// as X.690 §11.6 has it (§10)', ['X.690 §11.6', 'X.690 §10']],
    ['/** draft-ietf-tls-mldsa §3. */', ['draft-ietf-tls-mldsa §3']],
    ['// RFC\n// 5280 §4.1: on two lines', ['5280', '5280 §4.1']],
    ['/**\n * RFC 9846\n * §4.3.8\n */', ['9846', '9846 §4.3.8']],
    ['// 2104 bytes, or 9112 §6.1', ['9112 §6.1']],
    ['// RFC 7633 alone, (a) letter', ['7633']],
  ])('are found in %j', (text, expected) => {
    expect(cited(text)).toEqual(expected);
  });

  test('know their line, and whether the standard stands beside them', () => {
    const text = '// RFC 5280 §4.1\nf();\n/**\n * As in\n * §4.2.\n */\n';
    const sections = citationsIn(text).filter(({ section }) => section !== undefined);
    expect(sections.map(({ section, line, beside }) => [section, line, beside])).toEqual([
      ['4.1', 1, true],
      ['4.2', 5, false],
    ]);
  });

  test('go with the paragraph or row of a document', () => {
    const text = 'RFC 8470 asks\nfor it (§3).\n\n| 9110 §7.8, §15.2; 9112 §6 | x |\n| more (§2) |\n';
    expect(
      citationsIn(text, true).map(({ standard, section, beside }) => [standard, section, beside]),
    ).toEqual([
      ['8470', undefined, true],
      ['8470', '3', true],
      ['9110', '7.8', true],
      ['9110', '15.2', true],
      ['9112', '6', true],
      ['9112', '2', false],
    ]);
  });
});

describe('the index', () => {
  test('has standards, sections and steps in order, each with its files', () => {
    write('packages/x509/src/path.ts', '// RFC 5280 §6.1.10, §6.1.2 (b), §A.1, X.690 §8\n');
    write('packages/x509/src/deep/name.ts', '// RFC 5280 §6.1.2 (b) and (a); RFC 822\n');
    write('packages/tls/src/hello.ts', '// RFC 9846 §4.2.2; RFC 5280\n');
    const index = indexOf(citingFiles(root));
    const path = '[x509: path.ts](../packages/x509/src/path.ts)';
    const name = '[x509: deep/name.ts](../packages/x509/src/deep/name.ts)';
    const hello = '[tls: hello.ts](../packages/tls/src/hello.ts)';
    const [chapters, moved] = index.split('## From RFC 8446');
    expect(moved).toContain('| §4.2.11 | §4.3.11 Pre-Shared Key Extension |');
    expect(chapters.split('\n').filter((line) => /^(##|\| [^s])/.test(line))).toEqual([
      '## RFC 822',
      `| as a whole | ${name} |`,
      '## RFC 5280',
      `| as a whole | ${hello} |`,
      `| §6.1.2 (a) | ${name} |`,
      `| §6.1.2 (b) | ${name}, ${path} |`,
      `| §6.1.10 | ${path} |`,
      `| §A.1 | ${path} |`,
      '## RFC 9846',
      `| §4.2.2 Client Hello | ${hello} |`,
      '## X.690',
      `| §8 | ${path} |`,
    ]);
  });

  test('leaves out tests and what is no source', () => {
    for (const path of ['src/a.test.ts', 'src/testing/a.ts', 'src/x/testing/a.ts', 'a.ts'])
      write(`packages/tls/${path}`, '// RFC 9846 §4.2.2\n');
    expect(indexOf(citingFiles(root))).not.toContain('## RFC 9846');
  });
});

describe('the check', () => {
  const index = () => write('docs/rfc-index.md', indexOf(citingFiles(root)));

  test('passes where all is well', () => {
    write('packages/tls/src/a.ts', '// RFC 9846 §4.3.11.2, §E.4, §B.3.1.1 and §9\n');
    index();
    expect(checkCitations(root)).toEqual([]);
  });

  test.each(['4.2.11', '4.4.4', '4.7.4', '4.3.8.3', 'D.4', '12', '1.5'])(
    'refuses RFC 9846 §%s',
    (section) => {
      write('packages/tls/src/a.test.ts', `\n// RFC 9846 §${section}\n`);
      write('README.md', `As RFC 9846 §${section} has it\n`);
      index();
      expect(checkCitations(root)).toEqual([
        expect.stringMatching(`^README.md:1: RFC 9846 has no §${section}(: |$)`),
        expect.stringMatching(`^packages/tls/src/a.test.ts:2: RFC 9846 has no §${section}(: |$)`),
      ]);
    },
  );

  test('knows what a number of RFC 8446 is now', () => {
    write('packages/tls/src/a.ts', '// RFC 9846 §4.4.4\n');
    index();
    expect(checkCitations(root)).toEqual([
      'packages/tls/src/a.ts:1: RFC 9846 has no §4.4.4: what RFC 8446 has there is §4.5.3 now',
    ]);
  });

  test('lets RFC 8446 have its own', () => {
    write('packages/tls/src/a.ts', '// RFC 8446 §4.2.11\n');
    index();
    expect(checkCitations(root)).toEqual([]);
  });

  test('wants the standard beside the section', () => {
    write('packages/tls/src/a.ts', '// RFC 5280 §4\nf();\n// §5\n');
    index();
    expect(checkCitations(root)).toEqual([expect.stringMatching('^packages/tls/src/a.ts:3: §5 of what?')]);
  });

  test('says when the index is missing or out of date, and how to renew it', () => {
    const stale = 'docs/rfc-index.md: is out of date: run npm run fix';
    write('packages/tls/src/a.ts', '// RFC 5280 §4\n');
    expect(checkCitations(root)).toEqual([stale]);
    index();
    write('packages/tls/src/a.ts', '// RFC 5280 §5\n');
    expect(checkCitations(root)).toEqual([stale]);
  });
});
