import { type DerReader, decodeDer, der, type Oid, Tag } from '@testudo/codec';
import { type CipherName, type CryptoProvider, DIGEST_SIZES, type DigestName } from '@testudo/crypto';
import type { AlgorithmIdentifier } from '../algorithm.ts';
import { CertificateError } from '../errors.ts';
import { parseDer } from '../parse-der.ts';
import { addPadding, blockCipher, removePadding } from './cbc.ts';
import { readHmacDigest } from './digests.ts';
import { DERIVATION_ID, derivePkcs12 } from './key-derivation.ts';
import { PasswordForms } from './password-forms.ts';
import type { PasswordWork } from './password-work.ts';

const PBES2: Oid = '1.2.840.113549.1.5.13';
const PBKDF2: Oid = '1.2.840.113549.1.5.12';
const SCRYPT: Oid = '1.3.6.1.4.1.11591.4.11';
/** pbeWithSHAAnd3-KeyTripleDES-CBC (RFC 7292 §C). */
const SHA1_3DES: Oid = '1.2.840.113549.1.12.1.3';
/** pbeWithSHAAnd2-KeyTripleDES-CBC: the first key is the third, too. */
const SHA1_2DES: Oid = '1.2.840.113549.1.12.1.4';

const HMAC_SHA256: Oid = '1.2.840.113549.2.9';

/** Encryption schemes with their key length in bytes; the parameter is the IV (RFC 8018 §B.2). */
const CIPHERS: Readonly<Record<Oid, readonly [CipherName, number]>> = {
  '2.16.840.1.101.3.4.1.2': ['aes-128-cbc', 16],
  '2.16.840.1.101.3.4.1.22': ['aes-192-cbc', 24],
  '2.16.840.1.101.3.4.1.42': ['aes-256-cbc', 32],
  '1.2.840.113549.3.7': ['3des-cbc', 24],
  // RFC 3657 §3.2, RFC 5794 §A.1, and of China's OSCCA
  '1.2.392.200011.61.1.1.1.2': ['camellia-128-cbc', 16],
  '1.2.392.200011.61.1.1.1.3': ['camellia-192-cbc', 24],
  '1.2.392.200011.61.1.1.1.4': ['camellia-256-cbc', 32],
  '1.2.410.200046.1.1.2': ['aria-128-cbc', 16],
  '1.2.410.200046.1.1.7': ['aria-192-cbc', 24],
  '1.2.410.200046.1.1.12': ['aria-256-cbc', 32],
  '1.2.156.10197.1.104.2': ['sm4-cbc', 16],
};
const AES_256_CBC: Oid = '2.16.840.1.101.3.4.1.42';

/** Known by name so that the error can say it. */
const UNSUPPORTED: Readonly<Record<Oid, string>> = {
  '1.2.840.113549.1.5.3': 'DES and MD5 (PBES1)',
  '1.2.840.113549.1.5.10': 'DES and SHA-1 (PBES1)',
  '1.2.840.113549.1.12.1.1': 'RC4 and SHA-1',
  '1.2.840.113549.1.12.1.2': 'RC4-40 and SHA-1',
  '1.2.840.113549.1.12.1.5': 'RC2 and SHA-1',
  '1.2.840.113549.1.12.1.6': 'RC2-40 and SHA-1',
};

/** How to encrypt under a password. */
export interface PasswordEncryption {
  /**
   * `pbkdf2`: PBES2 with HMAC-SHA-256 and AES-256-CBC. `scrypt`: the same with scrypt (RFC 7914). `3des`: what programs of
   * before 2015 read, with SHA-1 and 3DES; weak. Default `pbkdf2`.
   */
  readonly scheme?: 'pbkdf2' | 'scrypt' | '3des' | undefined;
  /** Of PBKDF2 and of `3des`. Default 600,000, and 2,048 for `3des`. */
  readonly iterations?: number | undefined;
}

/** Costs of scrypt that we write, 16 MiB: OpenSSL takes no more than 32 unless it is told to. */
const SCRYPT_COST = { N: 16_384, r: 8, p: 1 } as const;
const SALT_LENGTH = 16;

/**
 * Decrypts under a password. Throws {@link CertificateError}: `wrong-password`, `unsupported-algorithm`,
 * `budget-exceeded`, `malformed`.
 */
