import { DerReader, der } from '@testudo/codec';
import type { SignatureAlgorithm } from '@testudo/crypto';
import { describe, expect, test } from 'vitest';
import {
  encodeSignatureAlgorithm,
  readAlgorithm,
  type SignatureVerdict,
  signatureAlgorithmOf,
} from './algorithm.ts';

const verdictOf = (bytes: Uint8Array): SignatureVerdict =>
  signatureAlgorithmOf(readAlgorithm(new DerReader(bytes)));

test.each<SignatureAlgorithm>([
  { name: 'rsa-pkcs1', hash: 'sha256' },
  { name: 'rsa-pkcs1', hash: 'sha384' },
  { name: 'rsa-pkcs1', hash: 'sha512' },
  { name: 'rsa-pss', hash: 'sha256' },
  { name: 'rsa-pss', hash: 'sha384' },
  { name: 'rsa-pss', hash: 'sha512' },
  { name: 'ecdsa', hash: 'sha256' },
  { name: 'ecdsa', hash: 'sha384' },
  { name: 'ecdsa', hash: 'sha512' },
  { name: 'dsa', hash: 'sha256' },
  { name: 'ed25519' },
  { name: 'ed448' },
  { name: 'ml-dsa-44' },
  { name: 'ml-dsa-65' },
  { name: 'ml-dsa-87' },
])('%o is written and read back', (algorithm) => {
  expect(verdictOf(encodeSignatureAlgorithm(algorithm))).toEqual({ kind: 'supported', algorithm });
});

test('SHA-1 and MD5 are neither written nor taken', () => {
  expect(() => encodeSignatureAlgorithm({ name: 'rsa-pkcs1', hash: 'sha1' })).toThrow(RangeError);
  expect(() => encodeSignatureAlgorithm({ name: 'rsa-pss', hash: 'sha1' })).toThrow(RangeError);
  for (const oid of ['1.2.840.113549.1.1.5', '1.2.840.113549.1.1.4', '1.2.840.10045.4.1'])
    expect(verdictOf(der.sequence(der.oid(oid), der.nullValue())).kind).toBe('weak');
});

describe('parameters', () => {
  test('of RSA may be NULL or absent, of the others only absent', () => {
    expect(verdictOf(der.sequence(der.oid('1.2.840.113549.1.1.11'))).kind).toBe('supported');
    expect(verdictOf(der.sequence(der.oid('1.2.840.113549.1.1.11'), der.sequence())).kind).toBe('malformed');
    expect(verdictOf(der.sequence(der.oid('1.2.840.10045.4.3.2'), der.nullValue())).kind).toBe('malformed');
    expect(verdictOf(der.sequence(der.oid('1.3.101.112'), der.nullValue())).kind).toBe('malformed');
    expect(verdictOf(der.sequence(der.oid('2.16.840.1.101.3.4.3.18'), der.nullValue())).kind).toBe(
      'malformed',
    );
  });

  const pss = (hash: string, mgfHash: string, salt: number, trailer?: number): Uint8Array =>
    der.sequence(
      der.oid('1.2.840.113549.1.1.10'),
      der.sequence(
        der.explicit(0, der.sequence(der.oid(hash), der.nullValue())),
        der.explicit(
          1,
          der.sequence(der.oid('1.2.840.113549.1.1.8'), der.sequence(der.oid(mgfHash), der.nullValue())),
        ),
        der.explicit(2, der.integer(salt)),
        trailer === undefined ? undefined : der.explicit(3, der.integer(trailer)),
      ),
    );
  const sha256 = '2.16.840.1.101.3.4.2.1';
  const sha384 = '2.16.840.1.101.3.4.2.2';

  test('of PSS name one hash, and a salt of its length', () => {
    expect(verdictOf(pss(sha256, sha256, 32)).kind).toBe('supported');
    for (const other of [
      pss(sha256, sha384, 32),
      pss(sha256, sha256, 20),
      pss(sha384, sha384, 32),
      pss(sha256, sha256, 32, 2),
    ])
      expect(verdictOf(other).kind).toBe('unsupported');
    // All defaults mean SHA-1.
    expect(verdictOf(der.sequence(der.oid('1.2.840.113549.1.1.10'), der.sequence())).kind).toBe(
      'unsupported',
    );
    expect(verdictOf(der.sequence(der.oid('1.2.840.113549.1.1.10'))).kind).toBe('unsupported');
  });
});
