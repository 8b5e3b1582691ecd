import { der } from '@testudo/codec';
import { nodeCrypto } from '@testudo/crypto/node';
import { describe, expect, test } from 'vitest';
import { buildCrl, type CrlContent } from '../authority/crl-builder.ts';
import type { Certificate } from '../certificate.ts';
import { CertificateError } from '../errors.ts';
import { Extensions } from '../extensions.ts';
import type { RevocationStatus } from '../revocation-check.ts';
import { type Made, make, makeAuthority, NOW } from '../testing/make.ts';
import { CertificateRevocationList } from './crl.ts';
import { type CrlCheckerOptions, crlChecker } from './crl-checker.ts';
import { distributionPointsExtension } from './distribution-point.ts';
import { HARD_FAIL, NO_REVOCATION, type RevocationPolicy } from './policy.ts';

const provider = nodeCrypto;
const DAY = 86_400_000;
const later = (days: number): Date => new Date(+NOW + days * DAY);
const URL = 'http://crl.example.com/a.crl';

const root = makeAuthority({ subject: 'root', keyUsage: ['keyCertSign', 'cRLSign'] });
const leaf = make({ by: root });
const revokedLeaf = { serialNumber: leaf.certificate.serialNumber, revocationDate: later(-2) };

function crl(content: Partial<CrlContent> = {}, by: Made = root): CertificateRevocationList {
  return buildCrl(
    { thisUpdate: later(-1), nextUpdate: later(1), number: 5n, entries: [], ...content },
    provider,
    by,
  );
}

function status(
  lists: CrlCheckerOptions['lists'],
  options: {
    path?: readonly Certificate[];
    signers?: readonly Certificate[];
    at?: Date;
    policy?: Partial<RevocationPolicy>;
  } = {},
): RevocationStatus {
  const path = options.path ?? [leaf.certificate, root.certificate];
  const policy = { ...HARD_FAIL, ...options.policy };
  const checker = crlChecker({ provider, lists, signers: options.signers, policy });
  return checker.check({ certificate: path[0]!, issuer: path[1]!, path, index: 0, at: options.at ?? NOW });
}

test('a list tells good from revoked', () => {
  expect(status([crl()])).toEqual({ status: 'good' });
  expect(status([crl({ entries: [{ ...revokedLeaf, reason: 'keyCompromise' }] })])).toEqual({
    status: 'revoked',
    reason: 'keyCompromise',
    since: later(-2),
  });
  expect(status([])).toMatchObject({ status: 'unknown', reason: expect.stringContaining('no CRL') });
});

test('the newest list counts', () => {
  const old = crl({ entries: [revokedLeaf], thisUpdate: later(-1.5) });
  expect(status([old, crl()]).status).toBe('good');
  expect(status([crl(), old]).status).toBe('good');
});

test('policies: off asks nothing, and leaf asks about the leaf only', () => {
  const revoked = [crl({ entries: [revokedLeaf] })];
  expect(status(revoked, { policy: NO_REVOCATION }).status).toBe('good');
  const checker = crlChecker({ provider, lists: [], policy: { ...HARD_FAIL, scope: 'leaf' } });
  const path = [leaf.certificate, root.certificate, root.certificate];
  const request = { certificate: root.certificate, issuer: root.certificate, path, at: NOW };
  expect(checker.check({ ...request, index: 1 }).status).toBe('good');
  expect(checker.check({ ...request, index: 0 }).status).toBe('unknown');
  expect(checker.onUnknown).toBe('refuse');
});

test('what stands twice in a list counts as the graver of the two', () => {
  const held = { ...revokedLeaf, reason: 'certificateHold' as const };
  const lost = { ...revokedLeaf, reason: 'keyCompromise' as const };
  const removed = { ...revokedLeaf, reason: 'removeFromCRL' as const };
  for (const entries of [
    [held, lost],
    [lost, held],
    [removed, held, lost],
    [lost, removed],
  ])
    expect(status([crl({ entries })])).toMatchObject({ status: 'revoked', reason: 'keyCompromise' });
});

test('only a delta takes a certificate off', () => {
  const entries = [{ ...revokedLeaf, reason: 'removeFromCRL' as const }];
  expect(status([crl({ entries })]).status).toBe('revoked');
});

describe('an old list', () => {
  test('proves nothing good, but what it revoked stays revoked', () => {
    expect(status([crl()], { at: later(3) })).toMatchObject({ status: 'unknown' });
    const entries = [revokedLeaf];
    expect(status([crl({ entries })], { at: later(3) }).status).toBe('revoked');
    const held = [{ ...revokedLeaf, reason: 'certificateHold' as const }];
    expect(status([crl({ entries: held })], { at: later(3) }).status).toBe('unknown');
  });

  test('counts a little longer, by the clock skew', () => {
    expect(status([crl()], { at: new Date(+later(1) + 200_000) }).status).toBe('good');
    expect(status([crl()], { at: new Date(+later(1) + 400_000) }).status).toBe('unknown');
  });
});