export function decryptWithPassword(
  { oid, parameters }: Pick<AlgorithmIdentifier, 'oid' | 'parameters'>,
  ciphertext: Uint8Array,
  password: PasswordForms,
  provider: CryptoProvider,
  work: PasswordWork,
): Uint8Array {
  const make = KEY_MAKERS[oid];
  if (make === undefined) throw unsupported(oid);
  const { cipher, key, iv } = make(parameters ?? new Uint8Array(), password, provider, work);
  try {
    const decrypt = blockCipher(provider, cipher, 'decrypt', key, iv);
    const blockLength = iv.length;
    if (ciphertext.length === 0 || ciphertext.length % blockLength !== 0)
      throw new CertificateError('malformed', 'encrypted data that is not a whole number of blocks');
    return removePadding(decrypt(ciphertext), blockLength);
  } finally {
    key.fill(0);
  }
}

/** Encrypts under a password. Throws `unsupported-algorithm` where the provider lacks the cipher. */
export function encryptWithPassword(
  plaintext: Uint8Array,
  password: string,
  provider: CryptoProvider,
  { scheme = 'pbkdf2', iterations }: PasswordEncryption = {},
): { readonly algorithm: Uint8Array; readonly ciphertext: Uint8Array } {
  const forms = PasswordForms.of(password);
  const salt = provider.randomBytes(scheme === '3des' ? 8 : SALT_LENGTH);
  if (scheme === '3des') {
    const count = iterations ?? 2048;
    const parameters = der.sequence(der.octetString(salt), der.integer(count));
    const made = pkcs12Key(parameters, forms, provider);
    const encrypt = blockCipher(provider, made.cipher, 'encrypt', made.key, made.iv);
    return {
      algorithm: der.sequence(der.oid(SHA1_3DES), parameters),
      ciphertext: encrypt(addPadding(plaintext, 8)),
    };
  }
  const iv = provider.randomBytes(16);
  const derivation = scheme === 'scrypt' ? encodeScrypt(salt) : encodePbkdf2(salt, iterations ?? 600_000);
  const parameters = der.sequence(derivation, der.sequence(der.oid(AES_256_CBC), der.octetString(iv)));
  const { key } = pbes2Key(parameters, forms, provider);
  const encrypt = blockCipher(provider, 'aes-256-cbc', 'encrypt', key, iv);
  return {
    algorithm: der.sequence(der.oid(PBES2), parameters),
    ciphertext: encrypt(addPadding(plaintext, 16)),
  };
}

/** Reads a key derivation function and gives the key that it makes; `length` when the function does not say. */
export function readPasswordKey(
  reader: DerReader,
  password: Uint8Array,
  length: number | undefined,
  provider: CryptoProvider,
  work?: PasswordWork,
): Uint8Array {
  return reader.sequence((algorithm) => {
    const oid = algorithm.oid();
    if (oid === PBKDF2) return pbkdf2Key(algorithm, password, length, provider, work);
    if (oid === SCRYPT) return scryptKey(algorithm, password, length, provider, work);
    throw unsupported(oid);
  });
}

/** AlgorithmIdentifier of PBKDF2 with HMAC-SHA-256. */
export function encodePbkdf2(salt: Uint8Array, iterations: number, keyLength?: number): Uint8Array {
  return der.sequence(
    der.oid(PBKDF2),
    der.sequence(
      der.octetString(salt),
      der.integer(iterations),
      keyLength === undefined ? undefined : der.integer(keyLength),
      der.sequence(der.oid(HMAC_SHA256), der.nullValue()),
    ),
  );
}

/** The hash of an HMAC that is named as in RFC 8018 §B.1. Throws `unsupported-algorithm`. */
export function readHmac(reader: DerReader): DigestName {
  const { oid, name } = readHmacDigest(reader);
  if (name === undefined) throw unsupported(oid);
  return name;
}

interface CipherKey {
  readonly cipher: CipherName;
  readonly key: Uint8Array;
  readonly iv: Uint8Array;
}

type KeyMaker = (
  parameters: Uint8Array,
  password: PasswordForms,
  provider: CryptoProvider,
  work?: PasswordWork,
) => CipherKey;

