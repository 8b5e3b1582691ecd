/**
 * The one door to cryptographic primitives. Everything is synchronous; three implementations exist:
 * `@testudo/crypto/openssl` (OpenSSL, called straight), `@testudo/crypto/node` (OpenSSL through `node:crypto`) and
 * `@testudo/crypto/portable` (noble). What a provider cannot do, its look-ups answer with `undefined`, so that a caller
 * never offers what it cannot keep.
 *
 * Inputs are never changed. Outputs are fresh byte arrays. Where either is otherwise, it says so.
 */
export interface CryptoProvider {
  /** `openssl`, `node` or `portable`. */
  readonly name: string;

  /** Unpredictable bytes from the system's generator. */
  randomBytes(length: number): Uint8Array;
  /** Compares secrets in time that depends on the lengths only. Different lengths are unequal. */
  equal(a: Uint8Array, b: Uint8Array): boolean;

  /** One-shot digest. */
  digest(hash: DigestName, data: Uint8Array): Uint8Array;
  /** A digest in steps. */
  hash(hash: HashName): Hash;
  /** HMAC (RFC 2104). */
  hmac(hash: DigestName, key: Uint8Array, data: Uint8Array): Uint8Array;
  /** An HMAC in steps, whose key is prepared once for any number of messages. */
  mac(hash: HashName, key: Uint8Array): Mac;
  /** HKDF-Extract (RFC 5869 §2.2). An empty salt stands for zeros of the hash's length. */
  hkdfExtract(hash: HashName, salt: Uint8Array, inputKey: Uint8Array): Uint8Array;
  /** HKDF-Expand (RFC 5869 §2.3). Throws {@link CryptoError} `bad-length` over 255 hash lengths. */
  hkdfExpand(hash: HashName, key: Uint8Array, info: Uint8Array, length: number): Uint8Array;
  /**
   * PBKDF2 with HMAC (RFC 8018 §5.2), up to 1024 bytes. The work grows with `iterations`, which the caller bounds.
   * Throws `bad-length` on numbers that it does not take.
   */
  pbkdf2(
    hash: DigestName,
    password: Uint8Array,
    salt: Uint8Array,
    iterations: number,
    length: number,
  ): Uint8Array;
  /**
   * scrypt (RFC 7914), up to 1024 bytes. It takes 128 · N · r bytes of memory and time in N · r · p: the caller bounds
   * them. Throws `bad-length` on costs that it does not take.
   */
  scrypt(password: Uint8Array, salt: Uint8Array, cost: ScryptCost, length: number): Uint8Array;

  /** An AEAD under one key. Undefined when the provider lacks it. Throws `bad-key` on a key of the wrong length. */
  aead(name: AeadName, key: Uint8Array): Aead | undefined;
  /**
   * A raw block or stream cipher, without padding; undefined when the provider lacks it. It runs on from one `update` to
   * the next. So one cipher serves all records where each takes its IV from the one before (CBC in SSL 3.0 and TLS 1.0)
   * or where there is one stream (RC4). For a record with an IV of its own (CBC in TLS 1.1 and 1.2) make a cipher for it:
   * `cipher(name, direction, key, iv)!.update(record)`. Cheaper is one cipher for all of these records too, from any IV:
   * decrypt the record's IV and ciphertext in one `update` and drop the first block; to encrypt, put a block of random
   * bytes before the plaintext, which becomes the IV (RFC 4346 §6.2.3.2, case 2b).
   * Throws `bad-key` on a key, and `bad-length` on an IV, of the wrong length.
   */
  cipher(
    name: CipherName,
    direction: 'encrypt' | 'decrypt',
    key: Uint8Array,
    iv: Uint8Array,
  ): Cipher | undefined;

  /** A Diffie-Hellman function; undefined when the provider lacks it. */
  keyAgreement(curve: CurveName): KeyAgreement | undefined;
  /**
   * Diffie-Hellman in a group of a prime field (RFC 7919, RFC 3526, or a server's own); undefined when the provider lacks
   * it. Both numbers are big-endian. Whether the prime is one is not checked: see {@link finiteFieldGroup} and
   * {@link finiteFieldFault}. Throws `bad-key` when the prime is even or not of 512 to 8192 bits, or the generator
   * not in 2 to p - 2.
   */
  finiteField(prime: Uint8Array, generator: Uint8Array): KeyAgreement | undefined;
  /** A key encapsulation mechanism; undefined when the provider lacks it. */
  kem(name: KemName): Kem | undefined;

