import { nodeCrypto } from '@testudo/crypto/node';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createCertificationRequest } from '../authority/certification-request.ts';
import { buildCrl } from '../authority/crl-builder.ts';
import { answerOcspRequest } from '../authority/ocsp-responder.ts';
import { createCertificateAuthority } from '../authority.ts';
import { DistinguishedName } from '../distinguished-name.ts';
import { encodeSctList, parseSctList } from '../transparency/sct.ts';
import { ocspCertificateId } from './ocsp-certificate-id.ts';
import { encodeOcspRequest, parseOcspRequest } from './ocsp-request.ts';
import { type OcspCertificateStatus, parseOcspResponse } from './ocsp-response.ts';
import { REVOCATION_REASONS, type RevocationReason } from './reasons.ts';

// What is written reads back as the same.

const provider = nodeCrypto;
const authority = createCertificateAuthority({ provider, commonName: 'CA' });
const serial = fc
  .uint8Array({ minLength: 1, maxLength: 20 })
  .map((bytes) => Uint8Array.of(0x40 | (bytes[0]! & 0x3f), ...bytes.subarray(1)));
const seconds = fc.integer({ min: 0, max: 4_000_000_000 }).map((s) => new Date(1000 * s));
const reason = fc.option(fc.constantFrom(...(Object.keys(REVOCATION_REASONS) as RevocationReason[])), {
  nil: undefined,
});
const runs = { numRuns: 40 };

test('CRLs, also indirect ones', () => {
  const names = ['a', 'b', 'c'].map((name) => DistinguishedName.ofCommonName(name));
  const entry = fc.record({
    serialNumber: serial,
    revocationDate: seconds,
    reason,
    invalidityDate: fc.option(seconds, { nil: undefined }),
    certificateIssuer: fc.option(fc.constantFrom(...names), { nil: undefined }),
  });
  fc.assert(
    fc.property(
      fc.array(entry, { maxLength: 30 }),
      fc.boolean(),
      seconds,
      (entries, indirect, thisUpdate) => {
        const content = indirect ? entries : entries.map((one) => ({ ...one, certificateIssuer: undefined }));
        const list = buildCrl(
          {
            ...{ thisUpdate, nextUpdate: thisUpdate, number: 3n, entries: content },
            issuingDistributionPoint: { indirect, urls: ['http://a.test/'] },
          },
          provider,
          authority,
        );
        expect([list.thisUpdate, list.number, list.entries.count]).toEqual([thisUpdate, 3n, entries.length]);
        let issuer = authority.certificate.subject;
        for (const [i, read] of [...list.entries].entries()) {
          const written = content[i]!;
          issuer = written.certificateIssuer ?? issuer;
          expect(read.serialNumber).toEqual(written.serialNumber);
          expect(read.revocationDate).toEqual(written.revocationDate);
          expect(read.reason).toBe(written.reason === 'unspecified' ? undefined : written.reason);
          expect(read.invalidityDate).toEqual(written.invalidityDate);
          expect(read.issuer[0]!.equals(issuer)).toBe(true);
          expect(list.find(read.serialNumber, issuer)).toBeDefined();
        }
      },
    ),
    runs,
  );
});

test('OCSP requests, and responses to them', async () => {
  const hash = fc.constantFrom('sha1', 'sha256', 'sha384', 'sha512');
  const status = fc.oneof<[fc.Arbitrary<OcspCertificateStatus>, fc.Arbitrary<OcspCertificateStatus>]>(
    fc.constantFrom<OcspCertificateStatus>({ status: 'good' }, { status: 'unknown' }),
    fc.record({ status: fc.constant('revoked' as const), since: seconds, reason }),
  );
  const question = fc.array(fc.tuple(serial, hash, status), { minLength: 1, maxLength: 8 });
  const nonce = fc.option(fc.uint8Array({ minLength: 1, maxLength: 128 }), { nil: undefined });
  await fc.assert(
    fc.asyncProperty(question, nonce, seconds, async (items, sent, at) => {
      const certificateIds = items.map(([number, name]) =>
        ocspCertificateId(provider, number, authority.certificate, name),
      );
      const request = encodeOcspRequest({ certificateIds, nonce: sent });
      const read = parseOcspRequest(request);
      expect(read.certificateIds).toEqual(certificateIds);
      expect(read.nonce).toEqual(sent);
      let asked = 0;
      const response = await answerOcspRequest(request, {
        ...{ provider, issuer: authority.certificate, signer: authority, at, validity: 60 },
        statusOf: () => items[asked++]![2],
      });
      const { basic } = parseOcspResponse(response);
      expect(basic?.nonce).toEqual(sent);
      expect(basic?.producedAt).toEqual(at);
      expect(basic?.responses.map(({ certificateId }) => certificateId)).toEqual(certificateIds);
      expect(basic?.responses.map(({ certificateStatus }) => certificateStatus)).toEqual(
        items.map(([, , one]) =>
          one.status === 'revoked' && one.reason === 'unspecified' ? { ...one, reason: undefined } : one,
        ),
      );
    }),
    runs,
  );
});

test('lists of timestamps', () => {
  const bytes = (maxLength: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ maxLength });
  const sct = fc.record({
    origin: fc.constant('ocsp' as const),
    logId: fc.uint8Array({ minLength: 32, maxLength: 32 }),
    timestamp: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    extensions: bytes(40),
    hashAlgorithm: fc.nat(255),
    signatureAlgorithm: fc.nat(255),
    signature: bytes(80),
  });
  fc.assert(
    fc.property(fc.array(sct, { minLength: 1, maxLength: 32 }), (scts) => {
      expect(parseSctList(encodeSctList(scts), 'ocsp')).toEqual(scts);
    }),
  );
});

test('certification requests', () => {
  const privateKey = authority.privateKey;
  const name = fc.constantFrom(
    'a.test',
    '*.b.test',
    '192.0.2.1',
    '2001:db8::1',
    'a@b.test',
    'https://c.test/d',
  );
  fc.assert(
    fc.property(fc.array(name, { maxLength: 6 }), fc.boolean(), (names, mustStaple) => {
      const request = createCertificationRequest({ provider, privateKey, names, mustStaple });
      expect(request.provenPublicKey(provider).spki).toEqual(privateKey.publicKey.spki);
      expect(request.extensions.subjectAltName?.length ?? 0).toBe(names.length);
      expect(request.extensions.size).toBe(Number(names.length > 0) + Number(mustStaple));
    }),
    runs,
  );
});