describe('deltas', () => {
  const base = crl({ entries: [{ ...revokedLeaf, reason: 'certificateHold' }] });
  const delta = (content: Partial<CrlContent> = {}): CertificateRevocationList =>
    crl({ number: 6n, baseNumber: 5n, ...content });

  test('take certificates off the list and put others on', () => {
    const removed = delta({ entries: [{ ...revokedLeaf, reason: 'removeFromCRL' }] });
    expect(status([base]).status).toBe('revoked');
    expect(status([base, removed]).status).toBe('good');
    expect(status([crl(), delta({ entries: [revokedLeaf] })]).status).toBe('revoked');
    expect(status([base, delta()]).status).toBe('revoked');
  });

  test.each<[string, CertificateRevocationList]>([
    ['to a later list', delta({ baseNumber: 6n, number: 7n, entries: [revokedLeaf] })],
    ['that are older than the list', delta({ number: 5n, entries: [revokedLeaf] })],
    [
      'of another scope',
      delta({ issuingDistributionPoint: { onlyContains: 'user-certificates' }, entries: [revokedLeaf] }),
    ],
    ['that are over', delta({ thisUpdate: later(-3), nextUpdate: later(-2), entries: [revokedLeaf] })],
    [
      'by somebody else',
      crl({ number: 6n, baseNumber: 5n, entries: [revokedLeaf] }, makeAuthority({ subject: 'root' })),
    ],
  ])('are ignored %s', (_, other) => {
    expect(status([crl(), other]).status).toBe('good');
  });

  test('alone say nothing', () => {
    expect(status([delta({ entries: [revokedLeaf] })]).status).toBe('unknown');
  });
});

describe('indirect lists', () => {
  const issuer = make({
    ...{ subject: 'CRL issuer', by: root, keyUsage: ['cRLSign'], extendedKeyUsage: undefined },
    subjectAltName: undefined,
  });
  const others = [distributionPointsExtension([URL], issuer.certificate.subject)];
  const pointed = make({ by: root, others });
  const path = [pointed.certificate, root.certificate];
  const entry = { serialNumber: pointed.certificate.serialNumber, revocationDate: later(-2) };
  const indirect = (entries: CrlContent['entries']): CertificateRevocationList =>
    crl({ entries, issuingDistributionPoint: { urls: [URL], indirect: true } }, issuer);
  const signers = [issuer.certificate];
  const by = { certificateIssuer: root.certificate.subject };

  // What becomes of an issuer about which nothing is known is another question.
  const policy = { mode: 'soft-fail' as const };

  test('speak for the issuers that they name', () => {
    expect(status([indirect([])], { path, signers, policy })).toEqual({ status: 'good' });
    expect(status([indirect([{ ...entry, ...by }])], { path, signers, policy }).status).toBe('revoked');
  });

  test('name an issuer for all entries that follow', () => {
    const first = { serialNumber: Uint8Array.of(1), revocationDate: later(-2), ...by };
    const other = { certificateIssuer: leaf.certificate.subject };
    expect(status([indirect([first, entry])], { path, signers, policy }).status).toBe('revoked');
    expect(status([indirect([first, { ...entry, ...other }])], { path, signers, policy }).status).toBe(
      'good',
    );
    expect(status([indirect([{ ...first, ...other }, entry])], { path, signers, policy }).status).toBe(
      'good',
    );
    // Without any, the list's own issuer is meant.
    expect(status([indirect([entry])], { path, signers, policy }).status).toBe('good');
    const both = [
      { ...entry, ...other },
      { ...entry, ...by },
    ];
    expect(status([indirect(both)], { path, signers, policy }).status).toBe('revoked');
  });

  test.each<[string, () => RevocationStatus]>([
    ['of an issuer that is not known', () => status([indirect([])], { path })],
    [
      'of an issuer that nobody in the path vouches for',
      () => {
        const stranger = make({ subject: 'CRL issuer', keyUsage: ['cRLSign'] });
        const list = crl({ issuingDistributionPoint: { urls: [URL], indirect: true } }, stranger);
        return status([list], { path, signers: [stranger.certificate] });
      },
    ],
    [
      'that do not say that they are indirect',
      () => status([crl({ issuingDistributionPoint: { urls: [URL] } }, issuer)], { path, signers }),
    ],
    ['for certificates that do not name their issuer', () => status([indirect([])], { signers })],
    [
      'at another place',
      () =>
        status([crl({ issuingDistributionPoint: { urls: [`${URL}x`], indirect: true } }, issuer)], {
          path,
          signers,
        }),
    ],
    [
      'of an issuer that may not sign lists',
      () => {
        const wrong = make({ subject: 'CRL issuer', by: root, keyUsage: ['digitalSignature'] });
        const list = crl({ issuingDistributionPoint: { urls: [URL], indirect: true } }, wrong);
        return status([list], { path, signers: [wrong.certificate] });
      },
    ],
    [
      'of an issuer whose certificate is over',
      () => {
        const expired = make({ subject: 'CRL issuer', by: root, keyUsage: ['cRLSign'], notAfter: later(-1) });
        const list = crl({ issuingDistributionPoint: { urls: [URL], indirect: true } }, expired);
        return status([list], { path, signers: [expired.certificate] });
      },
    ],
  ])('say nothing %s', (_, found) => {
    expect(found().status).toBe('unknown');
  });

  test('a certificate issuer in a list that is not indirect makes it malformed', () => {
    const found = status([crl({ entries: [{ ...revokedLeaf, ...by }] })]);
    expect(found).toMatchObject({ status: 'unknown', reason: expect.stringContaining('not indirect') });
  });
});