  /**
   * Parses a SubjectPublicKeyInfo (DER). Throws `bad-key`, or `unsupported` for an algorithm it lacks.
   * A provider may look at whether a point is on its curve only when the key is used: such a key verifies nothing.
   * RSA moduli have 505 to 16384 bits and exponents up to 64; DSA primes have 512 to 3072; EC points are uncompressed.
   */
  importPublicKey(spki: Uint8Array): PublicKey;
  /** Parses an unencrypted PKCS#8 PrivateKeyInfo (DER). Throws as {@link importPublicKey}. */
  importPrivateKey(pkcs8: Uint8Array): PrivateKey;
  /** Makes a key pair. RSA takes the modulus length in bits, DSA that of p: 1024, 2048 or 3072. Throws `unsupported`. */
  generateKey(kind: KeySpec): PrivateKey;
  /**
   * Signs `data` (not its digest). ECDSA and DSA signatures are DER (RFC 3279); ML-DSA's context is empty.
   * Throws `bad-key` when key and algorithm do not fit.
   */
  sign(algorithm: SignatureAlgorithm, key: PrivateKey, data: Uint8Array): Uint8Array;
  /** False for every signature that is not valid, whatever is wrong with it, and for a key that does not fit. */
  verify(algorithm: SignatureAlgorithm, key: PublicKey, data: Uint8Array, signature: Uint8Array): boolean;
  /** RSAES-PKCS1-v1_5 encryption (for RSA key transport). Throws `bad-length` when the message is too long. */
  rsaEncrypt(key: PublicKey, message: Uint8Array): Uint8Array;
  /**
   * RSADP without unpadding (RFC 8017 §5.1.2): as many bytes as the modulus. Throws `bad-length` out of range, and
   * `unsupported` where it cannot be done in constant time (the portable provider).
   */
  rsaDecryptRaw(key: PrivateKey, ciphertext: Uint8Array): Uint8Array;
}

export type HashName = 'md5' | 'sha1' | 'sha224' | 'sha256' | 'sha384' | 'sha512';

/** Digest length in bytes. */
export const HASH_LENGTH: Readonly<Record<HashName, number>> = {
  md5: 16,
  sha1: 20,
  sha224: 28,
  sha256: 32,
  sha384: 48,
  sha512: 64,
};

/** With those that protect files and do nothing else here. */
export type DigestName =
  | HashName
  | 'ripemd160'
  | 'sha512-224'
  | 'sha512-256'
  | 'sha3-224'
  | 'sha3-256'
  | 'sha3-384'
  | 'sha3-512';

/** Of each digest: its length, and the block that HMAC pads a key to (RFC 2104 §2), in bytes. */
export const DIGEST_SIZES: Readonly<Record<DigestName, { readonly length: number; readonly block: number }>> =
  {
    md5: { length: 16, block: 64 },
    sha1: { length: 20, block: 64 },
    sha224: { length: 28, block: 64 },
    sha256: { length: 32, block: 64 },
    sha384: { length: 48, block: 128 },
    sha512: { length: 64, block: 128 },
    ripemd160: { length: 20, block: 64 },
    'sha512-224': { length: 28, block: 128 },
    'sha512-256': { length: 32, block: 128 },
    'sha3-224': { length: 28, block: 144 },
    'sha3-256': { length: 32, block: 136 },
    'sha3-384': { length: 48, block: 104 },
    'sha3-512': { length: 64, block: 72 },
  };

export interface Hash {
  update(data: Uint8Array): void;
  /** The digest of everything so far; more may follow. */
  digest(): Uint8Array;
}

/** HMAC (RFC 2104) of one message after another, all under one key. */
export interface Mac {
  update(data: Uint8Array): void;
  /** The code of what came since the last `digest` or `reset`; the next `update` begins another message. */
  digest(): Uint8Array;
  /** Forgets a message begun. Not needed after `digest`. */
  reset(): void;
}

/** Costs of scrypt by the names of RFC 7914 §2: memory and time, block size, parallelization. N is a power of two. */
export interface ScryptCost {
  readonly N: number;
  readonly r: number;
  readonly p: number;
}

