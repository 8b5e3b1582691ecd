import { concat, der, fromHex } from '@testudo/codec';
import { nodeCrypto } from '@testudo/crypto/node';
import { describe, expect, test } from 'vitest';
import { DistinguishedName } from './distinguished-name.ts';
import { CertificateError, type CertificateErrorCode } from './errors.ts';
import type { Extension } from './extensions.ts';
import type { GeneralName } from './general-name.ts';
import { parseIpAddress } from './ip-address.ts';
import { ExtensionOid } from './oids.ts';
import { extension, make, makeAuthority, NOW, nameConstraints } from './testing/make.ts';
import { TrustStore } from './trust-store.ts';
import { verifyCertificate } from './verify.ts';

type Outcome = CertificateErrorCode | 'accepted';

/** What becomes of a leaf with these names under a CA with these constraints. */
function outcome(
  constraints: Extension,
  names: readonly GeneralName[] | undefined,
  subject?: DistinguishedName,
  comparisons?: number,
): Outcome {
  const root = makeAuthority({ others: [constraints] });
  const leaf = make({ by: root, subjectAltName: names, subject: subject ?? DistinguishedName.empty });
  try {
    verifyCertificate({
      provider: nodeCrypto,
      chain: [leaf.certificate],
      trust: new TrustStore([root.certificate]),
      at: NOW,
      purpose: 'server',
      budgets: comparisons === undefined ? {} : { nameConstraintComparisons: comparisons },
    });
    return 'accepted';
  } catch (error) {
    if (error instanceof CertificateError) return error.code;
    throw error;
  }
}

const REFUSED = 'name-constraint';
const dns = (value: string): GeneralName => ({ kind: 'dns', value });
const email = (value: string): GeneralName => ({ kind: 'email', value });
const uri = (value: string): GeneralName => ({ kind: 'uri', value });
const ip = (hex: string): GeneralName => ({ kind: 'ip', bytes: fromHex(hex) });
const address = (text: string): GeneralName => ({ kind: 'ip', bytes: parseIpAddress(text)! });

describe('of domains', () => {
  test.each<[string, string, Outcome, Outcome]>([
    // base, name, when the base is permitted, when it is excluded
    ['example.com', 'example.com', 'accepted', REFUSED],
    ['example.com', 'EXAMPLE.com', 'accepted', REFUSED],
    ['example.com', 'www.example.com', 'accepted', REFUSED],
    ['example.com', 'a.b.example.com', 'accepted', REFUSED],
    ['example.com', 'notexample.com', REFUSED, 'accepted'],
    ['example.com', 'example.org', REFUSED, 'accepted'],
    ['.example.com', 'www.example.com', 'accepted', REFUSED],
    ['.example.com', 'example.com', REFUSED, 'accepted'],
    ['', 'example.com', 'accepted', REFUSED],
    ['example.com', '*.example.com', 'accepted', REFUSED],
    ['.example.com', '*.example.com', 'accepted', REFUSED],
    // A wildcard may stand for the name that is constrained: neither permitted, nor free.
    ['www.example.com', '*.example.com', REFUSED, REFUSED],
    ['a.b.example.com', '*.example.com', REFUSED, 'accepted'],
    // What is no domain is never permitted and always excluded.
    ['example.com', 'example.com.', REFUSED, REFUSED],
    // A dot alone is no domain, and not the domain of all.
    ['.', 'example.com', REFUSED, REFUSED],
    ['example.com', 'a..example.com', REFUSED, REFUSED],
    ['example.com', 'w*.example.com', REFUSED, REFUSED],
    ['*.example.com', 'www.example.com', REFUSED, REFUSED],
  ])('"%s" and the name "%s"', (base, name, permitted, excluded) => {
    expect(outcome(nameConstraints([dns(base)]), [dns(name)])).toBe(permitted);
    expect(outcome(nameConstraints([], [dns(base)]), [dns(name)])).toBe(excluded);
  });
});

describe('of addresses', () => {
  test.each<[string, string, Outcome, Outcome]>([
    ['c0000200ffffff00', '192.0.2.77', 'accepted', REFUSED],
    ['c0000200ffffff00', '192.0.3.77', REFUSED, 'accepted'],
    ['0000000000000000', '192.0.3.77', 'accepted', REFUSED],
    ['c0000201ffffffff', '192.0.2.1', 'accepted', REFUSED],
    ['c0000200fffffe00', '192.0.3.1', 'accepted', REFUSED],
    ['c0000200ffffff00', '::ffff:192.0.2.77', REFUSED, 'accepted'],
    [`20010db8${'00'.repeat(12)}ffffffff${'00'.repeat(12)}`, '2001:db8::1', 'accepted', REFUSED],
    [`20010db8${'00'.repeat(12)}ffffffff${'00'.repeat(12)}`, '2001:db9::1', REFUSED, 'accepted'],
    ['c0000200ff00ff00', '192.0.2.1', 'malformed', 'malformed'],
    ['c0000200ffffff05', '192.0.2.1', 'malformed', 'malformed'],
    ['c0000200ffffff', '192.0.2.1', 'malformed', 'malformed'],
    ['c0000200', '192.0.2.0', 'malformed', 'malformed'],
  ])('%s and %s', (base, name, permitted, excluded) => {
    expect(outcome(nameConstraints([ip(base)]), [address(name)])).toBe(permitted);
    expect(outcome(nameConstraints([], [ip(base)]), [address(name)])).toBe(excluded);
  });
});

