import { bytesEqual, copyOf } from '@testudo/codec';
import { CryptoError } from '../errors.ts';
import type { CryptoProvider, DecapsulationKey, Kem, KemName } from '../provider.ts';
import { KeyHandles } from './key-handles.ts';
import { type Native, put } from './native.ts';
import { KEYPAIR, Parameters } from './parameters.ts';

/** ML-KEM (FIPS 203) where libcrypto has it, which is from OpenSSL 3.5 on; `others` elsewhere. */
export function kems(native: Native, others: CryptoProvider['kem']): CryptoProvider['kem'] {
  const handles = new KeyHandles(native);
  const known = new Map<KemName, Kem | undefined>();
  return (name) => {
    let kem = known.get(name);
    if (kem === undefined) {
      const sizes = SIZES[name];
      kem = sizes && (mlKem(native, handles, name, sizes) ?? others(name));
      known.set(name, kem);
    }
    return kem;
  };
}

interface Sizes {
  readonly name: string;
  readonly encapsulationKey: number;
  readonly ciphertext: number;
}

/** Bytes (FIPS 203, table 3). */
const SIZES: Readonly<Record<KemName, Sizes>> = {
  'ml-kem-768': { name: 'ML-KEM-768', encapsulationKey: 1184, ciphertext: 1088 },
  'ml-kem-1024': { name: 'ML-KEM-1024', encapsulationKey: 1568, ciphertext: 1568 },
};
const SEED = 64;
const SECRET = 32;

/** Undefined when this libcrypto lacks it. */
function mlKem(native: Native, handles: KeyHandles, kemName: KemName, sizes: Sizes): Kem | undefined {
  const { lib, memory, result } = native;
  const name = memory.text(sizes.name);
  const generation = lib.EVP_PKEY_CTX_new_from_name(0, name, 0);
  const making = generation === 0 ? 0 : lib.EVP_PKEY_CTX_new_from_name(0, name, 0);
  const isReady =
    making !== 0 && lib.EVP_PKEY_keygen_init(generation) === 1 && lib.EVP_PKEY_fromdata_init(making) === 1;
  if (!isReady) {
    lib.ERR_clear_error();
    return undefined;
  }
  const seedPlace = memory.reserve(SEED);
  const publicPlace = memory.reserve(sizes.encapsulationKey);
  const ciphertextPlace = memory.reserve(sizes.ciphertext);
  const secret = memory.reserve(SECRET);
  const secretLength = memory.cell();
  const seedParameter = new Parameters(memory, 1).add('seed', 'octets', seedPlace, SEED);

  class OpensslDecapsulationKey implements DecapsulationKey {
    readonly encapsulationKey: Uint8Array;
    readonly #seed: Uint8Array;

    constructor(seed: Uint8Array, key: number) {
      this.#seed = seed;
      handles.get(this, () => key);
      const isDone =
        lib.EVP_PKEY_get_octet_string_param(
          key,
          memory.text('pub'),
          publicPlace.address,
          sizes.encapsulationKey,
          result.address,
        ) === 1;
      if (!isDone) throw failure();
      this.encapsulationKey = publicPlace.bytes.slice();
    }

    decapsulate(ciphertext: Uint8Array): Uint8Array {
      if (ciphertext.length !== sizes.ciphertext)
        throw new CryptoError('bad-length', `${kemName} takes a ciphertext of ${sizes.ciphertext} bytes`);
      const key = handles.get(this, () => fromSeed(this.#seed))?.key ?? 0;
      const context = key === 0 ? 0 : lib.EVP_PKEY_CTX_new_from_pkey(0, key, 0);
      result.value = SECRET;
      const isDone =
        context !== 0 &&
        lib.EVP_PKEY_decapsulate_init(context, 0) === 1 &&
        lib.EVP_PKEY_decapsulate(
          context,
          secret.address,
          result.address,
          put(ciphertextPlace, ciphertext),
          sizes.ciphertext,
        ) === 1;
      if (context !== 0) lib.EVP_PKEY_CTX_free(context);
      return taken(isDone);
    }
  }

  /** The shared secret out of its place. */
  function taken(isDone: boolean): Uint8Array {
    const shared = secret.bytes.slice();
    secret.bytes.fill(0);
    if (!isDone) throw failure();
    return shared;
  }

  function failure(): Error {
    lib.ERR_clear_error();
    return new Error(`libcrypto failed in ${kemName}`);
  }

  /** A new key of OpenSSL's; 0 when it refuses. */
  function fromSeed(seed: Uint8Array): number {
    put(seedPlace, seed);
    result.value = 0;
    const isDone = lib.EVP_PKEY_fromdata(making, result.address, KEYPAIR, seedParameter.address) === 1;
    seedPlace.bytes.fill(0);
    return isDone ? result.value : 0;
  }

  const kem: Kem = {
    isNative: true,
    generate(): DecapsulationKey {
      result.value = 0;
      if (lib.EVP_PKEY_generate(generation, result.address) !== 1) throw failure();
      const key = result.value;
      const isRead =
        lib.EVP_PKEY_get_octet_string_param(
          key,
          memory.text('seed'),
          seedPlace.address,
          SEED,
          result.address,
        ) === 1;
      if (!isRead) {
        lib.EVP_PKEY_free(key);
        throw failure();
      }
      const seed = seedPlace.bytes.slice();
      seedPlace.bytes.fill(0);
      return new OpensslDecapsulationKey(seed, key);
    },
    fromSeed(seed: Uint8Array): DecapsulationKey {
      if (seed.length !== SEED)
        throw new CryptoError('bad-length', `${kemName} takes a seed of ${SEED} bytes`);
      const key = fromSeed(seed);
      if (key === 0) throw failure();
      return new OpensslDecapsulationKey(copyOf(seed), key);
    },
    encapsulate(encapsulationKey: Uint8Array) {
      // OpenSSL checks that every coefficient is reduced (FIPS 203 §7.2).
      const key =
        encapsulationKey.length === sizes.encapsulationKey
          ? lib.EVP_PKEY_new_raw_public_key_ex(
              0,
              name,
              0,
              put(publicPlace, encapsulationKey),
              sizes.encapsulationKey,
            )
          : 0;
      if (key === 0) {
        lib.ERR_clear_error();
        throw new CryptoError('bad-key', `not an encapsulation key of ${kemName}`);
      }
      const context = lib.EVP_PKEY_CTX_new_from_pkey(0, key, 0);
      result.value = sizes.ciphertext;
      secretLength.value = SECRET;
      const isDone =
        context !== 0 &&
        lib.EVP_PKEY_encapsulate_init(context, 0) === 1 &&
        lib.EVP_PKEY_encapsulate(
          context,
          ciphertextPlace.address,
          result.address,
          secret.address,
          secretLength.address,
        ) === 1;
      if (context !== 0) lib.EVP_PKEY_CTX_free(context);
      lib.EVP_PKEY_free(key);
      return { ciphertext: ciphertextPlace.bytes.slice(), sharedSecret: taken(isDone) };
    },
  };
  return isSound(kem) ? kem : undefined;
}

/** That both sides come to one secret; a configuration of OpenSSL may keep no seeds, which are what a key is kept as here. */
function isSound(kem: Kem): boolean {
  try {
    const key = kem.generate();
    const { ciphertext, sharedSecret } = kem.encapsulate(key.encapsulationKey);
    return bytesEqual(key.decapsulate(ciphertext), sharedSecret);
  } catch {
    return false;
  }
}
