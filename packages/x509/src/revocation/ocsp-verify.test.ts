import { der } from '@testudo/codec';
import { nodeCrypto } from '@testudo/crypto/node';
import { describe, expect, test } from 'vitest';
import { signedSequence } from '../authority/sign.ts';
import { KeyPurposeOid } from '../oids.ts';
import { type Made, type MakeOptions, make, makeAuthority, NOW } from '../testing/make.ts';
import { encodeCertificateId, type OcspCertificateId, ocspCertificateId } from './ocsp-certificate-id.ts';
import { type OcspFinding, type OcspVerification, verifyOcspResponse } from './ocsp-verify.ts';
import { OcspOid } from './oids.ts';

const provider = nodeCrypto;
const root = makeAuthority({ subject: 'root' });
const other = makeAuthority({ subject: 'other' });
const leaf = make({ by: root });

type Status = 'good' | 'revoked' | 'unknown';

interface Answer {
  readonly id: OcspCertificateId;
  readonly status: Status;
  /** Hours from now. Default: an hour ago, and in an hour. */
  readonly from?: number;
  readonly until?: number;
  /** Extensions, DER. */
  readonly extensions?: readonly Uint8Array[];
}

const hours = (count: number): Date => new Date(+NOW + 3_600_000 * count);

const STATUSES: Readonly<Record<Status, Uint8Array>> = {
  good: der.implicit(0, der.nullValue()),
  revoked: der.implicit(1, der.sequence(der.generalizedTime(hours(-2)))),
  unknown: der.implicit(2, der.nullValue()),
};

function encodeAnswer({ id, status, from = -1, until = 1, extensions }: Answer): Uint8Array {
  return der.sequence(
    encodeCertificateId(id),
    STATUSES[status],
    der.generalizedTime(hours(from)),
    der.explicit(0, der.generalizedTime(hours(until))),
    extensions && der.explicit(1, der.sequence(...extensions)),
  );
}

/** A response with these answers, by the issuer or by who is given. */
function finding(
  answers: readonly Answer[],
  by: Made = root,
  options: Partial<OcspVerification> = {},
): OcspFinding {
  const basic = signedSequence(
    provider,
    by.privateKey,
    () =>
      der.sequence(
        der.explicit(1, by.certificate.subject.der),
        der.generalizedTime(NOW),
        der.sequence(...answers.map(encodeAnswer)),
      ),
    by === root ? undefined : der.explicit(0, der.sequence(by.certificate.der)),
  );
  const response = der.sequence(
    der.enumerated(0),
    der.explicit(0, der.sequence(der.oid(OcspOid.basicResponse), der.octetString(basic))),
  );
  const { certificate } = leaf;
  return verifyOcspResponse({
    provider,
    response,
    certificate,
    issuer: root.certificate,
    at: NOW,
    ...options,
  });
}

const { serialNumber } = leaf.certificate;
const own = ocspCertificateId(provider, serialNumber, root.certificate);
const ownBySha256 = ocspCertificateId(provider, serialNumber, root.certificate, 'sha256');
const elsewhere = ocspCertificateId(provider, serialNumber, other.certificate);
const unclear: OcspCertificateId = { ...own, hash: { oid: '2.16.840.1.101.3.4.2.8', name: undefined } };

describe('several answers in one response', () => {
  test.each<[string, Answer[], Status]>([
    [
      'of one hash',
      [
        { id: own, status: 'good' },
        { id: own, status: 'revoked' },
      ],
      'revoked',
    ],
    [
      'of two hashes',
      [
        { id: own, status: 'good' },
        { id: ownBySha256, status: 'revoked' },
      ],
      'revoked',
    ],
    [
      'of which one is not known',
      [
        { id: own, status: 'good' },
        { id: own, status: 'unknown' },
      ],
      'unknown',
    ],
    [
      'by a hash that we do not know',
      [
        { id: own, status: 'good' },
        { id: unclear, status: 'revoked' },
      ],
      'revoked',
    ],
    [
      'of which the other is unclear',
      [
        { id: own, status: 'good' },
        { id: unclear, status: 'unknown' },
      ],
      'good',
    ],
    [
      'of which the other is of another CA',
      [
        { id: own, status: 'good' },
        { id: elsewhere, status: 'revoked' },
      ],
      'good',
    ],
    [
      'of which the worse is over: it is not taken back, and says nothing new',
      [
        { id: own, status: 'good' },
        { id: own, status: 'revoked', from: -3, until: -2 },
      ],
      'unknown',
    ],
    [
      'of which an older one is over',
      [
        { id: own, status: 'good', from: -3, until: -2 },
        { id: own, status: 'good' },
      ],
      'good',
    ],
  ])('%s: the worst counts, in any order', (_, answers, expected) => {
    expect(finding(answers).status).toBe(expected);
    expect(finding(answers.toReversed()).status).toBe(expected);
  });
});

describe('critical extensions of an answer', () => {
  const extension = (oid: string): Uint8Array =>
    der.sequence(der.oid(oid), der.boolean(true), der.octetString(der.octetString()));

  test.each<[string, string, Status]>([
    ['timestamps of logs (RFC 6962) are known', '1.3.6.1.4.1.11129.2.4.5', 'good'],
    ['others are not', '1.2.3.4', 'unknown'],
  ])('%s', (_, oid, expected) => {
    expect(finding([{ id: own, status: 'good', extensions: [extension(oid)] }]).status).toBe(expected);
  });
});

describe('a delegated responder', () => {
  const responder = (options: MakeOptions): Made =>
    make({
      ...{ subject: 'responder', by: root, subjectAltName: undefined },
      extendedKeyUsage: [KeyPurposeOid.ocspSigning],
      ...options,
    });
  const noCheck = (critical: boolean, value = der.nullValue()): MakeOptions => ({
    others: [{ oid: '1.3.6.1.5.5.7.48.1.5', critical, value }],
  });
  const answers: Answer[] = [{ id: own, status: 'good' }];

  test.each<[string, MakeOptions, Status]>([
    ['need not be checked', noCheck(false), 'good'],
    ['need not be checked, which is critical', noCheck(true), 'good'],
    ['says so in a way that cannot be read', noCheck(true, der.integer(1)), 'unknown'],
    [
      'has another critical extension',
      { others: [{ oid: '1.2.3.4', critical: true, value: der.nullValue() }] },
      'unknown',
    ],
    ['is for any purpose', { extendedKeyUsage: [KeyPurposeOid.any] }, 'unknown'],
    ['is by another CA', { by: other }, 'unknown'],
  ])('that %s', (_, options, expected) => {
    expect(finding(answers, responder(options)).status).toBe(expected);
  });
});