describe('of mail addresses', () => {
  test.each<[string, string, Outcome, Outcome]>([
    ['example.com', 'a@example.com', 'accepted', REFUSED],
    ['example.com', 'a@EXAMPLE.com', 'accepted', REFUSED],
    ['example.com', 'a@www.example.com', REFUSED, 'accepted'],
    ['.example.com', 'a@www.example.com', 'accepted', REFUSED],
    ['.example.com', 'a@example.com', REFUSED, 'accepted'],
    ['a@example.com', 'a@example.com', 'accepted', REFUSED],
    ['a@example.com', 'A@example.com', REFUSED, 'accepted'],
    ['a@example.com', 'b@example.com', REFUSED, 'accepted'],
    ['example.com', 'a@b@example.com', REFUSED, REFUSED],
    ['example.com', 'example.com', REFUSED, REFUSED],
    ['example.com', '@example.com', REFUSED, REFUSED],
  ])('"%s" and "%s"', (base, name, permitted, excluded) => {
    expect(outcome(nameConstraints([email(base)]), [email(name)])).toBe(permitted);
    expect(outcome(nameConstraints([], [email(base)]), [email(name)])).toBe(excluded);
  });

  test('hold for the subject where there are no alternative names', () => {
    const subject = new DistinguishedName(
      der.sequence(der.setOf(der.sequence(der.oid('1.2.840.113549.1.9.1'), der.ia5String('a@example.com')))),
    );
    expect(outcome(nameConstraints([email('example.org')]), undefined, subject)).toBe(REFUSED);
    expect(outcome(nameConstraints([email('example.com')]), undefined, subject)).toBe('accepted');
    expect(outcome(nameConstraints([email('example.org')]), [dns('a.test')], subject)).toBe('accepted');
  });
});

test.each<[string, string, Outcome, Outcome]>([
  ['example.com', 'https://example.com/a', 'accepted', REFUSED],
  ['example.com', 'https://u:p@example.com:8443', 'accepted', REFUSED],
  ['example.com', 'https://www.example.com', REFUSED, 'accepted'],
  ['.example.com', 'https://www.example.com?', 'accepted', REFUSED],
  ['example.com', 'urn:example.com', REFUSED, REFUSED],
  ['example.com', 'https://[::1]/', REFUSED, REFUSED],
  ['example.com', 'https://192.0.2.1/', REFUSED, REFUSED],
  // No authority component: RFC 5280 §4.2.1.10 has such names refused.
  ['example.com', 'sip:user@example.com', REFUSED, REFUSED],
  ['example.com', 'https://evil.test\\@example.com', REFUSED, REFUSED],
  ['example.com', 'https://evil.test#@example.com', REFUSED, 'accepted'],
])('of URIs: "%s" and "%s"', (base, name, permitted, excluded) => {
  expect(outcome(nameConstraints([uri(base)]), [uri(name)])).toBe(permitted);
  expect(outcome(nameConstraints([], [uri(base)]), [uri(name)])).toBe(excluded);
});

test('of directory names hold for the subject and for alternative names', () => {
  const inside = DistinguishedName.ofCommonName('inside');
  const other = DistinguishedName.ofCommonName('other');
  const base: GeneralName = { kind: 'directory', name: inside };
  expect(outcome(nameConstraints([base]), [dns('a.test')], inside)).toBe('accepted');
  expect(outcome(nameConstraints([base]), [dns('a.test')], other)).toBe(REFUSED);
  expect(outcome(nameConstraints([], [base]), [dns('a.test')], inside)).toBe(REFUSED);
  expect(outcome(nameConstraints([base]), [{ kind: 'directory', name: other }], inside)).toBe(REFUSED);
  expect(outcome(nameConstraints([base]), [dns('a.test')])).toBe('accepted');
});

