import { nodeCrypto } from '@testudo/crypto/node';
import { describe, expect, test } from 'vitest';
import { MemoryCertificateDatabase } from '../authority/database.ts';
import { ManagedAuthority } from '../authority/managed-authority.ts';
import { answerOcspRequest } from '../authority/ocsp-responder.ts';
import { createCertificateAuthority, type IssuedCertificate } from '../authority.ts';
import { CertificateError } from '../errors.ts';
import { KeyPurposeOid } from '../oids.ts';
import { compatibleProfile, type VerificationProfile } from '../profile.ts';
import type { AsyncRevocationChecker, RevocationChecker } from '../revocation-check.ts';
import { type Made, make, makeAuthority, NOW } from '../testing/make.ts';
import { TrustStore } from '../trust-store.ts';
import { verifyCertificate, verifyCertificateAsync } from '../verify.ts';
import { firstToKnow, firstToKnowAsync } from './combine.ts';
import { crlChecker } from './crl-checker.ts';
import { demandsStapling } from './must-staple.ts';
import { ocspCertificateId } from './ocsp-certificate-id.ts';
import { encodeOcspRequest } from './ocsp-request.ts';
import type { OcspCertificateStatus } from './ocsp-response.ts';
import { type OcspFinding, verifyOcspResponse } from './ocsp-verify.ts';
import { HARD_FAIL, NO_REVOCATION, type RevocationPolicy, SOFT_FAIL } from './policy.ts';
import { stapledChecker } from './stapled-checker.ts';

const provider = nodeCrypto;
const authority = createCertificateAuthority({ provider, commonName: 'CA', at: new Date(+NOW - 86_400_000) });
const managed = new ManagedAuthority(authority, new MemoryCertificateDatabase());
const issue = (mustStaple: boolean): Promise<IssuedCertificate> =>
  managed.issue({ names: ['example.com'], purpose: 'server', mustStaple, at: new Date(+NOW - 3_600_000) });
const plain = await issue(false);
const strict = await issue(true);

async function staple({ certificate }: IssuedCertificate, at: Date = NOW): Promise<Uint8Array> {
  const id = ocspCertificateId(provider, certificate.serialNumber, authority.certificate);
  return managed.ocsp(encodeOcspRequest({ certificateIds: [id] }), { at });
}

function verdict({ certificate }: IssuedCertificate, revocation: RevocationChecker): string {
  try {
    verifyCertificate({
      ...{ provider, chain: [certificate], at: NOW, purpose: 'server', revocation },
      trust: new TrustStore([authority.certificate]),
    });
    return 'accepted';
  } catch (error) {
    return error instanceof CertificateError ? error.code : String(error);
  }
}

const stapled = (response: Uint8Array | undefined, policy: RevocationPolicy): RevocationChecker =>
  stapledChecker({ provider, responses: [response], policy });

test('a certificate says whether it demands stapling', () => {
  expect(demandsStapling(strict.certificate)).toBe(true);
  expect(demandsStapling(plain.certificate)).toBe(false);
});

