import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { nodeCrypto } from '@testudo/crypto/node';
import {
  CertificateError,
  type CertificateErrorCode,
  compatibleProfile,
  type KeyUsage,
  parseCertificates,
  rfc5280Profile,
  TrustStore,
  type VerificationProfile,
  verifyCertificate,
  webPkiProfile,
} from '@testudo/x509';
import { describe, expect, test } from 'vitest';
import { compatibleDeviations, strictDeviations } from './limbo-deviations.ts';

// C2SP's suite for path validation, see ../vectors/limbo/README.md. Every case runs as programs run by default, and
// those about RFC 5280 and about the web PKI run under these profiles, too. Where we differ, the list says why;
// a case that stands there by mistake fails.

interface LimboCase {
  readonly id: string;
  readonly validation_kind: 'SERVER' | 'CLIENT';
  readonly trusted_certs: readonly string[];
  readonly untrusted_intermediates: readonly string[];
  readonly peer_certificate: string;
  readonly validation_time: string | null;
  readonly key_usage: readonly KeyUsage[];
  readonly expected_peer_name: { readonly kind: 'DNS' | 'IP' | 'RFC822'; readonly value: string } | null;
  readonly max_chain_depth: number | null;
  readonly expected_result: 'SUCCESS' | 'FAILURE';
}

const file = new URL('../vectors/limbo/limbo.json.gz', import.meta.url);
const cases = (JSON.parse(gunzipSync(readFileSync(file)).toString()) as { testcases: LimboCase[] }).testcases;

/** Cases without a time are about certificates that are valid for centuries. */
const ANY_TIME = new Date('2026-01-01T00:00:00Z');

type Outcome = 'accepted' | CertificateErrorCode;

/** Anything but a verdict and a typed error is thrown. */
function outcomeOf(limbo: LimboCase, profile: VerificationProfile): Outcome {
  const name = limbo.expected_peer_name;
  try {
    verifyCertificate({
      provider: nodeCrypto,
      chain: [limbo.peer_certificate, ...limbo.untrusted_intermediates].flatMap(parseCertificates),
      trust: new TrustStore(limbo.trusted_certs.flatMap(parseCertificates)),
      at: limbo.validation_time === null ? ANY_TIME : new Date(limbo.validation_time),
      purpose: limbo.validation_kind === 'SERVER' ? 'server' : 'client',
      name:
        name && name.kind !== 'RFC822'
          ? { kind: name.kind === 'IP' ? 'ip' : 'dns', value: name.value }
          : undefined,
      leafKeyUsage: limbo.key_usage[0],
      budgets: limbo.max_chain_depth === null ? {} : { depth: limbo.max_chain_depth },
      profile,
    });
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
  expect(cases.length).toBe(289);
  const ids = new Set(cases.map(({ id }) => id));
  for (const id of [...compatibleDeviations.keys(), ...strictDeviations.keys()]) expect(ids).toContain(id);
});

describe('by default', () => {
  for (const limbo of cases) test(limbo.id, () => check(limbo, compatibleProfile, compatibleDeviations));
});

describe('under the RFC 5280 profile', () => {
  const about = cases.filter(({ id }) => id.startsWith('rfc5280::'));
  for (const limbo of about) test(limbo.id, () => check(limbo, rfc5280Profile, strictDeviations));
});

describe('under the web PKI profile', () => {
  const about = cases.filter(({ id }) => /^(webpki|online)::/.test(id));
  for (const limbo of about) test(limbo.id, () => check(limbo, webPkiProfile, strictDeviations));
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
    ['rfc5280::ca-as-leaf-wrong-san', 'bad-key-usage'],
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
    expect(outcomeOf(cases.find((limbo) => limbo.id === id)!, compatibleProfile)).toBe(code);
  });
});