describe('another key of the issuer', () => {
  test('counts when the issuer vouches for it', () => {
    const next = makeAuthority({ subject: 'root', by: root, keyUsage: ['cRLSign'] });
    const list = crl({}, next);
    expect(status([list]).status).toBe('unknown');
    const policy = { mode: 'soft-fail' as const };
    expect(status([list], { signers: [next.certificate], policy }).status).toBe('good');
  });

  test('does not count when somebody below vouches for it', () => {
    const middle = makeAuthority({ subject: 'middle', by: root });
    const below = makeAuthority({ subject: 'middle', by: middle });
    const forged = makeAuthority({ subject: 'root', by: below, keyUsage: ['cRLSign'] });
    const found = status([crl({}, forged)], { signers: [forged.certificate] });
    expect(found.status).toBe('unknown');
  });
});

describe('says nothing', () => {
  const withExtensions = (...extensions: Uint8Array[]): CertificateRevocationList => {
    const good = crl();
    const tbs = der.sequence(
      der.integer(1),
      good.signatureAlgorithm.der,
      root.certificate.subject.der,
      der.time(later(-1)),
      der.time(later(1)),
      der.explicit(0, der.sequence(...extensions)),
    );
    const signature = provider.sign({ name: 'ecdsa', hash: 'sha256' }, root.privateKey, tbs);
    return CertificateRevocationList.parse(
      der.sequence(tbs, good.signatureAlgorithm.der, der.bitString(signature)),
    );
  };
  const extension = (oid: string, value: Uint8Array, critical = false): Uint8Array =>
    der.sequence(der.oid(oid), critical ? der.boolean(true) : undefined, der.octetString(value));
  const number = extension('2.5.29.20', der.integer(1));

  test.each<[string, CertificateRevocationList]>([
    ['without a number', withExtensions(extension('1.2.3', der.nullValue()))],
    ['with a critical number', withExtensions(extension('2.5.29.20', der.integer(1), true))],
    [
      'with a critical extension that is not known',
      withExtensions(number, extension('1.2.3', der.nullValue(), true)),
    ],
    [
      'for attribute certificates',
      withExtensions(number, extension('2.5.29.28', Uint8Array.of(0x30, 3, 0x85, 1, 0xff), true)),
    ],
  ])('a list %s', (_, list) => {
    expect(status([list]).status).toBe('unknown');
  });

  test('a list whose scope is empty is malformed', () => {
    expect(() => withExtensions(number, extension('2.5.29.28', der.sequence(), true))).toThrow(
      CertificateError,
    );
  });

  // RFC 5280 §5.2.5: neither is about certificates that do not say what they are.
  test.each(['user-certificates', 'ca-certificates'] as const)(
    'a list of %s about version 1',
    (onlyContains) => {
      const { certificate } = leaf;
      const old: Certificate = Object.create(certificate, {
        version: { value: 1 },
        extensions: { value: new Extensions([]) },
      });
      const list = crl({ issuingDistributionPoint: { onlyContains } });
      expect(status([list], { path: [old, root.certificate] }).status).toBe('unknown');
      expect(status([crl()], { path: [old, root.certificate] }).status).toBe('good');
    },
  );

  test('and with the number it does', () => {
    expect(status([withExtensions(number)]).status).toBe('good');
    const unnumbered = withExtensions(extension('1.2.3', der.nullValue()));
    expect(status([unnumbered], { policy: { requiresCrlNumber: false } }).status).toBe('good');
  });

  test('a list with an unknown critical extension in any entry', () => {
    const entry = der.sequence(
      der.integer(1),
      der.time(NOW),
      der.sequence(extension('1.2.3', der.nullValue(), true)),
    );
    const tbs = der.sequence(
      der.integer(1),
      crl().signatureAlgorithm.der,
      root.certificate.subject.der,
      der.time(later(-1)),
      der.time(later(1)),
      der.sequence(entry),
      der.explicit(0, der.sequence(number)),
    );
    const signature = provider.sign({ name: 'ecdsa', hash: 'sha256' }, root.privateKey, tbs);
    const list = CertificateRevocationList.parse(
      der.sequence(tbs, crl().signatureAlgorithm.der, der.bitString(signature)),
    );
    expect(status([list])).toMatchObject({
      status: 'unknown',
      reason: expect.stringContaining('critical extension'),
    });
  });
});