test('of kinds that cannot be compared forbid that kind, and no other', () => {
  const other: GeneralName = { kind: 'other', tag: 0x88, bytes: Uint8Array.of(0x2a, 3) };
  const differently: GeneralName = { kind: 'other', tag: 0xa0, bytes: der.oid('1.2') };
  expect(outcome(nameConstraints([other]), [other])).toBe(REFUSED);
  expect(outcome(nameConstraints([], [other]), [other])).toBe(REFUSED);
  expect(outcome(nameConstraints([], [other]), [differently])).toBe('accepted');
  expect(outcome(nameConstraints([other]), [dns('a.test')])).toBe('accepted');
});

test('a kind without permitted subtrees is free, and excluded wins over permitted', () => {
  expect(outcome(nameConstraints([dns('example.com')]), [address('192.0.2.1')])).toBe('accepted');
  const both = nameConstraints([dns('example.com')], [dns('secret.example.com')]);
  expect(outcome(both, [dns('www.example.com')])).toBe('accepted');
  expect(outcome(both, [dns('www.example.com'), dns('a.secret.example.com')])).toBe(REFUSED);
});

test('every CA above counts, and for intermediates, too', () => {
  const root = makeAuthority({ others: [nameConstraints([dns('example.com')])] });
  const check = (inner: Extension[], name: string, caNames?: GeneralName[]): Outcome => {
    const middle = makeAuthority({ subject: 'middle', by: root, others: inner, subjectAltName: caNames });
    const leaf = make({ by: middle, subjectAltName: [dns(name)] });
    try {
      verifyCertificate({
        provider: nodeCrypto,
        chain: [leaf.certificate, middle.certificate],
        trust: new TrustStore([root.certificate]),
        at: NOW,
        purpose: 'server',
      });
      return 'accepted';
    } catch (error) {
      return (error as CertificateError).code;
    }
  };
  const widened = [nameConstraints([dns('example.com'), dns('example.org')])];
  expect(check(widened, 'a.example.com')).toBe('accepted');
  expect(check(widened, 'a.example.org')).toBe(REFUSED);
  expect(check([nameConstraints([dns('a.example.com')])], 'b.example.com')).toBe(REFUSED);
  expect(check([], 'a.example.com', [dns('example.org')])).toBe(REFUSED);
});

test('self-issued intermediates are exempt, a self-issued leaf is not', () => {
  const root = makeAuthority({ others: [nameConstraints([dns('example.com')])] });
  const verify = (...made: ReturnType<typeof make>[]): unknown =>
    verifyCertificate({
      provider: nodeCrypto,
      chain: made.map(({ certificate }) => certificate),
      trust: new TrustStore([root.certificate]),
      at: NOW,
      purpose: 'server',
    });
  const rollover = makeAuthority({ by: root, subjectAltName: [dns('example.org')] });
  expect(verify(make({ by: rollover }), rollover)).toBeDefined();
  const leaf = make({ subject: 'root', by: root, subjectAltName: [dns('example.org')] });
  expect(leaf.certificate.isSelfIssued).toBe(true);
  expect(() => verify(leaf)).toThrow(expect.objectContaining({ code: REFUSED }));
});

test.each([
  ['nothing', der.sequence()],
  ['an empty list', der.sequence(der.explicit(0))],
  [
    'a minimum',
    der.sequence(
      der.explicit(0, der.sequence(der.implicit(2, der.ia5String('a')), der.implicit(0, der.integer(1)))),
    ),
  ],
  ['something else', der.nullValue()],
])('an extension that holds %s is malformed', (_, value) => {
  expect(outcome(extension(ExtensionOid.nameConstraints, true, value), [dns('example.com')])).toBe(
    'malformed',
  );
});

test('many names under many constraints cost no more than the budget', () => {
  const many = Array.from({ length: 500 }, (_, i) => dns(`host${i}.example.com`));
  const constraints = nameConstraints(many);
  expect(outcome(constraints, many, undefined, 1000)).toBe('budget-exceeded');
  expect(
    outcome(
      nameConstraints([], many),
      Array.from({ length: 500 }, (_, i) => dns(`${i}.test`)),
    ),
  ).toBe('budget-exceeded');
});

test('what nobody who is trusted has signed is not worked through', () => {
  const root = makeAuthority();
  const names = Array.from({ length: 50 }, (_, i) => dns(`host${i}.example.com`));
  const others = [nameConstraints(names)];
  const forger = makeAuthority({ subject: 'root' });
  const verify = (authority: ReturnType<typeof make>, between: ReturnType<typeof make>[]): Outcome => {
    try {
      verifyCertificate({
        provider: nodeCrypto,
        chain: [make({ by: authority, subjectAltName: names }), authority, ...between].map(
          ({ certificate }) => certificate,
        ),
        trust: new TrustStore([root.certificate]),
        at: NOW,
        purpose: 'server',
        budgets: { nameConstraintComparisons: 100 },
      });
      return 'accepted';
    } catch (error) {
      if (error instanceof CertificateError) return error.code;
      throw error;
    }
  };
  // Its own signature, and that of one further up.
  expect(verify(makeAuthority({ subject: 'CA', by: forger, others }), [])).toBe('bad-signature');
  const between = makeAuthority({ subject: 'between', by: forger });
  expect(verify(makeAuthority({ subject: 'CA', by: between, others }), [between])).toBe('bad-signature');
  expect(verify(makeAuthority({ subject: 'CA', by: root, others }), [])).toBe('budget-exceeded');
});