export type AeadName =
  | 'aes-128-gcm'
  | 'aes-256-gcm'
  | 'chacha20-poly1305'
  | 'aes-128-ccm'
  | 'aes-256-ccm'
  | 'aes-128-ccm-8'
  | 'aes-256-ccm-8'
  | 'aria-128-gcm'
  | 'aria-256-gcm'
  | 'camellia-128-gcm'
  | 'camellia-256-gcm';

/** Key and tag length of each AEAD, in bytes. Every nonce is 12 bytes. */
export const AEAD_SIZES: Readonly<Record<AeadName, { readonly key: number; readonly tag: number }>> = {
  'aes-128-gcm': { key: 16, tag: 16 },
  'aes-256-gcm': { key: 32, tag: 16 },
  'chacha20-poly1305': { key: 32, tag: 16 },
  'aes-128-ccm': { key: 16, tag: 16 },
  'aes-256-ccm': { key: 32, tag: 16 },
  'aes-128-ccm-8': { key: 16, tag: 8 },
  'aes-256-ccm-8': { key: 32, tag: 8 },
  'aria-128-gcm': { key: 16, tag: 16 },
  'aria-256-gcm': { key: 32, tag: 16 },
  'camellia-128-gcm': { key: 16, tag: 16 },
  'camellia-256-gcm': { key: 32, tag: 16 },
};

/** Length of every AEAD nonce here, in bytes. */
export const AEAD_NONCE_LENGTH = 12;

/** Most bytes of the second piece of a plaintext. */
export const MAX_TAIL = 16;

/** Authenticated encryption with associated data (RFC 5116 §2), the tag behind the ciphertext. */
export interface Aead {
  readonly name: AeadName;
  /** Tag length in bytes. */
  readonly tagLength: number;
  /**
   * Encrypts `plaintext` and writes ciphertext and tag, `plaintext.length + tagLength` bytes, to `out` at `at`.
   * `plaintext` may be a view on the same place in `out`: encryption in place is the fast way.
   *
   * @param tail more plaintext behind it, at most {@link MAX_TAIL} bytes, so that who adds a byte need not copy the rest. Default none.
   *   Throws {@link CryptoError} `bad-length` where it is longer, or `out` too short.
   */
  seal(
    nonce: Uint8Array,
    additionalData: Uint8Array,
    plaintext: Uint8Array,
    out: Uint8Array,
    at: number,
    tail?: Uint8Array,
  ): void;
  /**
   * Decrypts ciphertext with its tag at the end; undefined when it is not authentic.
   *
   * Without `room` the plaintext is fresh bytes, which the caller owns. `room` is memory that the caller owns, that nobody else
   * reads, and that it gives away until it lets go of the plaintext: the plaintext may be a view on it, or fresh bytes. It may be
   * `sealed` itself, which is the fast way: decryption in place. What it holds afterwards, also after a failure, is undefined but
   * for the plaintext that was returned; bytes that are not authentic do not stay in it.
   */
  open(
    nonce: Uint8Array,
    additionalData: Uint8Array,
    sealed: Uint8Array,
    room?: Uint8Array,
  ): Uint8Array | undefined;
}

/**
 * CBC and CTR take a 16-byte IV (8 for 3DES); ECB and `rc4` take none. ChaCha20 takes 16 bytes: a 32-bit little-endian
 * block counter, then the 12-byte nonce (as the sample of RFC 9001 §5.4.4). 3DES takes a 24-byte key, `rc4` 5 to 256.
 */
export type CipherName =
  | 'aes-128-cbc'
  | 'aes-192-cbc'
  | 'aes-256-cbc'
  | 'aes-128-ctr'
  | 'aes-256-ctr'
  | 'aes-128-ecb'
  | 'aes-256-ecb'
  | '3des-cbc'
  | 'camellia-128-cbc'
  | 'camellia-192-cbc'
  | 'camellia-256-cbc'
  | 'aria-128-cbc'
  | 'aria-192-cbc'
  | 'aria-256-cbc'
  | 'sm4-cbc'
  | 'chacha20'
  | 'rc4';

export interface Cipher {
  /**
   * The next bytes of the stream. CBC and ECB: whole blocks only, throws `bad-length` otherwise. The result is `room`, which is
   * as long as the data and may be it, or fresh bytes: see {@link Aead.open}.
   */
  update(data: Uint8Array, room?: Uint8Array): Uint8Array;
}

export type CurveName = 'x25519' | 'x448' | EcCurve;

