import { copyOf } from '@testudo/codec';
import { CIPHER_SIZES, checkCipherLengths, checkWholeBlocks, type SizedCipherName } from '../cipher-sizes.ts';
import { CryptoError } from '../errors.ts';
import type { Cipher, CipherName, CryptoProvider } from '../provider.ts';
import { liesAcross, type Place } from './memory.ts';
import { MAX_INT, type Native, put } from './native.ts';

/**
 * CBC and ECB over one context for each algorithm and direction. What goes on from one call to the next is the IV, which is the
 * last block of ciphertext, and stays bytes. `others` have the stream ciphers, whose state is OpenSSL's own.
 */
export function ciphers(native: Native, others: CryptoProvider['cipher']): CryptoProvider['cipher'] {
  const places = { key: native.memory.reserve(32), iv: native.memory.reserve(16) };
  const contexts = new Map<string, BlockContext | undefined>();
  return (name, direction, key, iv) => {
    if (!isBlockCipher(name)) return others(name, direction, key, iv);
    const id = `${name} ${direction}`;
    let context = contexts.get(id);
    if (context === undefined && !contexts.has(id)) {
      context = BlockContext.open(native, places, name, direction);
      contexts.set(id, context);
    }
    if (context === undefined) return others(name, direction, key, iv);
    checkCipherLengths(name, key, iv);
    return new BlockCipher(context, key, iv);
  };
}

function isBlockCipher(name: CipherName): name is SizedCipherName {
  return name.endsWith('-cbc') || name.endsWith('-ecb');
}

class BlockCipher implements Cipher {
  readonly #context: BlockContext;
  readonly #key: Uint8Array;
  readonly #iv: Uint8Array;

  constructor(context: BlockContext, key: Uint8Array, iv: Uint8Array) {
    this.#context = context;
    this.#key = copyOf(key);
    this.#iv = copyOf(iv);
  }

  update(data: Uint8Array, room?: Uint8Array): Uint8Array {
    return this.#context.update(this, this.#key, this.#iv, data, room);
  }
}

interface Places {
  readonly key: Place;
  readonly iv: Place;
}

class BlockContext {
  readonly #native: Native;
  readonly #places: Places;
  readonly #name: SizedCipherName;
  readonly #encrypts: boolean;
  readonly #context: number;
  /** Whose key it holds. */
  #owner: Cipher | undefined;

  /** Undefined when this libcrypto lacks the algorithm. */
  static open(
    native: Native,
    places: Places,
    name: SizedCipherName,
    direction: 'encrypt' | 'decrypt',
  ): BlockContext | undefined {
    const { lib, memory } = native;
    const algorithm = name === '3des-cbc' ? 'des-ede3-cbc' : name;
    const cipher = lib.EVP_CIPHER_fetch(0, memory.text(algorithm), 0);
    const context = cipher === 0 ? 0 : lib.EVP_CIPHER_CTX_new();
    const encrypts = direction === 'encrypt';
    const init = encrypts ? lib.EVP_EncryptInit_ex : lib.EVP_DecryptInit_ex;
    const isReady =
      context !== 0 &&
      init(context, cipher, 0, 0, 0) === 1 &&
      lib.EVP_CIPHER_CTX_set_padding(context, 0) === 1;
    if (isReady) return new BlockContext(native, places, name, encrypts, context);
    if (context !== 0) lib.EVP_CIPHER_CTX_free(context);
    lib.ERR_clear_error();
    return undefined;
  }

  private constructor(
    native: Native,
    places: Places,
    name: SizedCipherName,
    encrypts: boolean,
    context: number,
  ) {
    this.#native = native;
    this.#places = places;
    this.#name = name;
    this.#encrypts = encrypts;
    this.#context = context;
  }

  /** Takes the IV, and leaves the next one in it. */
  update(
    owner: Cipher,
    key: Uint8Array,
    iv: Uint8Array,
    data: Uint8Array,
    room: Uint8Array | undefined,
  ): Uint8Array {
    checkWholeBlocks(this.#name, data);
    const { length } = data;
    if (length === 0) return new Uint8Array(0);
    if (length > MAX_INT)
      throw new CryptoError('bad-length', `${this.#name} does not take that many bytes at once`);
    const { block } = CIPHER_SIZES[this.#name];
    const { lib, memory, result } = this.#native;
    const out = roomFor(data, room);
    // Decryption in place overwrites it.
    const last = this.#encrypts || iv.length === 0 ? undefined : copyOf(data.subarray(length - block));
    const isDone =
      this.#start(owner, key, iv) &&
      (this.#encrypts ? lib.EVP_EncryptUpdate : lib.EVP_DecryptUpdate)(
        this.#context,
        memory.addressOf(out),
        result.address,
        memory.addressOf(data),
        length,
      ) === 1;
    if (!isDone) throw this.#failure();
    this.#owner = owner;
    if (iv.length > 0) iv.set(last ?? out.subarray(length - block, length));
    return out;
  }

  #start(owner: Cipher, key: Uint8Array, iv: Uint8Array): boolean {
    const { key: keyPlace, iv: ivPlace } = this.#places;
    const init = this.#encrypts ? this.#native.lib.EVP_EncryptInit_ex : this.#native.lib.EVP_DecryptInit_ex;
    const ivAddress = iv.length === 0 ? 0 : put(ivPlace, iv);
    const isReady = this.#owner === owner;
    this.#owner = undefined;
    // Without an IV nothing is carried on, and so nothing is to be set anew.
    if (isReady) return ivAddress === 0 || init(this.#context, 0, 0, 0, ivAddress) === 1;
    const isDone = init(this.#context, 0, 0, put(keyPlace, key), ivAddress) === 1;
    keyPlace.bytes.fill(0);
    return isDone;
  }

  #failure(): Error {
    this.#native.lib.ERR_clear_error();
    return new Error(`libcrypto failed in ${this.#name}`);
  }
}

/** `room` where it is as long as the data, and is apart from it or begins where it begins. */
function roomFor(data: Uint8Array, room: Uint8Array | undefined): Uint8Array {
  const { length } = data;
  const isUsable = room !== undefined && room.length === length && !liesAcross(room, data, length);
  return isUsable ? room : new Uint8Array(length);
}
