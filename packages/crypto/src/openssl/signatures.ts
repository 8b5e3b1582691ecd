import { fits, misfit } from '../algorithms.ts';
import { parsedPublicKey } from '../node/keys.ts';
import {
  type CryptoProvider,
  HASH_LENGTH,
  type HashName,
  type PrivateKey,
  type PublicKey,
  type SignatureAlgorithm,
} from '../provider.ts';
import { RSA_MAX_BITS } from '../spki.ts';
import type { NativeCurves } from './curves.ts';
import type { Digests } from './hashes.ts';
import { type KeyHandle, KeyHandles } from './key-handles.ts';
import { type Native, put } from './native.ts';
import { Parameters, PUBLIC_KEY } from './parameters.ts';

type Signatures = Pick<CryptoProvider, 'sign' | 'verify'>;
/** What is done here; `others` do the rest: DSA, ML-DSA, keys restricted to PSS, PKCS#1 v1.5 without a DigestInfo. */
type Algorithm =
  | { readonly name: 'ecdsa' | 'rsa-pss' | 'rsa-pkcs1'; readonly hash: HashName }
  | { readonly name: 'ed25519' | 'ed448' };

/** Signatures by keys that OpenSSL imports once and uses through contexts that are set up once. */
export function signatures(
  native: Native,
  curves: NativeCurves,
  { digestInto }: Digests,
  others: CryptoProvider,
): Signatures {
  const { lib, memory, result } = native;
  const handles = new KeyHandles(native);
  const publicHandles = new KeyHandles(native);
  const digest = memory.reserve(64);
  const signature = memory.reserve(MAX_SIGNATURE);
  const encoded = memory.reserve(MAX_ENCODED);
  const publicKeys = publicKeyMaker(native, curves);
  const hashing = lib.EVP_MD_CTX_new();

  function privateHandle(key: PrivateKey): KeyHandle | undefined {
    return handles.get(key, () => {
      const pkcs8 = key.exportPkcs8();
      if (pkcs8.length > MAX_ENCODED) return 0;
      // The address moves on behind what was read.
      result.value = put(encoded, pkcs8);
      const made = lib.d2i_AutoPrivateKey(0, result.address, pkcs8.length);
      encoded.bytes.fill(0, 0, pkcs8.length);
      pkcs8.fill(0);
      return made;
    });
  }

  function publicHandle(key: PublicKey): KeyHandle | undefined {
    return publicHandles.get(key, () => publicKeys(key));
  }

  /** A context of this key for this algorithm; 0 when OpenSSL refuses it. */
  function contextOf(
    { key, contexts }: KeyHandle,
    algorithm: Extract<Algorithm, { readonly hash: HashName }>,
    initialize: (context: number) => number,
  ): number {
    const name = algorithm.name === 'ecdsa' ? algorithm.name : `${algorithm.name} ${algorithm.hash}`;
    const known = contexts.get(name);
    if (known !== undefined) return known;
    const context = lib.EVP_PKEY_CTX_new_from_pkey(0, key, 0);
    if (context === 0) return 0;
    if (initialize(context) === 1 && setPadding(context, algorithm)) {
      contexts.set(name, context);
      return context;
    }
    lib.EVP_PKEY_CTX_free(context);
    return 0;
  }

  function setPadding(
    context: number,
    { name, hash }: Extract<Algorithm, { readonly hash: HashName }>,
  ): boolean {
    if (name === 'ecdsa') return true;
    const md = lib.EVP_get_digestbyname(memory.text(hash));
    return (
      // Without one OpenSSL would pad what it is given as it is.
      md !== 0 &&
      lib.EVP_PKEY_CTX_set_rsa_padding(context, name === 'rsa-pss' ? PSS_PADDING : PKCS1_PADDING) === 1 &&
      lib.EVP_PKEY_CTX_set_signature_md(context, md) === 1 &&
      (name !== 'rsa-pss' || lib.EVP_PKEY_CTX_set_rsa_pss_saltlen(context, HASH_LENGTH[hash]) === 1)
    );
  }

  function signInto(algorithm: Algorithm, key: PrivateKey, data: Uint8Array): boolean {
    const handle = privateHandle(key);
    if (handle === undefined) return false;
    result.value = MAX_SIGNATURE;
    if (!('hash' in algorithm)) {
      const isDone =
        lib.EVP_DigestSignInit_ex(hashing, 0, 0, 0, 0, handle.key, 0) === 1 &&
        lib.EVP_DigestSign(hashing, signature.address, result.address, addressOf(data), data.length) === 1;
      lib.EVP_MD_CTX_reset(hashing);
      return isDone;
    }
    const context = contextOf(handle, algorithm, lib.EVP_PKEY_sign_init);
    return (
      context !== 0 &&
      digestInto(algorithm.hash, data, digest) &&
      lib.EVP_PKEY_sign(
        context,
        signature.address,
        result.address,
        digest.address,
        HASH_LENGTH[algorithm.hash],
      ) === 1
    );
  }

  function isValid(algorithm: Algorithm, key: PublicKey, data: Uint8Array, given: Uint8Array): boolean {
    const handle = publicHandle(key);
    if (handle === undefined) return false;
    put(signature, given);
    if (!('hash' in algorithm)) {
      const isDone =
        lib.EVP_DigestVerifyInit_ex(hashing, 0, 0, 0, 0, handle.key, 0) === 1 &&
        lib.EVP_DigestVerify(hashing, signature.address, given.length, addressOf(data), data.length) === 1;
      lib.EVP_MD_CTX_reset(hashing);
      return isDone;
    }
    const context = contextOf(handle, algorithm, lib.EVP_PKEY_verify_init);
    return (
      context !== 0 &&
      digestInto(algorithm.hash, data, digest) &&
      lib.EVP_PKEY_verify(
        context,
        signature.address,
        given.length,
        digest.address,
        HASH_LENGTH[algorithm.hash],
      ) === 1
    );
  }

  function addressOf(data: Uint8Array): number {
    return data.length <= MAX_SMALL ? put(encoded, data) : memory.addressOf(data);
  }

  return {
    sign(algorithm, key, data) {
      if (!isOurs(algorithm, key.kind.type)) return others.sign(algorithm, key, data);
      if (!fits(algorithm, key.kind)) throw misfit(algorithm, key.kind.type);
      if (signInto(algorithm, key, data)) return signature.bytes.slice(0, result.value);
      lib.ERR_clear_error();
      // An RSA key too small for the hash: that one knows what to say.
      return others.sign(algorithm, key, data);
    },
    verify(algorithm, key, data, given) {
      if (!isOurs(algorithm, key.kind.type)) return others.verify(algorithm, key, data, given);
      if (!fits(algorithm, key.kind) || given.length > MAX_SIGNATURE) return false;
      if (isValid(algorithm, key, data, given)) return true;
      lib.ERR_clear_error();
      return false;
    },
  };
}

