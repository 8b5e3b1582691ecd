import type { Oid } from '@testudo/codec';
import type { KeyKind, SignatureAlgorithm } from '@testudo/crypto';
import { signatureAlgorithmOf } from '../algorithm.ts';
import type { Certificate } from '../certificate.ts';

/** How a certificate is signed, with hashes, too, that count nowhere else; undefined where it is not known. */
export function signatureOf({ signatureAlgorithm }: Certificate): SignatureAlgorithm | undefined {
  const old = OLD[signatureAlgorithm.oid];
  if (old !== undefined) return old;
  const verdict = signatureAlgorithmOf(signatureAlgorithm);
  return verdict.kind === 'supported' ? verdict.algorithm : undefined;
}

/** Whether a key of this kind can have made it. */
export function isSignatureOf(kind: KeyKind, { name }: SignatureAlgorithm): boolean {
  if (name === 'rsa-pkcs1') return kind.type === 'rsa';
  if (name === 'rsa-pss') return kind.type === 'rsa' || kind.type === 'rsa-pss';
  return kind.type === (name === 'ecdsa' ? 'ec' : name);
}

const OLD: Readonly<Record<Oid, SignatureAlgorithm>> = {
  '1.2.840.113549.1.1.4': { name: 'rsa-pkcs1', hash: 'md5' },
  '1.2.840.113549.1.1.5': { name: 'rsa-pkcs1', hash: 'sha1' },
  '1.3.14.3.2.29': { name: 'rsa-pkcs1', hash: 'sha1' },
  '1.2.840.113549.1.1.14': { name: 'rsa-pkcs1', hash: 'sha224' },
  '1.2.840.10045.4.1': { name: 'ecdsa', hash: 'sha1' },
  '1.2.840.10045.4.3.1': { name: 'ecdsa', hash: 'sha224' },
  '1.2.840.10040.4.3': { name: 'dsa', hash: 'sha1' },
  '2.16.840.1.101.3.4.3.1': { name: 'dsa', hash: 'sha224' },
  '2.16.840.1.101.3.4.3.2': { name: 'dsa', hash: 'sha256' },
};
