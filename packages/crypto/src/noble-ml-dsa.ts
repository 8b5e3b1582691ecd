import { ml_dsa44, ml_dsa65, ml_dsa87 } from '@noble/post-quantum/ml-dsa.js';
import { bytesEqual, contextTag, DecodeError, type DerReader, decodeDer, der, Tag } from '@testudo/codec';
import { CryptoError } from './errors.ts';
import type { MlDsaName, PrivateKey, PublicKey } from './provider.ts';
import { encodeMlDsaSpki, OID, type ParsedMlDsaKey, parseSpki } from './spki.ts';

/**
 * ML-DSA (FIPS 204) by noble: everywhere in the portable provider, and on a Node whose OpenSSL lacks it. Signing is
 * hedged with fresh randomness, and its context is empty.
 */
const ML_DSA = { 'ml-dsa-44': ml_dsa44, 'ml-dsa-65': ml_dsa65, 'ml-dsa-87': ml_dsa87 } as const;
const NAMES = Object.keys(ML_DSA) as MlDsaName[];

export function isMlDsa(name: string): name is MlDsaName {
  return name in ML_DSA;
}

export function generateMlDsa(name: MlDsaName): PrivateKey {
  // Only FIPS 204's seed makes a key that fits into few bytes; noble draws it from the system's generator.
  return fromSeed(name, crypto.getRandomValues(new Uint8Array(SEED_LENGTH)));
}

/** Undefined when it is not a key (PKCS#8, DER) of ML-DSA. Throws {@link CryptoError} `bad-key`. */
export function importMlDsa(pkcs8: Uint8Array): PrivateKey | undefined {
  try {
    return decodeDer(pkcs8, (reader) => reader.sequence((inner) => privateKeyInfo(inner, pkcs8)));
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}

export function signMlDsa(key: PrivateKey, data: Uint8Array): Uint8Array {
  const own = key instanceof NobleMlDsaKey ? key : importMlDsa(key.exportPkcs8());
  return NobleMlDsaKey.sign(own as NobleMlDsaKey, data);
}

export function verifyMlDsa(key: PublicKey, data: Uint8Array, signature: Uint8Array): boolean {
  const { kind, raw } = parseSpki(key.spki) as ParsedMlDsaKey;
  const { verify, lengths } = ML_DSA[kind.type];
  return signature.length === lengths.signature && verify(signature, data, raw);
}

class NobleMlDsaKey implements PrivateKey {
  readonly kind: { readonly type: MlDsaName };
  readonly publicKey: PublicKey;
  readonly #pkcs8: Uint8Array;
  readonly #expanded: Uint8Array;

  constructor(name: MlDsaName, pkcs8: Uint8Array, expanded: Uint8Array) {
    this.kind = { type: name };
    const spki = encodeMlDsaSpki(name, ML_DSA[name].getPublicKey(expanded));
    this.publicKey = { kind: this.kind, spki };
    this.#pkcs8 = pkcs8;
    this.#expanded = expanded;
  }

  exportPkcs8(): Uint8Array {
    return this.#pkcs8.slice();
  }

  static sign(key: NobleMlDsaKey, data: Uint8Array): Uint8Array {
    return ML_DSA[key.kind.type].sign(data, key.#expanded);
  }
}

function fromSeed(name: MlDsaName, seed: Uint8Array): PrivateKey {
  const pkcs8 = der.sequence(
    der.integer(0),
    der.sequence(der.oid(OID[name])),
    der.octetString(der.implicit(0, der.octetString(seed))),
  );
  return new NobleMlDsaKey(name, pkcs8, expand(name, seed));
}

function expand(name: MlDsaName, seed: Uint8Array): Uint8Array {
  return ML_DSA[name].keygen(seed).secretKey;
}

const SEED_LENGTH = 32;

function privateKeyInfo(reader: DerReader, pkcs8: Uint8Array): PrivateKey | undefined {
  reader.smallInteger(1);
  const oid = reader.sequence((inner) => {
    const algorithm = inner.oid();
    while (inner.remaining > 0) inner.whole();
    return algorithm;
  });
  const key = reader.octetString();
  while (reader.remaining > 0) reader.whole(); // RFC 5958 §2: attributes and a public key may follow
  const name = NAMES.find((known) => OID[known] === oid);
  if (name === undefined) return undefined;
  try {
    const expanded = decodeDer(key, (inner) => privateKey(inner, name));
    return new NobleMlDsaKey(name, pkcs8.slice(), expanded);
  } catch {
    // Not DER, of a wrong length, or an expanded key with coefficients out of range.
    throw new CryptoError('bad-key', `not a private key of ${name}`);
  }
}

/** RFC 9881 §6: the seed, the expanded key, or both, which must then fit (§8.2). */
function privateKey(reader: DerReader, name: MlDsaName): Uint8Array {
  if (reader.peek() === contextTag(0)) return expand(name, reader.octetString(contextTag(0)));
  if (reader.peek() !== Tag.sequence) return reader.octetString().slice();
  return reader.sequence((both) => {
    const made = expand(name, both.octetString());
    if (bytesEqual(made, both.octetString())) return made;
    throw new CryptoError('bad-key', 'an ML-DSA private key whose seed gives another key');
  });
}
