import { der } from '@testudo/codec';
import { nodeCrypto } from '@testudo/crypto/node';
import { describe, expect, test } from 'vitest';
import { CertificateError, type CertificateErrorCode } from './errors.ts';
import { ExtensionOid, KeyPurposeOid } from './oids.ts';
import { rfc5280Profile } from './profile.ts';
import {
  extension,
  type Made,
  type MakeOptions,
  make,
  makeAuthority,
  NOW,
  nameConstraints,
} from './testing/make.ts';
import { TrustStore } from './trust-store.ts';
import { type VerifyOptions, verifyCertificate } from './verify.ts';

// One thing is wrong with a CA: that is the reason, whatever else a peer sends and whatever else is trusted.

const root = makeAuthority();
const namesake = makeAuthority();
const stranger = makeAuthority({ subject: 'stranger' });

function reason(
  chain: readonly Made[],
  trusted: readonly Made[],
  options: Partial<VerifyOptions> = {},
): CertificateErrorCode | 'accepted' {
  try {
    verifyCertificate({
      ...{ provider: nodeCrypto, at: NOW, purpose: 'server' },
      chain: chain.map(({ certificate }) => certificate),
      trust: new TrustStore(trusted.map(({ certificate }) => certificate)),
      ...options,
    });
    return 'accepted';
  } catch (error) {
    if (error instanceof CertificateError) return error.code;
    throw error;
  }
}

describe.each<[CertificateErrorCode, string, MakeOptions]>([
  ['expired', 'it has expired', { notAfter: new Date('2025-06-01') }],
  ['not-yet-valid', 'its date is in the future', { notBefore: new Date('2026-06-01') }],
  ['weak-key', 'its key is short', { privateKey: nodeCrypto.generateKey({ type: 'rsa', bits: 1024 }) }],
  ['bad-extended-key-usage', 'it is for mail', { extendedKeyUsage: [KeyPurposeOid.emailProtection] }],
  ['bad-key-usage', 'it may not issue', { keyUsage: ['digitalSignature'] }],
  ['not-a-ca', 'it is no CA', { ca: false }],
  ['name-constraint', 'other names', { others: [nameConstraints([{ kind: 'dns', value: 'a.test' }])] }],
  ['unknown-critical-extension', 'an extension', { others: [extension('1.2.3.4', true, der.nullValue())] }],
  ['malformed', 'constraints', { others: [extension(ExtensionOid.nameConstraints, true, der.nullValue())] }],
  [
    'policy',
    'it demands one',
    {
      others: [
        extension(ExtensionOid.policyConstraints, true, der.sequence(der.implicit(0, der.integer(0)))),
      ],
    },
  ],
])('%s: %s', (expected, _, options) => {
  const authority = makeAuthority({ subject: 'CA', by: root, ...options });
  const leaf = make({ by: authority });
  const { privateKey } = authority;

  test.each<[string, Made[]]>([
    ['nothing', []],
    ['the root', [root]],
    ['an untrusted root of that name', [namesake]],
    ['another CA of that name', [makeAuthority({ subject: 'CA' })]],
    ['another CA of that name, by the root', [makeAuthority({ subject: 'CA', by: root })]],
    [
      'the CA by a root that is not trusted',
      [makeAuthority({ subject: 'CA', by: stranger, privateKey }), stranger],
    ],
    ['the same by it', [makeAuthority({ subject: 'CA', by: stranger, ...options, privateKey })]],
  ])('beside %s', (_, others) => {
    for (const chain of [
      [leaf, authority, ...others],
      [leaf, ...others, authority],
    ])
      for (const trusted of [[root], [namesake, root]]) expect(reason(chain, trusted)).toBe(expected);
  });
});

test('a root that is not trusted is not blamed for anything else', () => {
  const authority = makeAuthority({ subject: 'CA', by: stranger });
  const leaf = make({ by: authority });
  expect(reason([leaf, authority, stranger], [root], { profile: rfc5280Profile })).toBe('unknown-issuer');
  const expired = makeAuthority({ subject: 'old', notAfter: new Date('2025-06-01') });
  const below = makeAuthority({ subject: 'CA', by: expired });
  expect(reason([make({ by: below }), below, expired], [root])).toBe('unknown-issuer');
  expect(reason([make({ by: below }), below, expired], [expired])).toBe('expired');
});

test('CAs that sign for each other lead nowhere: that is said, and not that they did not sign the leaf', () => {
  const first = makeAuthority({ subject: 'CA' });
  const second = makeAuthority({ subject: 'CA' });
  const leaf = make({ by: first });
  const circle = [
    makeAuthority({ subject: 'CA', by: first, privateKey: second.privateKey }),
    makeAuthority({ subject: 'CA', by: second, privateKey: first.privateKey }),
  ];
  expect(reason([leaf, ...circle], [root])).toBe('unknown-issuer');
});
