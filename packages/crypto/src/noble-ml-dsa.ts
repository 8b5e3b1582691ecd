import {
  bytesEqual,
  contextTag,
  copyOf,
  DecodeError,
  type DerReader,
  decodeDer,
  der,
  Tag,
} from '@testudo/codec';
import { CryptoError } from './errors.ts';
import type { MlDsaName, PrivateKey, PublicKey } from './provider.ts';
import { encodeMlDsaSpki, OID, type ParsedMlDsaKey, parseSpki } from './spki.ts';

/** Given and not imported: on Node it is loaded when first needed, which for most programs is never. */
export type NobleMlDsa = Pick<
  typeof import('@noble/post-quantum/ml-dsa.js'),
  'ml_dsa44' | 'ml_dsa65' | 'ml_dsa87'
>;
type Algorithm = NobleMlDsa['ml_dsa44'];

const NAMES: readonly MlDsaName[] = ['ml-dsa-44', 'ml-dsa-65', 'ml-dsa-87'];

export function isMlDsa(name: string): name is MlDsaName {
  return NAMES.includes(name as MlDsaName);
}

/**
 * ML-DSA (FIPS 204) by noble: everywhere in the portable provider, and on a Node whose OpenSSL lacks it. Signing is
 * hedged with fresh randomness, and its context is empty.
 */
export class MlDsa {
  readonly #load: () => NobleMlDsa;

  constructor(load: () => NobleMlDsa) {
    this.#load = load;
  }

  generate(name: MlDsaName): PrivateKey {
    // Only FIPS 204's seed makes a key that fits into few bytes; noble draws it from the system's generator.
    const seed = crypto.getRandomValues(new Uint8Array(SEED_LENGTH));
    const pkcs8 = der.sequence(
      der.integer(0),
      der.sequence(der.oid(OID[name])),
      der.octetString(der.implicit(0, der.octetString(seed))),
    );
    const algorithm = this.#algorithm(name);
    return new NobleMlDsaKey(name, algorithm, pkcs8, algorithm.keygen(seed).secretKey);
  }

  /** Undefined when it is not a key (PKCS#8, DER) of ML-DSA. Throws {@link CryptoError} `bad-key`. */
  import(pkcs8: Uint8Array): PrivateKey | undefined {
    try {
      return decodeDer(pkcs8, (reader) => reader.sequence((inner) => this.#privateKeyInfo(inner, pkcs8)));
    } catch (error) {
      if (error instanceof DecodeError) return undefined;
      throw error;
    }
  }

  sign(key: PrivateKey, data: Uint8Array): Uint8Array {
    const own = key instanceof NobleMlDsaKey ? key : this.import(key.exportPkcs8());
    return NobleMlDsaKey.sign(own as NobleMlDsaKey, data);
  }

  verify(key: PublicKey, data: Uint8Array, signature: Uint8Array): boolean {
    const { kind, raw } = parseSpki(key.spki) as ParsedMlDsaKey;
    const { verify, lengths } = this.#algorithm(kind.type);
    return signature.length === lengths.signature && verify(signature, data, raw);
  }

  #algorithm(name: MlDsaName): Algorithm {
    const { ml_dsa44, ml_dsa65, ml_dsa87 } = this.#load();
    return { 'ml-dsa-44': ml_dsa44, 'ml-dsa-65': ml_dsa65, 'ml-dsa-87': ml_dsa87 }[name];
  }

  #privateKeyInfo(reader: DerReader, pkcs8: Uint8Array): PrivateKey | undefined {
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
    const algorithm = this.#algorithm(name);
    try {
      const expanded = decodeDer(key, (inner) => privateKey(inner, algorithm));
      return new NobleMlDsaKey(name, algorithm, copyOf(pkcs8), expanded);
    } catch {
      // Not DER, of a wrong length, or an expanded key with coefficients out of range.
      throw new CryptoError('bad-key', `not a private key of ${name}`);
    }
  }
}

class NobleMlDsaKey implements PrivateKey {
  readonly kind: { readonly type: MlDsaName };
  readonly publicKey: PublicKey;
  readonly #algorithm: Algorithm;
  readonly #pkcs8: Uint8Array;
  readonly #expanded: Uint8Array;

  constructor(name: MlDsaName, algorithm: Algorithm, pkcs8: Uint8Array, expanded: Uint8Array) {
    this.kind = { type: name };
    const spki = encodeMlDsaSpki(name, algorithm.getPublicKey(expanded));
    this.publicKey = { kind: this.kind, spki };
    this.#algorithm = algorithm;
    this.#pkcs8 = pkcs8;
    this.#expanded = expanded;
  }

  exportPkcs8(): Uint8Array {
    return this.#pkcs8.slice();
  }

  static sign(key: NobleMlDsaKey, data: Uint8Array): Uint8Array {
    return key.#algorithm.sign(data, key.#expanded);
  }
}

const SEED_LENGTH = 32;

/** RFC 9881 §6: the seed, the expanded key, or both, which must then fit (§8.2). */
function privateKey(reader: DerReader, algorithm: Algorithm): Uint8Array {
  const expand = (seed: Uint8Array) => algorithm.keygen(seed).secretKey;
  if (reader.peek() === contextTag(0)) return expand(reader.octetString(contextTag(0)));
  if (reader.peek() !== Tag.sequence) return copyOf(reader.octetString());
  return reader.sequence((both) => {
    const made = expand(both.octetString());
    if (bytesEqual(made, both.octetString())) return made;
    throw new CryptoError('bad-key', 'an ML-DSA private key that does not match its seed');
  });
}