function isOurs(algorithm: SignatureAlgorithm, type: PublicKey['kind']['type']): algorithm is Algorithm {
  switch (algorithm.name) {
    case 'ecdsa':
    case 'ed25519':
    case 'ed448':
      return true;
    case 'rsa-pss':
      return type === 'rsa';
    case 'rsa-pkcs1':
      return algorithm.hash !== 'none' && algorithm.hash !== 'md5-sha1';
    default:
      return false;
  }
}

/** Makes a key of OpenSSL's from the numbers or the point of a public key: 0 when it is none. */
function publicKeyMaker(native: Native, curves: NativeCurves): (key: PublicKey) => number {
  const { lib, memory, result } = native;
  const modulus = memory.reserve(MAX_SIGNATURE);
  const exponent = memory.reserve(8);
  const point = memory.reserve(MAX_POINT);
  const numbers = new Parameters(memory, 2);
  const making = lib.EVP_PKEY_CTX_new_from_name(0, memory.text('RSA'), 0);
  if (lib.EVP_PKEY_fromdata_init(making) !== 1) throw new Error('libcrypto has no RSA');

  return (key) => {
    const parsed = parsedPublicKey(key);
    if ('point' in parsed) {
      const { kind } = parsed;
      const { length } = parsed.point;
      const address = put(point, parsed.point);
      if (kind.type === 'ec') return curves.publicKey(kind.curve, address, length);
      return lib.EVP_PKEY_new_raw_public_key_ex(0, memory.text(kind.type.toUpperCase()), 0, address, length);
    }
    if (!('modulus' in parsed)) return 0;
    putReversed(modulus.bytes, parsed.modulus);
    putReversed(exponent.bytes, parsed.exponent);
    numbers
      .clear()
      .add('n', 'unsigned', modulus, parsed.modulus.length)
      .add('e', 'unsigned', exponent, parsed.exponent.length);
    result.value = 0;
    return lib.EVP_PKEY_fromdata(making, result.address, PUBLIC_KEY, numbers.address) === 1
      ? result.value
      : 0;
  };
}

function putReversed(to: Uint8Array, magnitude: Uint8Array): void {
  for (let i = 0, last = magnitude.length - 1; i <= last; i++) to[i] = magnitude[last - i]!;
}

/** In bytes: as long as the longest modulus that is accepted. */
const MAX_SIGNATURE = RSA_MAX_BITS / 8;
/** PrivateKeyInfo of the longest RSA key: nine numbers, most of half the modulus' length. */
const MAX_ENCODED = 5 * MAX_SIGNATURE;
/** Up to here the data of EdDSA is copied. */
const MAX_SMALL = 512;
const MAX_POINT = 133;

/** Of openssl/rsa.h. */
const PKCS1_PADDING = 1;
const PSS_PADDING = 6;