/**
 * Public values: points of the curves of {@link EcCurve} are uncompressed (SEC 1 §2.3.3), those of the Montgomery curves
 * raw (RFC 7748), and those of a prime field big-endian and as long as the prime. */
export interface KeyAgreement {
  /** A fresh ephemeral key. */
  generate(): AgreementKey;
  /** A key of known private bytes (for vectors and static keys). Throws `bad-key`. */
  fromPrivate(privateKey: Uint8Array): AgreementKey;
}

export interface AgreementKey {
  readonly publicKey: Uint8Array;
  /**
   * The shared secret: the x coordinate, the Montgomery function's output, or the number as long as the prime (TLS 1.2 and
   * before strip its leading zeros, RFC 5246 §8.1.2). Throws `bad-key` on a point that is not on the curve, on an
   * all-zero result (RFC 7748 §6), and in a prime field on 0, 1, p - 1 and what is not less than p, or longer.
   */
  agree(peerPublicKey: Uint8Array): Uint8Array;
}

export type KemName = 'ml-kem-768' | 'ml-kem-1024';

export interface Kem {
  /** True when native code does it, so that an operation costs microseconds and not milliseconds. */
  readonly isNative: boolean;
  generate(): DecapsulationKey;
  /** From the 64-byte seed d || z (FIPS 203 §6.1). Throws `bad-length`. */
  fromSeed(seed: Uint8Array): DecapsulationKey;
  /** A fresh secret for this key. Throws `bad-key` on an encapsulation key that FIPS 203 §7.2 refuses. */
  encapsulate(encapsulationKey: Uint8Array): {
    readonly ciphertext: Uint8Array;
    readonly sharedSecret: Uint8Array;
  };
}

export interface DecapsulationKey {
  readonly encapsulationKey: Uint8Array;
  /** The shared secret; a forged ciphertext gives an unrelated one. Throws `bad-length` only. */
  decapsulate(ciphertext: Uint8Array): Uint8Array;
}

/** Curves of SEC 2, and of RFC 5639 with the names of RFC 7027. */
export type EcCurve =
  | 'secp256r1'
  | 'secp384r1'
  | 'secp521r1'
  | 'brainpoolP256r1'
  | 'brainpoolP384r1'
  | 'brainpoolP512r1';

/** FIPS 204. */
export type MlDsaName = 'ml-dsa-44' | 'ml-dsa-65' | 'ml-dsa-87';

/** What a key can do. `rsa-pss` is a key that is restricted to PSS (RFC 4055). */
export type KeyKind =
  | { readonly type: 'rsa' | 'rsa-pss'; readonly bits: number }
  | { readonly type: 'dsa'; readonly bits: number }
  | { readonly type: 'ec'; readonly curve: EcCurve }
  | { readonly type: 'ed25519' }
  | { readonly type: 'ed448' }
  | { readonly type: MlDsaName };

/** What {@link CryptoProvider.generateKey} makes. */
export type KeySpec =
  | Exclude<KeyKind, { readonly type: 'rsa' | 'rsa-pss' }>
  | { readonly type: 'rsa'; readonly bits: number };

export interface PublicKey {
  readonly kind: KeyKind;
  /** SubjectPublicKeyInfo, DER. */
  readonly spki: Uint8Array;
}

/** Private bytes are not a property: nothing that prints the object prints the key. */
export interface PrivateKey {
  readonly kind: KeyKind;
  readonly publicKey: PublicKey;
  /** PrivateKeyInfo (PKCS#8), DER. */
  exportPkcs8(): Uint8Array;
}

/**
 * What RSA with PKCS#1 v1.5 signs. `md5-sha1` is for SSL 3.0 to TLS 1.1: both digests of the data, one after the other,
 * without a DigestInfo (RFC 4346 §4.7). With `none` the data itself is padded, up to 11 bytes shorter than the modulus: for
 * digests that are made in another way (RFC 6101 §5.6.8).
 */
export type Pkcs1Hash = HashName | 'md5-sha1' | 'none';

/** PSS salts are as long as the hash and MGF1 uses the same hash (RFC 9846 §4.3.3). */
export type SignatureAlgorithm =
  | { readonly name: 'ecdsa' | 'rsa-pss' | 'dsa'; readonly hash: HashName }
  | { readonly name: 'rsa-pkcs1'; readonly hash: Pkcs1Hash }
  | { readonly name: 'ed25519' }
  | { readonly name: 'ed448' }
  | { readonly name: MlDsaName };