describe('a stapled response', () => {
  test('that is good satisfies every policy', async () => {
    for (const issued of [plain, strict]) {
      const response = await staple(issued);
      for (const policy of [SOFT_FAIL, HARD_FAIL, NO_REVOCATION])
        expect(verdict(issued, stapled(response, policy))).toBe('accepted');
    }
  });

  test('that is missing matters to hard-fail, and to a certificate that demands it', () => {
    expect(verdict(plain, stapled(undefined, SOFT_FAIL))).toBe('accepted');
    expect(verdict(plain, stapled(undefined, HARD_FAIL))).toBe('revocation-unknown');
    expect(verdict(strict, stapled(undefined, SOFT_FAIL))).toBe('revocation-unknown');
    expect(verdict(strict, stapled(undefined, NO_REVOCATION))).toBe('accepted');
    expect(verdict(strict, stapled(undefined, { ...SOFT_FAIL, enforceMustStaple: false }))).toBe('accepted');
  });

  test.each<[string, () => Promise<Uint8Array>]>([
    ['is over', () => staple(strict, new Date(+NOW - 3 * 86_400_000))],
    ['is about another certificate', () => staple(plain)],
    ['is rubbish', async () => Uint8Array.of(1, 2, 3)],
    ['is an error', async () => Uint8Array.of(0x30, 3, 0x0a, 1, 6)],
  ])('that %s is as good as none', async (_, response) => {
    expect(verdict(strict, stapled(await response(), SOFT_FAIL))).toBe('revocation-unknown');
  });

  test('that says revoked is believed under soft-fail', async () => {
    const other = await issue(false);
    await managed.revoke(other.certificate.serialNumber, { at: new Date(+NOW - 1000) });
    expect(verdict(other, stapled(await staple(other), SOFT_FAIL))).toBe('revoked');
    expect(verdict(other, stapled(await staple(other), NO_REVOCATION))).toBe('accepted');
  });

  test.each<[string, OcspCertificateStatus['status'][], string]>([
    ['good and revoked', ['good', 'revoked'], 'revoked'],
    ['revoked and good', ['revoked', 'good'], 'revoked'],
    ['good, not known and good', ['good', 'unknown', 'good'], 'revocation-unknown'],
    ['not known and revoked', ['unknown', 'revoked'], 'revoked'],
    ['good and good', ['good', 'good'], 'accepted'],
  ])('that answers twice for one certificate, %s, is taken at its worst', async (_, answers, expected) => {
    for (const hashes of [['sha1'], ['sha1', 'sha256'], ['sha384', 'sha1']] as const) {
      const remaining = answers.map(
        (status): OcspCertificateStatus =>
          status === 'revoked' ? { status, since: NOW, reason: 'keyCompromise' } : { status },
      );
      const certificateIds = answers.map((_, i) =>
        ocspCertificateId(
          ...([provider, plain.certificate.serialNumber, authority.certificate] as const),
          hashes[i % hashes.length],
        ),
      );
      const response = await answerOcspRequest(encodeOcspRequest({ certificateIds }), {
        ...{ provider, issuer: authority.certificate, signer: authority, at: NOW },
        statusOf: () => remaining.shift()!,
      });
      expect(verdict(plain, stapled(response, HARD_FAIL))).toBe(expected);
    }
  });

  test.each<[string, number, VerificationProfile, string]>([
    ['2,048 bits by default', 2048, compatibleProfile, 'accepted'],
    ['2,048 bits where more are needed', 2048, { ...compatibleProfile, minimumRsaBits: 3072 }, 'weak-key'],
    ['1,024 bits where they are enough', 1024, { ...compatibleProfile, minimumRsaBits: 1024 }, 'accepted'],
    ['1,024 bits by default', 1024, compatibleProfile, 'weak-key'],
  ])('is by a key such as the profile accepts: %s', async (_, bits, profile, expected) => {
    const by = makeAuthority({ subject: 'RSA', privateKey: provider.generateKey({ type: 'rsa', bits }) });
    const leaf = make({ by });
    const ask = async (signer: Made): Promise<OcspFinding> => {
      const { certificate } = leaf;
      const id = ocspCertificateId(provider, certificate.serialNumber, by.certificate);
      const response = await answerOcspRequest(encodeOcspRequest({ certificateIds: [id] }), {
        ...{ provider, issuer: by.certificate, signer, at: NOW, statusOf: () => ({ status: 'good' }) },
      });
      return verifyOcspResponse({
        ...{ provider, response, certificate, issuer: by.certificate, at: NOW, profile },
      });
    };
    const delegate = make({ by, extendedKeyUsage: [KeyPurposeOid.ocspSigning], subjectAltName: undefined });
    const found = [await ask(by), await ask(delegate)].map(({ status }) => status);
    expect(found).toEqual(expected === 'accepted' ? ['good', 'good'] : ['unknown', 'unknown']);
    const options = { provider, chain: [leaf.certificate], at: NOW, purpose: 'server', profile } as const;
    const id = ocspCertificateId(provider, leaf.certificate.serialNumber, by.certificate);
    const response = await answerOcspRequest(encodeOcspRequest({ certificateIds: [id] }), {
      ...{ provider, issuer: by.certificate, signer: by, at: NOW, statusOf: () => ({ status: 'good' }) },
    });
    const verify = (): unknown =>
      verifyCertificate({
        ...{ ...options, trust: new TrustStore([by.certificate]), revocation: stapled(response, HARD_FAIL) },
      });
    if (expected === 'accepted') expect(verify).not.toThrow();
    else expect(verify).toThrow(expect.objectContaining({ code: expected }));
  });

  test('to an intermediate is believed, too', async () => {
    const middle = authority.issueAuthority({ commonName: 'Middle', at: NOW });
    const { certificate } = middle.issue({ names: ['example.com'], purpose: 'server', at: NOW });
    const path = [certificate, middle.certificate, authority.certificate];
    await managed.database.add({ certificate: middle.certificate });
    const response = await staple({ certificate: middle.certificate } as IssuedCertificate);
    const checker = stapledChecker({ provider, responses: [undefined, response], policy: HARD_FAIL });
    const request = { certificate: path[1]!, issuer: path[2]!, path, index: 1, at: NOW };
    expect(checker.check(request).status).toBe('good');
  });
});

describe('several sources', () => {
  test('are asked until one knows, but stapling is not replaced where it is demanded', async () => {
    const lists = [await managed.crl({ at: NOW })];
    const crls = crlChecker({ provider, lists, policy: HARD_FAIL });
    const both = firstToKnow(stapled(undefined, HARD_FAIL), crls);
    expect(verdict(plain, both)).toBe('accepted');
    expect(verdict(strict, both)).toBe('revocation-unknown');
    const foreign = make();
    const path = [foreign.certificate, foreign.certificate];
    const request = {
      certificate: foreign.certificate,
      issuer: foreign.certificate,
      path,
      index: 0,
      at: NOW,
    };
    const status = both.check(request);
    expect(status).toMatchObject({
      status: 'unknown',
      reason: expect.stringMatching(/no OCSP response is stapled; .*CRL/),
    });
  });

  test('may wait', async () => {
    const slow: AsyncRevocationChecker = {
      onUnknown: 'accept',
      check: async () => ({ status: 'revoked' }),
    };
    const options = {
      ...{ provider, chain: [plain.certificate], at: NOW, purpose: 'server' as const },
      trust: new TrustStore([authority.certificate]),
    };
    await expect(
      verifyCertificateAsync({
        ...options,
        revocation: firstToKnowAsync(stapled(undefined, SOFT_FAIL), slow),
      }),
    ).rejects.toMatchObject({ code: 'revoked' });
    const response = await staple(plain);
    await expect(
      verifyCertificateAsync({
        ...options,
        revocation: firstToKnowAsync(stapled(response, SOFT_FAIL), slow),
      }),
    ).resolves.toBeDefined();
  });

  test('are as strict as the strictest', () => {
    expect(firstToKnow(stapled(undefined, SOFT_FAIL), stapled(undefined, HARD_FAIL)).onUnknown).toBe(
      'refuse',
    );
    expect(firstToKnow(stapled(undefined, SOFT_FAIL)).onUnknown).toBe('accept');
  });
});
