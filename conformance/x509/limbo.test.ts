import {
  CertificateError,
  type CertificateErrorCode,
  compatibleProfile,
  pathTreeOf,
  type VerificationProfile,
  verifyCertificate,
} from '@testudo/x509';
import { describe, expect, test } from 'vitest';
import { cpuTime } from '../support/cpu-time.ts';
import { type LimboCase, limboCases, profileOf, verifyOptions } from './limbo.ts';
import { compatibleDeviations, ownProfileDeviations } from './limbo-deviations.ts';

// C2SP's suite for path validation, see ../vectors/limbo/README.md. Every case runs under the profile that it is about,
// and under the default one. Where we differ, the list says why; a case that stands there by mistake fails.

type Outcome = 'accepted' | CertificateErrorCode;

/** Anything but a verdict and a typed error is thrown. */
function outcomeOf(limbo: LimboCase, profile: VerificationProfile): Outcome {
  try {
    verifyCertificate(verifyOptions(limbo, profile));
    return 'accepted';
  } catch (error) {
    if (error instanceof CertificateError) return error.code;
    throw error;
  }
}

function check(
  limbo: LimboCase,
  profile: VerificationProfile,
  deviations: ReadonlyMap<string, string>,
): void {
  const isAccepted = outcomeOf(limbo, profile) === 'accepted';
  const isExpected = isAccepted === (limbo.expected_result === 'SUCCESS');
  expect(isExpected, `expected ${limbo.expected_result}`).toBe(!deviations.has(limbo.id));
}

test('the suite is there, and the deviations are about its cases', () => {
  expect(limboCases.length).toBe(289);
  const ids = new Set(limboCases.map(({ id }) => id));
  for (const id of [...compatibleDeviations.keys(), ...ownProfileDeviations.keys()])
    expect(ids).toContain(id);
});

describe('under the profile that the case is about', () => {
  for (const limbo of limboCases) test(limbo.id, () => check(limbo, profileOf(limbo), ownProfileDeviations));
});

describe('by default', () => {
  for (const limbo of limboCases) test(limbo.id, () => check(limbo, compatibleProfile, compatibleDeviations));
});

test('no valid chain is refused, whichever of the two profiles is used', () => {
  for (const limbo of limboCases.filter(({ expected_result }) => expected_result === 'SUCCESS'))
    for (const profile of [profileOf(limbo), compatibleProfile])
      expect(outcomeOf(limbo, profile), `${limbo.id} (${profile.name})`).toBe('accepted');
});

test('no case takes long, and each tree shows the leaf', () => {
  for (const limbo of limboCases) {
    const took = cpuTime(() => {
      try {
        const { tree, path } = verifyCertificate(verifyOptions(limbo, profileOf(limbo)));
        expect(tree.leaf.certificate).toBe(path[0]);
      } catch (error) {
        if (!(error instanceof CertificateError)) throw error;
        // A certificate that cannot even be parsed is refused before there is a tree.
        const tree = pathTreeOf(error);
        if (tree !== undefined) expect(tree.leaf.position).toBe('leaf');
        else expect(error.code).toBe('malformed');
        expect(error.hint).not.toBe('');
      }
    });
    expect(took, limbo.id).toBeLessThan(2_000);
  }
});

describe('for the right reason', () => {
  const reasons: [string, Outcome][] = [
    ['rfc5280::validity::expired-leaf', 'expired'],
    ['rfc5280::validity::expired-intermediate', 'expired'],
    ['rfc5280::validity::expired-root', 'expired'],
    ['rfc5280::validity::not-yet-valid-1-second', 'not-yet-valid'],
    ['rfc5280::chain-untrusted-root', 'unknown-issuer'],
    ['rfc5280::intermediate-ca-without-ca-bit', 'not-a-ca'],
    ['rfc5280::eku::ee-wrong-eku', 'bad-extended-key-usage'],
    ['rfc5280::eku::ee-eku-empty', 'malformed'],
    ['rfc5280::nc::permitted-dns-mismatch', 'name-constraint'],
    ['rfc5280::nc::excluded-ipv6-match', 'name-constraint'],
    ['rfc5280::nc::permitted-dn-mismatch', 'name-constraint'],
    ['rfc5280::nc::nc-forbids-othername', 'name-constraint'],
    ['rfc5280::nc::invalid-ipv4-address', 'malformed'],
    ['rfc5280::unknown-critical-extension-ee', 'unknown-critical-extension'],
    ['rfc5280::duplicate-extensions', 'malformed'],
    ['rfc5280::mismatching-signature-algorithm', 'malformed'],
    ['rfc5280::ca-as-leaf-wrong-san', 'name-mismatch'],
    ['pathlen::intermediate-violates-pathlen-0', 'path-too-long'],
    ['pathlen::max-chain-depth-1-exhausted', 'path-too-long'],
    ['pathological::intermediate-cycle-distinct-cas', 'unknown-issuer'],
    ['cve::cve-2025-61727', 'name-constraint'],
    ['cve::cve-2025-61727-nc-permits-variant', 'name-constraint'],
    ['webpki::san::mismatch-domain-san', 'name-mismatch'],
    ['webpki::san::wildcard-match-across-labels-san', 'name-mismatch'],
    ['webpki::san::no-san', 'name-mismatch'],
    ['webpki::forbidden-weak-rsa-key-in-root', 'weak-key'],
    ['webpki::forbidden-weak-rsa-in-leaf', 'weak-key'],
    ['webpki::forbidden-dsa-leaf', 'unsupported-algorithm'],
    ['webpki::v1-cert', 'unsupported-version'],
  ];
  test.each(reasons)('%s: %s', (id, code) => {
    expect(outcomeOf(limboCases.find((limbo) => limbo.id === id)!, compatibleProfile)).toBe(code);
  });
});
