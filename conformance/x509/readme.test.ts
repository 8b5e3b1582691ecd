import { readFileSync } from 'node:fs';
import {
  CertificateError,
  compatibleProfile,
  type VerificationProfile,
  verifyCertificate,
} from '@testudo/x509';
import { expect, test } from 'vitest';
import { CHANGES } from './corpus/changes.ts';
import { DISAGREEMENTS, disagreementRow } from './corpus/disagreements.ts';
import { type LimboCase, limboCases, profileOf, verifyOptions } from './limbo.ts';
import { ownProfileDeviations } from './limbo-deviations.ts';
import { outcomeOf, type PkitsTest, pkitsTests } from './pkits/pkits.ts';

// The page says what is so: its tables are those that the tests and the code come to.

const page = readFileSync(new URL('README.md', import.meta.url), 'utf8');

function row(title: string, cases: readonly LimboCase[], profile: (limbo: LimboCase) => VerificationProfile) {
  let falseAccepts = 0;
  let falseRejects = 0;
  for (const limbo of cases) {
    const accepted = isAccepted(limbo, profile(limbo));
    if (accepted && limbo.expected_result === 'FAILURE') falseAccepts++;
    if (!accepted && limbo.expected_result === 'SUCCESS') falseRejects++;
  }
  const right = cases.length - falseAccepts - falseRejects;
  return `| ${title} | ${cases.length} | ${right} | ${falseAccepts} | ${falseRejects} |`;
}

function isAccepted(limbo: LimboCase, profile: VerificationProfile): boolean {
  try {
    verifyCertificate(verifyOptions(limbo, profile));
    return true;
  } catch (error) {
    if (error instanceof CertificateError) return false;
    throw error;
  }
}

const groupOf = ({ id }: LimboCase): string => id.slice(0, id.indexOf('::'));
const proper = limboCases.filter((limbo) => groupOf(limbo) !== 'bettertls');

test.each([...new Set(proper.map(groupOf))])('the numbers of %s', (group) => {
  const cases = proper.filter((limbo) => groupOf(limbo) === group);
  expect(page).toContain(row(group, cases, profileOf));
});

test('the numbers of all', () => {
  expect(page).toContain(row('all but BetterTLS', proper, profileOf));
  expect(page).toContain(row('all but BetterTLS, by default', proper, () => compatibleProfile));
  const betterTls = limboCases.filter((limbo) => groupOf(limbo) === 'bettertls');
  expect(page).toContain(row('BetterTLS', betterTls, profileOf));
});

test('the numbers of PKITS', () => {
  const rows = page.split('\n').filter((line) => /^\| (4\.\d+ |all \| 249)/.test(line));
  const titles = readFileSync(new URL('pkits/tests.txt', import.meta.url), 'utf8').match(/^# 4.*$/gm)!;
  const expected = titles.map((heading) => {
    const title = heading.slice(2);
    const tests = pkitsTests.filter(({ id }) => id.startsWith(`${title.split(' ')[0]}.`));
    return pkitsRow(title, tests);
  });
  expect(rows).toEqual([...expected, pkitsRow('all', pkitsTests)]);
});

function pkitsRow(title: string, tests: readonly PkitsTest[]): string {
  const right = tests.filter((one) => outcomeOf(one).verdict === one.verdict);
  return `| ${title} | ${tests.length} | ${right.length} |`;
}

test('every case in which we differ, with the reason', () => {
  for (const [id, reason] of ownProfileDeviations) {
    expect(page).toContain(`\`${id}\``);
    expect(page).toContain(reason);
  }
});

test('every reason for a disagreement, and no other', () => {
  const rows = page.split('\n').filter((line) => /^\| (OpenSSL|GnuTLS|Node) \|/.test(line));
  expect(rows).toEqual(DISAGREEMENTS.map(disagreementRow));
});

test('the number of chains in the corpus', () => {
  const weights = Object.values(CHANGES).map(({ weight = 1 }) => weight);
  const chains = 36 * weights.reduce((sum, weight) => sum + weight, 0);
  expect(page).toContain(`makes ${chains.toLocaleString('en-US')} chains`);
});
