import { concat, copyOf, utf8 } from '@testudo/codec';
import { CryptoError } from '../errors.ts';
import type { AgreementKey, CryptoProvider } from '../provider.ts';
import { KEMS } from './algorithms.ts';
import { labeledKdf, NOTHING, uint16 } from './labeled-kdf.ts';

/** A recipient's key pair. The private half is no property: nothing that prints the object prints the key. */
export interface HpkeKeyPair {
  /** As RFC 9180 §7.1.1 serializes it: an uncompressed point, or a raw Montgomery key. */
  readonly publicKey: Uint8Array;
  /** The private key as RFC 9180 §7.1.2 serializes it. */
  exportPrivate(): Uint8Array;
  /** Diffie-Hellman with a sender's ephemeral key. Throws {@link CryptoError} `bad-key`. */
  agree(peerPublicKey: Uint8Array): Uint8Array;
}

/** The DHKEM of RFC 9180 §4.1. */
export interface Dhkem {
  /** Lengths in bytes: Npk (which is Nenc), Nsk. */
  readonly publicKeyLength: number;
  readonly privateKeyLength: number;
  generate(): HpkeKeyPair;
  derive(inputKey: Uint8Array): HpkeKeyPair;
  fromPrivate(privateKey: Uint8Array): HpkeKeyPair;
  encapsulate(publicKey: Uint8Array): { readonly enc: Uint8Array; readonly sharedSecret: Uint8Array };
  decapsulate(enc: Uint8Array, key: HpkeKeyPair): Uint8Array;
}

/** Undefined when the provider lacks the curve, or nobody knows the number. */
export function dhkem(provider: CryptoProvider, id: number): Dhkem | undefined {
  const parameters = KEMS.get(id);
  const agreement = parameters && provider.keyAgreement(parameters.curve);
  if (agreement === undefined) return undefined;
  const { hash, curve, publicKeyLength, privateKeyLength, secretLength, bitmask } = parameters!;
  const kdf = labeledKdf(provider, hash, concat(utf8('KEM'), uint16(id)));

  function fromPrivate(privateKey: Uint8Array): HpkeKeyPair {
    const own = copyOf(privateKey);
    const key: AgreementKey = agreement!.fromPrivate(own);
    return {
      publicKey: key.publicKey,
      exportPrivate: () => own.slice(),
      agree: (peerPublicKey) => key.agree(peerPublicKey),
    };
  }

  /** DeriveKeyPair (RFC 9180 §7.1.3). */
  function derive(inputKey: Uint8Array): HpkeKeyPair {
    if (inputKey.length < privateKeyLength)
      throw new CryptoError(
        'bad-length',
        `deriving a key for ${curve} takes at least ${privateKeyLength} bytes`,
      );
    const derived = kdf.extract(NOTHING, 'dkp_prk', inputKey);
    if (bitmask === undefined) return fromPrivate(kdf.expand(derived, 'sk', NOTHING, privateKeyLength));
    for (let counter = 0; counter < 256; counter++) {
      const candidate = kdf.expand(derived, 'candidate', Uint8Array.of(counter), privateKeyLength);
      candidate[0]! &= bitmask;
      try {
        return fromPrivate(candidate);
      } catch (error) {
        if (!(error instanceof CryptoError)) throw error; // zero, or not less than the order: the next one
      }
    }
    throw new CryptoError('bad-key', 'no key can be derived from these bytes');
  }

  /** ExtractAndExpand (RFC 9180 §4.1). */
  function extractAndExpand(dh: Uint8Array, enc: Uint8Array, publicKey: Uint8Array): Uint8Array {
    const extracted = kdf.extract(NOTHING, 'eae_prk', dh);
    return kdf.expand(extracted, 'shared_secret', concat(enc, publicKey), secretLength);
  }

  return {
    publicKeyLength,
    privateKeyLength,
    // Through DeriveKeyPair, so that the private bytes are known and can be kept.
    generate: () => derive(provider.randomBytes(privateKeyLength)),
    derive,
    fromPrivate,
    encapsulate(publicKey: Uint8Array) {
      const ephemeral = agreement.generate();
      const dh = ephemeral.agree(publicKey);
      return {
        enc: ephemeral.publicKey,
        sharedSecret: extractAndExpand(dh, ephemeral.publicKey, publicKey),
      };
    },
    decapsulate: (enc, key) => extractAndExpand(key.agree(enc), enc, key.publicKey),
  };
}
