import { decodeDer, der, Tag } from '@testudo/codec';
import type { PrivateKey } from '@testudo/crypto';
import { nodeCrypto } from '@testudo/crypto/node';
import { expect, test } from 'vitest';
import { CertificateError } from './errors.ts';
import { compatibleProfile, type VerificationProfile } from './profile.ts';
import { type Made, make, makeAuthority, NOW } from './testing/make.ts';
import { TrustStore } from './trust-store.ts';
import { verifyCertificate } from './verify.ts';

// RFC 3279 §2.3.2: a DSA key without parameters has those of its issuer's key.

const first = nodeCrypto.generateKey({ type: 'dsa', bits: 1024 });
const other = nodeCrypto.generateKey({ type: 'dsa', bits: 1024 });
const profile: VerificationProfile = {
  ...compatibleProfile,
  keys: ['dsa', 'secp256r1'],
  minimumRsaBits: 1024,
};

/** A key with the parameters of `first`, which its certificate leaves out. */
function bare(key: PrivateKey): PrivateKey {
  const spki = decodeDer(key.publicKey.spki, (reader) =>
    reader.sequence((info) => {
      info.whole(Tag.sequence);
      return der.sequence(der.sequence(der.oid('1.2.840.10040.4.1')), info.whole(Tag.bitString));
    }),
  );
  return {
    ...key,
    kind: key.kind,
    exportPkcs8: () => key.exportPkcs8(),
    publicKey: { kind: key.kind, spki },
  };
}

function verdict(
  end: Made,
  others: readonly Made[],
  anchor: Made,
  demands: VerificationProfile = profile,
): string {
  try {
    verifyCertificate({
      ...{ provider: nodeCrypto, at: NOW, purpose: 'server', profile: demands },
      chain: [end, ...others].map(({ certificate }) => certificate),
      trust: new TrustStore([anchor.certificate]),
    });
    return 'accepted';
  } catch (error) {
    if (error instanceof CertificateError) return error.code;
    throw error;
  }
}

const root = makeAuthority({ subject: 'root', privateKey: first });
const leaf = make({ by: makeAuthority({ subject: 'CA', by: root, privateKey: first }) });
const inheriting = makeAuthority({ subject: 'CA', by: root, privateKey: bare(first) });

test('the parameters are those of the issuer in the same path, and of no other', () => {
  expect(verdict(leaf, [inheriting], root)).toBe('accepted');
  const anchor = makeAuthority({ subject: 'anchor' });
  const namesake = makeAuthority({ subject: 'root', by: anchor, privateKey: other });
  expect(verdict(leaf, [inheriting, namesake], anchor)).toBe('bad-signature');
  expect(verdict(leaf, [inheriting, namesake], root)).toBe('accepted');
  const cross = makeAuthority({ subject: 'root', by: anchor, privateKey: first });
  expect(verdict(leaf, [namesake, inheriting, cross], anchor)).toBe('accepted');
});

test('through several certificates, down to the leaf', () => {
  const lower = makeAuthority({ subject: 'lower', by: inheriting, privateKey: bare(first) });
  const end = make({ by: lower, privateKey: bare(first) });
  expect(verdict(end, [lower, inheriting], root)).toBe('accepted');
  // Each signature counts.
  const forged = makeAuthority({
    subject: 'CA',
    by: makeAuthority({ privateKey: other }),
    privateKey: bare(first),
  });
  expect(verdict(end, [lower, forged], root)).toBe('bad-signature');
  const wrong = makeAuthority({ subject: 'lower', by: inheriting, privateKey: bare(other) });
  // With the prime of another key, the number may even be out of range.
  expect(['bad-signature', 'malformed']).toContain(verdict(end, [wrong, inheriting], root));
});

test('there must be some, and the profile must accept such a key', () => {
  const ec = makeAuthority({ subject: 'root' });
  expect(verdict(leaf, [makeAuthority({ subject: 'CA', by: ec, privateKey: bare(first) })], ec)).toBe(
    'malformed',
  );
  expect(verdict(leaf, [], makeAuthority({ subject: 'CA', privateKey: bare(first) }))).toBe('malformed');
  expect(verdict(leaf, [inheriting], root, { ...profile, minimumRsaBits: 2048 })).toBe('weak-key');
  expect(verdict(leaf, [inheriting], root, compatibleProfile)).toBe('unsupported-algorithm');
});
