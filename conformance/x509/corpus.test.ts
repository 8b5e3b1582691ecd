import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { toHex } from '@testudo/codec';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { withPrograms } from '../support/programs.ts';
import { CHANGES } from './corpus/changes.ts';
import { DISAGREEMENTS, type Disagreement, explanationOf, isAgreement } from './corpus/disagreements.ts';
import { type Finding, survey } from './corpus/survey.ts';

// Chains made at random, good ones and ones with one thing changed: OpenSSL, GnuTLS and Node agree with us on each,
// or README.md says why not. CORPUS_SEED and CORPUS_COUNT make others; then rows of the table may go unused.

const seed = Number(process.env['CORPUS_SEED'] ?? 1);
const count = Number(process.env['CORPUS_COUNT'] ?? 36);
const isUsual = seed === 1 && count === 36;
const judges = ['openssl', 'gnutls', 'node'] as const;

const suite = withPrograms('openssl', 'certtool');

suite('a corpus of chains', () => {
  let folder: string;
  let findings: Finding[];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'corpus-'));
    findings = await survey(folder, { seed, count });
  }, 300_000);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('has two thousand chains', () => {
    if (isUsual) expect(findings.length).toBeGreaterThanOrEqual(2_000);
  });

  test.each(Object.entries(CHANGES).filter(([, { isGood }]) => isGood !== undefined))(
    'our verdict on: %s',
    (kind, { isGood }) => {
      const wrong = findings.filter((one) => one.kind === kind && (one.ours === 'accepted') !== isGood);
      expect(wrong.map(shown)).toEqual([]);
    },
  );

  test.each(judges)('%s agrees, or it is explained', (judge) => {
    const unexplained = findings.filter(
      (finding) => !isAgreement(finding, judge) && explanationOf(finding, judge) === undefined,
    );
    expect(unexplained.slice(0, 5).map(shown)).toEqual([]);
  });

  test('nothing is explained that does not occur', () => {
    if (!isUsual) return;
    const used = new Set<Disagreement | undefined>();
    for (const judge of judges)
      for (const finding of findings)
        if (!isAgreement(finding, judge)) used.add(explanationOf(finding, judge));
    expect(DISAGREEMENTS.filter((one) => !used.has(one))).toEqual([]);
  });

  test.each(judges)('%s accepts every chain that is good in all respects', (judge) => {
    const refused = findings.filter(({ kind, theirs }) => /^good/.test(kind) && !theirs[judge]);
    expect(refused.map(shown)).toEqual([]);
  });
});

/** All that is needed to look at it: the trusted certificate, then what is sent. */
function shown({ kind, seed: own, chain, ours, theirs }: Finding): unknown {
  return { kind, seed: own, ours, theirs, chain: [chain.trusted, ...chain.sent].map(toHex) };
}
