import { copyOf } from '@testudo/codec';
import { CryptoError } from '../errors.ts';
import { AEAD_NONCE_LENGTH, AEAD_SIZES, type Aead, type AeadName, type CryptoProvider } from '../provider.ts';
import { tailLength, withTail } from '../tail.ts';
import type { Libcrypto } from './functions.ts';
import { liesAcross, type Place } from './memory.ts';
import { MAX_INT, type Native } from './native.ts';

/**
 * AEADs over one context for each algorithm and direction, which serves all keys of the thread: setting a key anew costs
 * a tenth of making a context, and so no connection holds native memory.
 */
export function aeads(native: Native): CryptoProvider['aead'] {
  const places: Places = {
    key: native.memory.reserve(32),
    nonce: native.memory.reserve(AEAD_NONCE_LENGTH),
    tag: native.memory.reserve(16),
    additionalData: native.memory.reserve(SMALL),
    data: native.memory.reserve(SMALL + 16),
  };
  const ciphers = new Map<AeadName, AeadCipher | undefined>();
  return (name, key) => {
    let cipher = ciphers.get(name);
    if (cipher === undefined && !ciphers.has(name)) {
      cipher = AeadCipher.open(native, places, name);
      ciphers.set(name, cipher);
    }
    if (cipher === undefined) return undefined;
    const sizes = AEAD_SIZES[name];
    if (key.length !== sizes.key)
      throw new CryptoError('bad-key', `${name} takes a key of ${sizes.key} bytes`);
    return new OpensslAead(name, cipher, key);
  };
}

class OpensslAead implements Aead {
  readonly name: AeadName;
  readonly tagLength: number;
  readonly #cipher: AeadCipher;
  readonly #key: Uint8Array;

  constructor(name: AeadName, cipher: AeadCipher, key: Uint8Array) {
    this.name = name;
    this.tagLength = AEAD_SIZES[name].tag;
    this.#cipher = cipher;
    this.#key = copyOf(key);
  }

  seal(
    nonce: Uint8Array,
    additionalData: Uint8Array,
    plaintext: Uint8Array,
    out: Uint8Array,
    at: number,
    tail?: Uint8Array,
  ): void {
    this.#cipher.seal(this, this.#key, nonce, additionalData, plaintext, out, at, tail);
  }

  open(
    nonce: Uint8Array,
    additionalData: Uint8Array,
    sealed: Uint8Array,
    room?: Uint8Array,
  ): Uint8Array | undefined {
    return this.#cipher.open(this, this.#key, nonce, additionalData, sealed, room);
  }
}

/** Where the arguments of a call lie. Shared, since a call ends before the next one begins. */
interface Places {
  readonly key: Place;
  readonly nonce: Place;
  readonly tag: Place;
  readonly additionalData: Place;
  readonly data: Place;
}

/** One algorithm: a context to seal and one to open. */
class AeadCipher {
  readonly #native: Native;
  readonly #places: Places;
  readonly #name: AeadName;
  readonly #tagLength: number;
  readonly #isCcm: boolean;
  readonly #sealing: number;
  readonly #opening: number;
  /** Whose key each context holds. */
  #sealer: Aead | undefined;
  #opener: Aead | undefined;

  /** Undefined when this libcrypto lacks the algorithm. */
  static open(native: Native, places: Places, name: AeadName): AeadCipher | undefined {
    const { lib, memory } = native;
    const cipher = lib.EVP_CIPHER_fetch(0, memory.text(name.replace(/-8$/, '')), 0);
    if (cipher === 0) {
      lib.ERR_clear_error();
      return undefined;
    }
    return new AeadCipher(native, places, name, cipher);
  }

