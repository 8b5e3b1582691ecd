import { der } from '@testudo/codec';
import { nodeCrypto } from '@testudo/crypto/node';
import { describe, expect, test } from 'vitest';
import type { Certificate } from './certificate.ts';
import { encodeGeneralName } from './general-name.ts';
import { type IssuerFetchOptions, issuerUrls, parseIssuers } from './issuer-fetch.ts';
import { AccessMethodOid, ExtensionOid } from './oids.ts';
import { certificateToPem } from './pem.ts';
import { extension, type Made, make, makeAuthority, NOW } from './testing/make.ts';
import { TrustStore } from './trust-store.ts';
import { type VerifiedChain, verifyCertificateAsync } from './verify.ts';

const access = (...urls: string[]): { others: ReturnType<typeof extension>[] } => ({
  others: [
    extension(
      ExtensionOid.authorityInformationAccess,
      false,
      der.sequence(
        ...urls.map((value) =>
          der.sequence(der.oid(AccessMethodOid.caIssuers), encodeGeneralName({ kind: 'uri', value })),
        ),
      ),
    ),
  ],
});

const root = makeAuthority();
const upper = makeAuthority({ subject: 'upper', by: root });
const lower = makeAuthority({ subject: 'lower', by: upper, ...access('http://ca.test/upper') });
const leaf = make({ by: lower, ...access('http://ca.test/lower') });

/** A web of these; what is not there fails. */
function web(pages: Record<string, Uint8Array>, limits: Partial<IssuerFetchOptions> = {}) {
  const asked: string[] = [];
  const fetch = async (url: string): Promise<Uint8Array> => {
    asked.push(url);
    const page = pages[url];
    if (page === undefined) throw new Error('not found');
    return page;
  };
  return { asked, issuers: { ...limits, fetch } };
}

const verify = (chain: readonly Made[], issuers: IssuerFetchOptions | undefined): Promise<VerifiedChain> =>
  verifyCertificateAsync({
    provider: nodeCrypto,
    chain: chain.map(({ certificate }) => certificate),
    trust: new TrustStore([root.certificate]),
    at: NOW,
    purpose: 'server',
    issuers,
  });

const whole = {
  'http://ca.test/lower': lower.certificate.der,
  'http://ca.test/upper': upper.certificate.der,
};

describe('issuers that the peer did not send', () => {
  test('are fetched, one after the other', async () => {
    const { asked, issuers } = web(whole);
    const { path, tree } = await verify([leaf], issuers);
    expect(path.map(({ subject }) => subject.commonName)).toEqual(['leaf', 'lower', 'upper', 'root']);
    expect(asked).toEqual(['http://ca.test/lower', 'http://ca.test/upper']);
    expect(tree.leaf.issuers[0]!.source).toBe('fetched');
  });

  test('are not fetched when nothing is missing', async () => {
    const { asked, issuers } = web(whole);
    await verify([leaf, lower, upper], issuers);
    expect(asked).toEqual([]);
  });

  test('are not fetched unless a fetcher is given', async () => {
    await expect(verify([leaf], undefined)).rejects.toMatchObject({ code: 'unknown-issuer' });
  });

  test('are fetched where the one that was sent has expired', async () => {
    const old = makeAuthority({
      subject: 'lower',
      by: upper,
      privateKey: lower.privateKey,
      notAfter: new Date('2025-06-01'),
    });
    const { path } = await verify([leaf, old], web(whole).issuers);
    expect(path[1]!.equals(lower.certificate)).toBe(true);
  });

  test('may come as a bundle, and as PEM', async () => {
    const bundled = { 'http://ca.test/lower': bundle(makeAuthority().certificate, lower.certificate) };
    const pem = { 'http://ca.test/upper': new TextEncoder().encode(certificateToPem(upper.certificate)) };
    expect((await verify([leaf], web({ ...bundled, ...pem }).issuers)).path).toHaveLength(4);
  });
});

describe('no path is found', () => {
  test.each<[string, Record<string, Uint8Array>, Partial<IssuerFetchOptions>, number]>([
    ['when nothing is there', {}, {}, 1],
    ['when it is no certificate', { 'http://ca.test/lower': new Uint8Array(10) }, {}, 1],
    ['when it is someone else\u2019s', { 'http://ca.test/lower': root.certificate.der }, {}, 1],
    ['when it is longer than allowed', whole, { maximumBytes: 100 }, 1],
    ['when one fetch is not enough', whole, { maximumFetches: 1 }, 1],
    ['when none is allowed', whole, { maximumFetches: 0 }, 0],
  ])('%s', async (_, pages, limits, fetches) => {
    const { asked, issuers } = web(pages, limits);
    await expect(verify([leaf], issuers)).rejects.toMatchObject({ code: 'unknown-issuer' });
    expect(asked).toHaveLength(fetches);
  });

  test('and a ring of CAs that send one on to the next ends', async () => {
    const a = makeAuthority({ subject: 'a' });
    const b = makeAuthority({ subject: 'b' });
    const aByB = makeAuthority({
      subject: 'a',
      by: b,
      privateKey: a.privateKey,
      ...access('http://ca.test/b'),
    });
    const bByA = makeAuthority({
      subject: 'b',
      by: a,
      privateKey: b.privateKey,
      ...access('http://ca.test/a'),
    });
    const end = make({ by: a, ...access('http://ca.test/a') });
    const { asked, issuers } = web({
      'http://ca.test/a': aByB.certificate.der,
      'http://ca.test/b': bByA.certificate.der,
    });
    await expect(verify([end], issuers)).rejects.toMatchObject({ code: 'unknown-issuer' });
    expect(asked).toEqual(['http://ca.test/a', 'http://ca.test/b']);
  });
});

test('only plain http is asked', () => {
  const { certificate } = make(
    access('https://ca.test/x', 'ldap://ca.test/x', 'file:///etc/passwd', 'HTTP://ca.test/y'),
  );
  expect(issuerUrls(certificate)).toEqual(['HTTP://ca.test/y']);
});

test('a malformed extension leads nowhere', () => {
  const others = [extension(ExtensionOid.authorityInformationAccess, false, der.nullValue())];
  expect(issuerUrls(make({ others }).certificate)).toEqual([]);
});

test('what is neither a certificate nor a bundle is refused', () => {
  expect(() => parseIssuers(der.sequence(der.nullValue()))).toThrow(
    expect.objectContaining({ code: 'malformed' }),
  );
  expect(parseIssuers(bundle())).toEqual([]);
});

test('a revocation status may take its time', async () => {
  const check = async (): Promise<{ status: 'revoked' }> => ({ status: 'revoked' });
  const verdict = verifyCertificateAsync({
    provider: nodeCrypto,
    chain: [leaf, lower, upper].map(({ certificate }) => certificate),
    trust: new TrustStore([root.certificate]),
    at: NOW,
    purpose: 'server',
    revocation: { onUnknown: 'refuse', check },
  });
  await expect(verdict).rejects.toMatchObject({ code: 'revoked', certificate: leaf.certificate });
});

/** A degenerate SignedData (RFC 5652 §5.1). */
function bundle(...certificates: readonly Certificate[]): Uint8Array {
  const signedData = der.sequence(
    der.integer(1),
    der.setOf(),
    der.sequence(der.oid('1.2.840.113549.1.7.1')),
    certificates.length === 0
      ? undefined
      : der.implicit(0, der.sequence(...certificates.map((certificate) => certificate.der))),
    der.setOf(),
  );
  return der.sequence(der.oid('1.2.840.113549.1.7.2'), der.explicit(0, signedData));
}
