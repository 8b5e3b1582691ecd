import { copyOf } from '@testudo/codec';
import { type CryptoProvider, DIGEST_SIZES, type HashName, type Mac } from '../provider.ts';
import type { Place } from './memory.ts';
import { type Native, put } from './native.ts';

/**
 * HMAC in steps (RFC 2104 §2), each hash with one context for all keys of the thread. Whoever has begun a message has the
 * context until its end; should somebody else begin one meanwhile, which records do not, `others` serve it.
 */
export function macs(native: Native, others: CryptoProvider['mac']): CryptoProvider['mac'] {
  const contexts = new Map<HashName, MacContext | undefined>();
  return (hash, key) => {
    let context = contexts.get(hash);
    if (context === undefined && !contexts.has(hash)) {
      context = MacContext.open(native, hash);
      contexts.set(hash, context);
    }
    // A longer key is hashed first: who has one has no haste.
    if (context === undefined || key.length > DIGEST_SIZES[hash].block) return others(hash, key);
    const own = copyOf(key);
    return new OpensslMac(context, own, () => others(hash, own));
  };
}

class OpensslMac implements Mac {
  readonly #context: MacContext;
  readonly #inner: Uint8Array;
  readonly #outer: Uint8Array;
  readonly #makeOther: () => Mac;
  /** Of the message that was begun while the context was taken. */
  #other: Mac | undefined;

  constructor(context: MacContext, key: Uint8Array, makeOther: () => Mac) {
    this.#context = context;
    this.#inner = padded(key, 0x36, context.block);
    this.#outer = padded(key, 0x5c, context.block);
    this.#makeOther = makeOther;
  }

  update(data: Uint8Array): void {
    if (this.#begin()) this.#context.update(data);
    else this.#other!.update(data);
  }

  digest(): Uint8Array {
    if (this.#begin()) return this.#context.digest(this.#outer);
    const code = this.#other!.digest();
    this.#other = undefined;
    return code;
  }

  reset(): void {
    if (this.#context.owner === this) this.#context.owner = undefined;
    this.#other = undefined;
  }

  /** Whether the context is ours; it is taken for a message that begins. */
  #begin(): boolean {
    const context = this.#context;
    if (context.owner === this) return true;
    if (this.#other !== undefined) return false;
    if (context.owner === undefined) {
      context.begin(this, this.#inner);
      return true;
    }
    this.#other = this.#makeOther();
    return false;
  }
}

/** A hash's context, and who computes with it. */
class MacContext {
  readonly block: number;
  owner: Mac | undefined;
  readonly #native: Native;
  readonly #md: number;
  readonly #context: number;
  readonly #input: Place;
  readonly #output: Place;

  /** Undefined when this libcrypto lacks the hash. */
  static open(native: Native, hash: HashName): MacContext | undefined {
    const { lib, memory } = native;
    const md = lib.EVP_MD_fetch(0, memory.text(hash), 0);
    const context = md === 0 ? 0 : lib.EVP_MD_CTX_new();
    if (context !== 0) return new MacContext(native, hash, md, context);
    lib.ERR_clear_error();
    return undefined;
  }

  private constructor(native: Native, hash: HashName, md: number, context: number) {
    const { block, length } = DIGEST_SIZES[hash];
    this.block = block;
    this.#native = native;
    this.#md = md;
    this.#context = context;
    this.#input = native.memory.reserve(Math.max(block, SMALL));
    this.#output = native.memory.reserve(length);
  }

  begin(owner: Mac, inner: Uint8Array): void {
    this.#start(inner);
    this.owner = owner;
  }

  update(data: Uint8Array): void {
    const { length } = data;
    const address = length <= SMALL ? put(this.#input, data) : this.#native.memory.addressOf(data);
    this.#check(this.#native.lib.EVP_DigestUpdate(this.#context, address, length));
  }

  /** Ends the message: H(outer || H(inner || message)). */
  digest(outer: Uint8Array): Uint8Array {
    this.owner = undefined;
    const { lib } = this.#native;
    const { address, bytes } = this.#output;
    this.#check(lib.EVP_DigestFinal_ex(this.#context, address, 0));
    this.#start(outer);
    this.#check(lib.EVP_DigestUpdate(this.#context, address, bytes.length));
    this.#check(lib.EVP_DigestFinal_ex(this.#context, address, 0));
    this.#input.bytes.fill(0);
    return bytes.slice();
  }

  #start(block: Uint8Array): void {
    const { lib } = this.#native;
    this.#check(lib.EVP_DigestInit_ex(this.#context, this.#md, 0));
    this.#check(lib.EVP_DigestUpdate(this.#context, put(this.#input, block), block.length));
  }

  #check(result: number): void {
    if (result === 1) return;
    this.owner = undefined;
    this.#native.lib.ERR_clear_error();
    throw new Error('libcrypto failed to hash');
  }
}

/** Up to here data is copied. */
const SMALL = 64;

function padded(key: Uint8Array, byte: number, block: number): Uint8Array {
  const bytes = new Uint8Array(block).fill(byte);
  for (let i = 0; i < key.length; i++) bytes[i]! ^= key[i]!;
  return bytes;
}
