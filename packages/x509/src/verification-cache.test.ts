import { nodeCrypto } from '@testudo/crypto/node';
import { afterEach, beforeEach, describe, expect, type MockInstance, test, vi } from 'vitest';
import { Certificate } from './certificate.ts';
import { pathTreeOf } from './path-tree.ts';
import { compatibleProfile } from './profile.ts';
import { make, makeAuthority, NOW } from './testing/make.ts';
import { TrustStore } from './trust-store.ts';
import { VerificationCache } from './verification-cache.ts';
import { type VerifyOptions, verifyCertificate } from './verify.ts';

const root = makeAuthority();
const intermediate = makeAuthority({ subject: 'ca', by: root, notAfter: new Date('2026-06-01') });
const leaf = make({ by: intermediate });
const trust = new TrustStore([root.certificate]);

let cache: VerificationCache;
let signatures: MockInstance;

beforeEach(() => {
  cache = new VerificationCache();
  signatures = vi.spyOn(nodeCrypto, 'verify');
});
afterEach(() => signatures.mockRestore());

/** Verifies fresh copies of the bytes; gives how many signatures it took. */
function cost(options: Partial<VerifyOptions> = {}): number {
  const before = signatures.mock.calls.length;
  const copies = [leaf, intermediate].map(({ certificate }) => Certificate.parse(certificate.der.slice()));
  const { path } = verifyCertificate({
    provider: nodeCrypto,
    chain: copies,
    trust,
    at: NOW,
    purpose: 'server',
    cache,
    ...options,
  });
  expect(path.map(({ subject }) => subject.commonName)).toEqual(['leaf', 'ca', 'root']);
  return signatures.mock.calls.length - before;
}

test('a chain that was verified is not verified again, whoever parsed it', () => {
  expect([cost(), cost(), cost()]).toEqual([2, 0, 0]);
  expect(cache.size).toBe(1);
});

test('the remembered path has a tree and policies, too', () => {
  cost();
  const verified = verifyCertificate({
    provider: nodeCrypto,
    chain: [leaf.certificate, intermediate.certificate],
    trust,
    at: NOW,
    purpose: 'server',
    cache,
  });
  expect(verified.tree.leaf.issuers[0]!.issuers[0]!.certificate.equals(root.certificate)).toBe(true);
  expect(verified.policies).toEqual([]);
});

describe('is verified again', () => {
  test.each<[string, Partial<VerifyOptions>]>([
    ['with another trust store', { trust: new TrustStore([root.certificate]) }],
    ['under another profile', { profile: { ...compatibleProfile } }],
    ['with another key usage', { leafKeyUsage: 'any' }],
    ['with other policies', { policies: { inhibitAny: true } }],
    ['with another depth', { budgets: { depth: 3 } }],
    ['with another bag', { chain: [leaf.certificate, intermediate.certificate, root.certificate] }],
    ['when common names count', { dangerouslyAllowCommonName: true }],
  ])('%s', (_, options) => {
    cost();
    expect(cost(options)).toBe(2);
    expect(cost(options)).toBe(0);
  });
});

test('a verdict ends with the first certificate of its path', () => {
  cost();
  expect(cost({ at: new Date('2026-06-01T00:00:00.999Z') })).toBe(0);
  expect(() => cost({ at: new Date('2026-06-01T00:00:01Z') })).toThrow(
    expect.objectContaining({ code: 'expired' }),
  );
  expect(() => cost({ at: new Date('2024-01-01') })).toThrow(
    expect.objectContaining({ code: 'not-yet-valid' }),
  );
});

test('another purpose, and another name, are refused as ever', () => {
  cost({ name: { kind: 'dns', value: 'example.com' } });
  expect(() => cost({ purpose: 'client' })).toThrow(
    expect.objectContaining({ code: 'bad-extended-key-usage' }),
  );
  try {
    expect(cost({ name: { kind: 'dns', value: 'example.org' } })).toBe('refused');
  } catch (error) {
    expect(error).toMatchObject({ code: 'name-mismatch' });
    expect(pathTreeOf(error)).toBeDefined();
  }
});

test('revocation is looked at each time', () => {
  let status: 'good' | 'revoked' = 'good';
  const revocation = { onUnknown: 'accept', check: () => ({ status }) } as const;
  expect([cost({ revocation }), cost({ revocation })]).toEqual([2, 0]);
  status = 'revoked';
  expect(() => cost({ revocation })).toThrow(expect.objectContaining({ code: 'revoked' }));
});

test('what is refused is not remembered', () => {
  const strange = make({ by: makeAuthority({ subject: 'x' }) });
  const verify = (): unknown =>
    verifyCertificate({
      provider: nodeCrypto,
      chain: [strange.certificate],
      trust,
      at: NOW,
      purpose: 'server',
      cache,
    });
  expect(verify).toThrow(expect.objectContaining({ code: 'unknown-issuer' }));
  expect(cache.size).toBe(0);
});

test('a certificate with one other bit is another certificate', () => {
  cost();
  const bytes = leaf.certificate.der.slice();
  const at = leaf.certificate.tbs.byteOffset - leaf.certificate.der.byteOffset + 20;
  bytes[at]! ^= 1;
  expect(cache.parse(bytes).equals(leaf.certificate)).toBe(false);
  expect(() => cost({ chain: [Certificate.parse(bytes), intermediate.certificate] })).toThrow(
    expect.objectContaining({ code: 'bad-signature' }),
  );
});

test('parsing gives the certificate that was verified, and does not hold on to the buffer it came in', () => {
  const buffer = new Uint8Array(100_000);
  buffer.set(leaf.certificate.der, 50);
  const der = buffer.subarray(50, 50 + leaf.certificate.der.length);
  expect(cache.parse(der)).not.toBe(cache.parse(der));
  cost({ chain: [cache.parse(der), intermediate.certificate] });
  const known = cache.parse(der);
  expect(cache.parse(der.slice())).toBe(known);
  expect(known.der.buffer.byteLength).toBeLessThan(10_000);
  // What comes into the buffer later does not change what is remembered.
  buffer.fill(0);
  expect(known.equals(leaf.certificate)).toBe(true);
});

test('the least recently used is dropped', () => {
  cache = new VerificationCache({ maximum: 2 });
  const leaves = [make({ by: root }), make({ by: root }), make({ by: root })];
  const verify = (i: number): void =>
    void verifyCertificate({
      provider: nodeCrypto,
      chain: [leaves[i]!.certificate],
      trust,
      at: NOW,
      purpose: 'server',
      cache,
    });
  for (const i of [0, 1, 0, 2]) verify(i);
  expect(cache.size).toBe(2);
  const before = signatures.mock.calls.length;
  verify(0);
  expect(signatures.mock.calls.length).toBe(before);
  verify(1);
  expect(signatures.mock.calls.length).toBe(before + 1);
  cache.clear();
  expect(cache.size).toBe(0);
});