  private constructor(native: Native, places: Places, name: AeadName, cipher: number) {
    this.#native = native;
    this.#places = places;
    this.#name = name;
    this.#tagLength = AEAD_SIZES[name].tag;
    this.#isCcm = name.includes('-ccm');
    const { lib } = native;
    this.#sealing = lib.EVP_CIPHER_CTX_new();
    this.#opening = lib.EVP_CIPHER_CTX_new();
    const isReady =
      this.#sealing !== 0 &&
      this.#opening !== 0 &&
      lib.EVP_EncryptInit_ex(this.#sealing, cipher, 0, 0, 0) === 1 &&
      lib.EVP_DecryptInit_ex(this.#opening, cipher, 0, 0, 0) === 1 &&
      lib.EVP_CIPHER_CTX_ctrl(this.#sealing, SET_IV_LENGTH, AEAD_NONCE_LENGTH, 0) === 1 &&
      lib.EVP_CIPHER_CTX_ctrl(this.#opening, SET_IV_LENGTH, AEAD_NONCE_LENGTH, 0) === 1;
    if (!isReady) throw new Error(`libcrypto does not set up ${name}`);
  }

  seal(
    owner: Aead,
    key: Uint8Array,
    nonce: Uint8Array,
    additionalData: Uint8Array,
    plaintext: Uint8Array,
    out: Uint8Array,
    at: number,
    tail: Uint8Array | undefined,
  ): void {
    // CCM takes all at once, or nothing.
    if (tail !== undefined && this.#isCcm) {
      this.seal(owner, key, nonce, additionalData, withTail(plaintext, tail), out, at, undefined);
      return;
    }
    const first = plaintext.length;
    const rest = tailLength(tail);
    const length = first + rest;
    this.#checkLengths(nonce, additionalData, length);
    if (!(at >= 0 && out.length - at >= length + this.#tagLength))
      throw new CryptoError('bad-length', 'no room for ciphertext and tag');
    const { lib, memory, result } = this.#native;
    const { tag, data } = this.#places;
    const context = this.#sealing;
    // Before anything is handed over: it may copy, and so let V8 move what is small.
    const text = length <= SMALL ? undefined : apart(plaintext, out, at);
    const isReady = this.#sealer === owner && !this.#isCcm;
    this.#sealer = undefined;
    let isDone =
      this.#beginSealing(key, nonce, isReady, length) &&
      this.#authenticate(lib.EVP_EncryptUpdate, context, additionalData);
    if (text === undefined) {
      data.bytes.set(plaintext);
      if (tail !== undefined) data.bytes.set(tail, first);
      isDone &&=
        // CCM wants the call for an empty text, too.
        ((length === 0 && !this.#isCcm) ||
          lib.EVP_EncryptUpdate(context, data.address, result.address, data.address, length) === 1) &&
        lib.EVP_EncryptFinal_ex(context, data.address, result.address) === 1;
      if (isDone) copy(data.bytes, length, out, at);
      data.bytes.fill(0, 0, length);
    } else {
      // In place its own may be overwritten.
      if (tail !== undefined) data.bytes.set(tail);
      const target = memory.addressOf(out) + at;
      const source =
        text.buffer === out.buffer ? target - at - out.byteOffset + text.byteOffset : memory.addressOf(text);
      isDone &&=
        lib.EVP_EncryptUpdate(context, target, result.address, source, first) === 1 &&
        (rest === 0 ||
          lib.EVP_EncryptUpdate(context, target + first, result.address, data.address, rest) === 1) &&
        lib.EVP_EncryptFinal_ex(context, target, result.address) === 1;
      data.bytes.fill(0, 0, rest);
    }
    isDone &&= lib.EVP_CIPHER_CTX_ctrl(context, GET_TAG, this.#tagLength, tag.address) === 1;
    if (!isDone) throw this.#failure();
    copy(tag.bytes, this.#tagLength, out, at + length);
    this.#sealer = owner;
  }

  open(
    owner: Aead,
    key: Uint8Array,
    nonce: Uint8Array,
    additionalData: Uint8Array,
    sealed: Uint8Array,
    room: Uint8Array | undefined,
  ): Uint8Array | undefined {
    const length = sealed.length - this.#tagLength;
    this.#checkLengths(nonce, additionalData, length);
    if (length < 0) return undefined;
    const { lib, memory, result } = this.#native;
    const { tag, data } = this.#places;
    const context = this.#opening;
    const isSmall = length <= SMALL;
    const out = isSmall ? data.bytes : roomFor(length, sealed, room);
    copyFrom(sealed, length, this.#tagLength, tag.bytes);
    const isReady = this.#opener === owner && !this.#isCcm;
    this.#opener = undefined;
    const isSetUp =
      this.#beginOpening(key, nonce, isReady, length) &&
      this.#authenticate(lib.EVP_DecryptUpdate, context, additionalData);
    if (!isSetUp) throw this.#failure();
    let source: number;
    let target: number;
    if (isSmall) {
      copyFrom(sealed, 0, length, data.bytes);
      source = data.address;
      target = source;
    } else {
      source = memory.addressOf(sealed);
      target =
        out.buffer === sealed.buffer ? source - sealed.byteOffset + out.byteOffset : memory.addressOf(out);
    }
    // CCM compares the tag here, the others in the last call.
    const isAuthentic =
      ((length === 0 && !this.#isCcm) ||
        lib.EVP_DecryptUpdate(context, target, result.address, source, length) === 1) &&
      (this.#isCcm || lib.EVP_DecryptFinal_ex(context, target, result.address) === 1);
    // Set once more: CCM's context is set up for each record in any case.
    this.#opener = owner;
    if (!isAuthentic) {
      out.fill(0, 0, length);
      lib.ERR_clear_error();
      return undefined;
    }
    if (!isSmall) return out;
    const plaintext = out.slice(0, length);
    out.fill(0, 0, length);
    return plaintext;
  }

  /** CCM is told the length of the text first, and wants its key each time. */
  #beginSealing(key: Uint8Array, nonce: Uint8Array, isReady: boolean, length: number): boolean {
    const { lib, result } = this.#native;
    const context = this.#sealing;
    if (!this.#isCcm)
      return this.#initialize(lib.EVP_EncryptInit_ex, context, isReady ? undefined : key, nonce);
    return (
      lib.EVP_CIPHER_CTX_ctrl(context, SET_TAG, this.#tagLength, 0) === 1 &&
      this.#initialize(lib.EVP_EncryptInit_ex, context, key, nonce) &&
      lib.EVP_EncryptUpdate(context, 0, result.address, 0, length) === 1
    );
  }

  /** The tag lies in its place: CCM takes it before the key, the others after it. */
  #beginOpening(key: Uint8Array, nonce: Uint8Array, isReady: boolean, length: number): boolean {
    const { lib, result } = this.#native;
    const context = this.#opening;
    const tag = this.#places.tag.address;
    if (!this.#isCcm)
      return (
        this.#initialize(lib.EVP_DecryptInit_ex, context, isReady ? undefined : key, nonce) &&
        lib.EVP_CIPHER_CTX_ctrl(context, SET_TAG, this.#tagLength, tag) === 1
      );
    return (
      lib.EVP_CIPHER_CTX_ctrl(context, SET_TAG, this.#tagLength, tag) === 1 &&
      this.#initialize(lib.EVP_DecryptInit_ex, context, key, nonce) &&
      lib.EVP_DecryptUpdate(context, 0, result.address, 0, length) === 1
    );
  }

  #initialize(
    init: Libcrypto['EVP_EncryptInit_ex'],
    context: number,
    key: Uint8Array | undefined,
    nonce: Uint8Array,
  ): boolean {
    const { key: keyPlace, nonce: noncePlace } = this.#places;
    noncePlace.bytes.set(nonce);
    if (key === undefined) return init(context, 0, 0, 0, noncePlace.address) === 1;
    keyPlace.bytes.set(key);
    const isDone = init(context, 0, 0, keyPlace.address, noncePlace.address) === 1;
    keyPlace.bytes.fill(0);
    return isDone;
  }

  #authenticate(
    update: Libcrypto['EVP_EncryptUpdate'],
    context: number,
    additionalData: Uint8Array,
  ): boolean {
    const { length } = additionalData;
    if (length === 0) return true;
    const { memory, result } = this.#native;
    const place = this.#places.additionalData;
    let address = place.address;
    if (length <= SMALL) place.bytes.set(additionalData);
    else address = memory.addressOf(additionalData);
    return update(context, 0, result.address, address, length) === 1;
  }

  #checkLengths(nonce: Uint8Array, additionalData: Uint8Array, length: number): void {
    if (nonce.length !== AEAD_NONCE_LENGTH)
      throw new CryptoError('bad-length', `${this.#name} takes a nonce of ${AEAD_NONCE_LENGTH} bytes`);
    // RFC 3610 §2.1: a 12-byte nonce leaves CCM three bytes for the length.
    if (length > (this.#isCcm ? 0xff_ffff : MAX_INT) || additionalData.length > MAX_INT)
      throw new CryptoError('bad-length', `${this.#name} does not take that many bytes at once`);
  }

  #failure(): Error {
    this.#native.lib.ERR_clear_error();
    return new Error(`libcrypto failed in ${this.#name}`);
  }
}

/** EVP_CTRL_AEAD_… of openssl/evp.h. */
const SET_IV_LENGTH = 0x9;
const GET_TAG = 0x10;
const SET_TAG = 0x11;

/** Up to here data is copied: V8 keeps arrays of 64 bytes and less in its heap, and finds their address by moving them out. */
const SMALL = 64;

/** The plaintext, copied if it overlaps with the place of its ciphertext without beginning there. */
function apart(plaintext: Uint8Array, out: Uint8Array, at: number): Uint8Array {
  if (plaintext.buffer !== out.buffer) return plaintext;
  const distance = plaintext.byteOffset - out.byteOffset - at;
  return distance === 0 || Math.abs(distance) >= plaintext.length + 16 ? plaintext : copyOf(plaintext);
}

function roomFor(length: number, sealed: Uint8Array, room: Uint8Array | undefined): Uint8Array {
  if (room === undefined || room.length < length || liesAcross(room, sealed, sealed.length))
    return fresh(length);
  return room.length === length ? room : room.subarray(0, length);
}

/** Not filled with zeros first: all of it is written, or it is let go of. */
function fresh(length: number): Uint8Array {
  return new Uint8Array(Buffer.allocUnsafeSlow(length).buffer);
}

function copy(source: Uint8Array, length: number, out: Uint8Array, at: number): void {
  for (let i = 0; i < length; i++) out[at + i] = source[i]!;
}

function copyFrom(source: Uint8Array, start: number, length: number, out: Uint8Array): void {
  for (let i = 0; i < length; i++) out[i] = source[start + i]!;
}