/** PBES2-params (RFC 8018 §A.4). */
const pbes2Key: KeyMaker = (parameters, password, provider, work) =>
  parseDer('PBES2 parameters', parameters, (reader) =>
    reader.sequence((params) => {
      const derivation = params.whole(Tag.sequence);
      const { cipher, length, iv } = params.sequence((scheme) => {
        const oid = scheme.oid();
        const known = CIPHERS[oid];
        if (known === undefined) throw unsupported(oid);
        return { cipher: known[0], length: known[1], iv: scheme.octetString() };
      });
      if (iv.length !== (cipher === '3des-cbc' ? 8 : 16))
        throw params.error('bad-length', `an IV of ${iv.length} bytes`);
      const key = decodeDer(derivation, (inner) =>
        readPasswordKey(inner, password.bytes, length, provider, work),
      );
      if (key.length !== length) throw params.error('bad-length', `a key of ${key.length} bytes`);
      return { cipher, key, iv };
    }),
  );

/** pkcs-12PbeParams (RFC 7292 §C). */
const pkcs12Key: KeyMaker = (parameters, password, provider, work) => {
  const [salt, iterations] = parseDer('PBE parameters', parameters, (reader) =>
    reader.sequence((params) => [params.octetString(), readIterations(params)] as const),
  );
  const common = { hash: 'sha1', password: password.bmp, salt, iterations } as const;
  const derive = (id: 1 | 2, length: number): Uint8Array =>
    derivePkcs12({ ...common, id, length }, provider, work ?? unlimited);
  return { cipher: '3des-cbc', key: derive(DERIVATION_ID.key, 24), iv: derive(DERIVATION_ID.iv, 8) };
};

const twoKeys: KeyMaker = (parameters, password, provider, work) => {
  const made = pkcs12Key(parameters, password, provider, work);
  made.key.copyWithin(16, 0, 8);
  return made;
};

const KEY_MAKERS: Readonly<Record<Oid, KeyMaker>> = {
  [PBES2]: pbes2Key,
  [SHA1_3DES]: pkcs12Key,
  [SHA1_2DES]: twoKeys,
};

/** What we encrypt with ourselves is not counted. */
const unlimited = { spend: () => undefined } as unknown as PasswordWork;

/** PBKDF2-params (RFC 8018 §A.2). */
function pbkdf2Key(
  algorithm: DerReader,
  password: Uint8Array,
  length: number | undefined,
  provider: CryptoProvider,
  work: PasswordWork | undefined,
): Uint8Array {
  return algorithm.sequence((params) => {
    const salt = params.octetString();
    const iterations = readIterations(params);
    const keyLength = readKeyLength(params, length);
    const hash = params.remaining > 0 ? readHmac(params) : 'sha1';
    work?.spend(iterations * Math.ceil(keyLength / DIGEST_SIZES[hash].length));
    return provider.pbkdf2(hash, password, salt, iterations, keyLength);
  });
}

/** scrypt-params (RFC 7914 §7). */
function scryptKey(
  algorithm: DerReader,
  password: Uint8Array,
  length: number | undefined,
  provider: CryptoProvider,
  work: PasswordWork | undefined,
): Uint8Array {
  return algorithm.sequence((params) => {
    const salt = params.octetString();
    const offset = params.offset;
    const [N, r, p] = [params.smallInteger(), params.smallInteger(), params.smallInteger()];
    const keyLength = readKeyLength(params, length);
    if (N < 2 || !Number.isInteger(Math.log2(N)) || r < 1 || p < 1)
      throw params.error('bad-value', 'cost parameters that scrypt cannot use', offset);
    work?.spend(2 * N * r * p, 128 * r * (N + p));
    return provider.scrypt(password, salt, { N, r, p }, keyLength);
  });
}

function encodeScrypt(salt: Uint8Array): Uint8Array {
  const { N, r, p } = SCRYPT_COST;
  return der.sequence(
    der.oid(SCRYPT),
    der.sequence(der.octetString(salt), der.integer(N), der.integer(r), der.integer(p)),
  );
}

function readIterations(reader: DerReader): number {
  const offset = reader.offset;
  const iterations = reader.smallInteger();
  if (iterations < 1) throw reader.error('bad-value', 'an iteration count below 1', offset);
  return iterations;
}

function readKeyLength(reader: DerReader, length: number | undefined): number {
  const offset = reader.offset;
  const written = reader.peek() === Tag.integer ? reader.smallInteger(64) : undefined;
  const keyLength = written ?? length;
  if (keyLength === undefined || keyLength < 1)
    throw reader.error('bad-value', 'a derivation without a key length', offset);
  return keyLength;
}

function unsupported(oid: Oid): CertificateError {
  return new CertificateError(
    'unsupported-algorithm',
    `it is encrypted with ${UNSUPPORTED[oid] ?? oid}, which is not supported; convert it with the program that made it`,
  );
}
