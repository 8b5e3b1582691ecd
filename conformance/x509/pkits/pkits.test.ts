import { compatibleProfile, HARD_FAIL, rfc5280Profile, SOFT_FAIL } from '@testudo/x509';
import { describe, expect, test } from 'vitest';
import { allCertificates, outcomeOf, type PkitsTest, pkitsProfile, pkitsTests } from './pkits.ts';

// NIST's suite for path validation, see ../../vectors/pkits/README.md: every test by its number in the document, with the
// verdict, the reason for a refusal, and the policies that hold.

test('the suite is there', () => {
  expect(pkitsTests).toHaveLength(249);
  expect(new Set(pkitsTests.map(({ id }) => id)).size).toBe(249);
  expect(new Set(pkitsTests.map(({ id }) => id.split('.')[1])).size).toBe(16);
});

describe('each test', () => {
  test.each(pkitsTests.map((one) => [`${one.id} ${one.title}`, one] as const))('%s', (_, one) => {
    const { verdict, policies } = outcomeOf(one);
    expect(verdict).toBe(one.verdict);
    expect([...policies].sort()).toEqual([...one.policies].sort());
  });
});

test('a valid path is found among all certificates of the suite', () => {
  const others = allCertificates();
  for (const one of pkitsTests.filter(({ verdict }) => verdict === 'valid'))
    expect(outcomeOf(one, { others }).verdict, one.id).toBe('valid');
});

test('nothing but a revoked certificate is refused when unknown is good enough, and no list when none is asked', () => {
  for (const one of pkitsTests) {
    const soft = one.verdict === 'revocation-unknown' ? 'valid' : one.verdict;
    expect(outcomeOf(one, { policy: SOFT_FAIL }).verdict, one.id).toBe(soft);
    const none = soft === 'revoked' ? 'valid' : soft;
    expect(outcomeOf(one, { policy: undefined }).verdict, one.id).toBe(none);
  }
});

const isDsa = ({ title }: PkitsTest): boolean => title.includes('DSA');

test('by default all is as it should be, but for DSA, which nobody uses any more', () => {
  for (const one of pkitsTests) {
    const { verdict } = outcomeOf(one, { profile: compatibleProfile, policy: HARD_FAIL });
    if (!isDsa(one)) expect(verdict, one.id).toBe(one.verdict);
    else expect(verdict, one.id).not.toBe('valid');
  }
});

test('by all rules of RFC 5280, what differs breaks one of the three that RFC 3280 did not have', () => {
  const differing = pkitsTests.filter((one) => {
    const { verdict } = outcomeOf(one, { profile: rfc5280Profile });
    if (verdict !== one.verdict && !isDsa(one)) expect(verdict, one.id).toBe('profile-violation');
    return verdict !== one.verdict;
  });
  for (const { id } of differing) expect(id).toMatch(/^4\.(1\.[456]|4\.15|6\.|8\.|9\.|1[0-2]\.)/);
  expect(pkitsProfile.rules).toHaveLength(rfc5280Profile.rules.length - 3);
});