test('a constraint that is malformed is the fault of the CA', () => {
  const bad = makeAuthority({ subject: 'CA', others: [nameConstraints([ip('c0000200ff00ff00')])] });
  const leaf = make({ by: bad, subjectAltName: [address('192.0.2.1')] });
  const verify = (): unknown =>
    verifyCertificate({
      provider: nodeCrypto,
      chain: [leaf.certificate],
      trust: new TrustStore([bad.certificate]),
      at: NOW,
      purpose: 'server',
    });
  expect(verify).toThrow(expect.objectContaining({ code: 'malformed', certificate: bad.certificate }));
});

test('large sets of names and of constraints are compared, up to the budget', () => {
  const limits = Array.from({ length: 490 }, (_, i) => dns(`host${i}.example.com`));
  const names = Array.from({ length: 490 }, (_, i) => dns(`www.host${i}.example.com`));
  expect(outcome(nameConstraints(limits), names)).toBe('accepted');
  expect(outcome(nameConstraints([], limits), [...names.slice(0, 1), dns('host489.example.com')])).toBe(
    REFUSED,
  );
  expect(outcome(nameConstraints(limits), [...names, dns('host490.example.com')])).toBe(REFUSED);
});

// RFC 9598 §6: what is said about rfc822Name holds for SmtpUTF8Mailbox.
test.each<[string, string, Outcome, Outcome]>([
  ['example.com', '\u8001\u5e2b@example.com', 'accepted', REFUSED],
  ['example.com', '\u8001\u5e2b@example.org', REFUSED, 'accepted'],
  ['.example.com', '\u8001\u5e2b@mail.example.com', 'accepted', REFUSED],
  ['xn--bcher-kva.example', '\u8001\u5e2b@xn--bcher-kva.example', 'accepted', REFUSED],
  ['user@example.com', '\u8001\u5e2b@example.com', REFUSED, 'accepted'],
  ['\u8001\u5e2b@example.com', '\u8001\u5e2b@example.com', 'accepted', REFUSED],
  // A domain that is not in ASCII is never permitted and always excluded.
  ['example.com', '\u8001\u5e2b@b\u00fccher.example', REFUSED, REFUSED],
])('of mail in all scripts: "%s" and "%s"', (base, name, permitted, excluded) => {
  expect(outcome(nameConstraints([email(base)]), [email(name)])).toBe(permitted);
  expect(outcome(nameConstraints([], [email(base)]), [email(name)])).toBe(excluded);
});

test('a SmtpUTF8Mailbox that rfc822Name could hold is malformed', () => {
  const mailbox = (value: Uint8Array): GeneralName => ({
    kind: 'other',
    tag: 0xa0,
    bytes: concat(der.oid('1.3.6.1.5.5.7.8.9'), der.explicit(0, value)),
  });
  const free = nameConstraints([dns('a.test')]);
  expect(outcome(free, [mailbox(der.utf8String('user@example.com'))])).toBe('malformed');
  expect(outcome(free, [mailbox(der.utf8String('\u8001\u5e2b@example.com'))])).toBe('accepted');
  expect(outcome(free, [mailbox(der.integer(1))])).toBe('malformed');
});

test('otherNames of two types are two forms', () => {
  const typed = (type: string): GeneralName => ({
    kind: 'other',
    tag: 0xa0,
    bytes: concat(der.oid(type), der.explicit(0, der.utf8String('x'))),
  });
  expect(outcome(nameConstraints([typed('1.2.3')]), [typed('1.2.3')])).toBe(REFUSED);
  expect(outcome(nameConstraints([typed('1.2.3')]), [typed('1.2.4')])).toBe('accepted');
});

test('where the common name counts as a name, it is constrained as one', () => {
  const root = makeAuthority({ others: [nameConstraints([dns('example.com')])] });
  const verify = (subject: string, dangerouslyAllowCommonName: boolean): unknown =>
    verifyCertificate({
      provider: nodeCrypto,
      chain: [make({ by: root, subject, subjectAltName: undefined }).certificate],
      trust: new TrustStore([root.certificate]),
      at: NOW,
      purpose: 'server',
      dangerouslyAllowCommonName,
    });
  expect(verify('www.example.com', true)).toBeDefined();
  expect(verify('example.org', false)).toBeDefined();
  expect(() => verify('example.org', true)).toThrow(expect.objectContaining({ code: REFUSED }));
});
