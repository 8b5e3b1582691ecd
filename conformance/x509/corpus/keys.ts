import { der } from '@testudo/codec';
import type { PrivateKey, SignatureAlgorithm } from '@testudo/crypto';
import { nodeCrypto } from '@testudo/crypto/node';
import type { Random } from '../../../fuzz/random.ts';

/** A key, and what it signs with. */
export interface CorpusKey {
  readonly privateKey: PrivateKey;
  readonly algorithm: SignatureAlgorithm;
  /** AlgorithmIdentifier, DER. */
  readonly identifier: Uint8Array;
}

export interface CorpusKeys {
  /** The usual ones, of several kinds. */
  readonly usual: readonly CorpusKey[];
  readonly rsa: CorpusKey;
  readonly shortRsa: CorpusKey;
}

/** Keys on curves come from the seed; RSA's cannot, and differ with each run. */
export function makeKeys(random: Random): CorpusKeys {
  const rsa = keyOf(nodeCrypto.generateKey({ type: 'rsa', bits: 2048 }), RSA_SHA256);
  const p256 = Array.from({ length: 12 }, () => keyOf(p256From(random), ECDSA_SHA256));
  const ed25519 = keyOf(ed25519From(random), ED25519);
  return {
    usual: [...p256, rsa, ed25519],
    rsa,
    shortRsa: keyOf(nodeCrypto.generateKey({ type: 'rsa', bits: 1024 }), RSA_SHA256),
  };
}

type Signature = Pick<CorpusKey, 'algorithm' | 'identifier'>;

const ECDSA_SHA256: Signature = {
  algorithm: { name: 'ecdsa', hash: 'sha256' },
  identifier: der.sequence(der.oid('1.2.840.10045.4.3.2')),
};
const RSA_SHA256: Signature = {
  algorithm: { name: 'rsa-pkcs1', hash: 'sha256' },
  identifier: der.sequence(der.oid('1.2.840.113549.1.1.11'), der.nullValue()),
};
const ED25519: Signature = {
  algorithm: { name: 'ed25519' },
  identifier: der.sequence(der.oid('1.3.101.112')),
};

/** What a key that signed with SHA-256 signs with when it must be SHA-1. */
export const RSA_SHA1: Signature = {
  algorithm: { name: 'rsa-pkcs1', hash: 'sha1' },
  identifier: der.sequence(der.oid('1.2.840.113549.1.1.5'), der.nullValue()),
};

function keyOf(privateKey: PrivateKey, signature: Signature): CorpusKey {
  return { privateKey, ...signature };
}

/** Below the order of the curve, above zero. */
function p256From(random: Random): PrivateKey {
  const scalar = random.bytes(32).map((byte, i) => (i === 0 ? (byte & 0x7f) | 1 : byte));
  const key = der.sequence(der.integer(1), der.octetString(scalar));
  const algorithm = der.sequence(der.oid('1.2.840.10045.2.1'), der.oid('1.2.840.10045.3.1.7'));
  return nodeCrypto.importPrivateKey(der.sequence(der.integer(0), algorithm, der.octetString(key)));
}

/** RFC 8410 §7. */
function ed25519From(random: Random): PrivateKey {
  const algorithm = der.sequence(der.oid('1.3.101.112'));
  const key = der.octetString(der.octetString(random.bytes(32)));
  return nodeCrypto.importPrivateKey(der.sequence(der.integer(0), algorithm, key));
}
