import { DecodeError, decodeDer, der, encodePem, fromHex, type PemBlock, Tag, utf8 } from '@testudo/codec';
import { type CipherName, CryptoError, type CryptoProvider, type PrivateKey } from '@testudo/crypto';
import { readAlgorithm } from '../algorithm.ts';
import { CertificateError } from '../errors.ts';
import { parseDer } from '../parse-der.ts';
import { blockCipher, removePadding, wrongPassword } from './cbc.ts';
import { decryptWithPassword, encryptWithPassword, type PasswordEncryption } from './password-encryption.ts';
import type { PasswordForms } from './password-forms.ts';
import type { PasswordWork } from './password-work.ts';

/**
 * The PrivateKeyInfo inside an EncryptedPrivateKeyInfo (RFC 5958 §3), DER. Throws {@link CertificateError}:
 * `wrong-password`, `unsupported-algorithm`, `budget-exceeded`, `malformed`.
 */
export function decryptPkcs8(
  bytes: Uint8Array,
  password: PasswordForms,
  provider: CryptoProvider,
  work: PasswordWork,
): Uint8Array {
  const [algorithm, ciphertext] = parseDer('an encrypted private key', bytes, (reader) =>
    reader.sequence((info) => [readAlgorithm(info), info.octetString()] as const),
  );
  const plaintext = decryptWithPassword(algorithm, ciphertext, password, provider, work);
  if (!looksLikePkcs8(plaintext)) throw wrongPassword();
  return plaintext;
}

/** EncryptedPrivateKeyInfo, DER. */
export function encryptPkcs8(
  pkcs8: Uint8Array,
  password: string,
  provider: CryptoProvider,
  encryption?: PasswordEncryption,
): Uint8Array {
  const { algorithm, ciphertext } = encryptWithPassword(pkcs8, password, provider, encryption);
  return der.sequence(algorithm, der.octetString(ciphertext));
}

/** PEM text of a private key, encrypted under a password (RFC 7468 §11). */
export function privateKeyToEncryptedPem(
  key: PrivateKey,
  password: string,
  provider: CryptoProvider,
  encryption?: PasswordEncryption,
): string {
  const pkcs8 = key.exportPkcs8();
  try {
    return encodePem('ENCRYPTED PRIVATE KEY', encryptPkcs8(pkcs8, password, provider, encryption));
  } finally {
    pkcs8.fill(0);
  }
}

/** Ciphers of the old format of RFC 1421 as OpenSSL names them, with their key length in bytes. */
const TRADITIONAL: Readonly<Record<string, readonly [CipherName, number, number]>> = {
  'AES-128-CBC': ['aes-128-cbc', 16, 16],
  'AES-192-CBC': ['aes-192-cbc', 24, 16],
  'AES-256-CBC': ['aes-256-cbc', 32, 16],
  'DES-EDE3-CBC': ['3des-cbc', 24, 8],
};

/**
 * What a PEM block with `Proc-Type: 4,ENCRYPTED` holds, SEC 1 or PKCS#1: OpenSSL's format of before PKCS#8. Its key is
 * one MD5 away from the password. Throws as {@link decryptPkcs8}.
 */
export function decryptTraditional(
  { headers, bytes }: PemBlock,
  password: string,
  provider: CryptoProvider,
): Uint8Array {
  const [, name = '', hex = ''] = /^([A-Z0-9-]+),([0-9A-F]+)$/i.exec(headers.get('DEK-Info') ?? '') ?? [];
  const [cipher, keyLength, blockLength] = TRADITIONAL[name] ?? [];
  if (cipher === undefined || keyLength === undefined || blockLength === undefined)
    throw new CertificateError(
      'unsupported-algorithm',
      `the private key is encrypted with "${name.slice(0, 40)}", which is not supported`,
    );
  if (hex.length !== 2 * blockLength || bytes.length === 0 || bytes.length % blockLength !== 0)
    throw new CertificateError('malformed', 'the encrypted private key is malformed');
  const iv = fromHex(hex);
  const key = stretchOnce(provider, utf8(password), iv.subarray(0, 8), keyLength);
  return removePadding(blockCipher(provider, cipher, 'decrypt', key, iv)(bytes), blockLength);
}

/** OpenSSL's EVP_BytesToKey with MD5 and one iteration. */
function stretchOnce(
  provider: CryptoProvider,
  password: Uint8Array,
  salt: Uint8Array,
  length: number,
): Uint8Array {
  const key = new Uint8Array(length);
  let block = new Uint8Array(0);
  for (let at = 0; at < length; at += block.length) {
    const hash = provider.hash('md5');
    for (const part of [block, password, salt]) hash.update(part);
    block = hash.digest().slice();
    key.set(block.subarray(0, length - at), at);
  }
  return key;
}

/** SEQUENCE { INTEGER, SEQUENCE, OCTET STRING … }: with the wrong password that is nearly never there. */
function looksLikePkcs8(bytes: Uint8Array): boolean {
  try {
    return decodeDer(bytes, (reader) => {
      const inner = reader.enter(Tag.sequence);
      inner.smallInteger(1);
      inner.whole(Tag.sequence);
      inner.octetString();
      return true;
    });
  } catch (error) {
    if (error instanceof DecodeError) return false;
    throw error;
  }
}

/** A key from PKCS#8. Throws {@link CertificateError} `unsupported-algorithm` or `malformed`. */
export function importPkcs8(pkcs8: Uint8Array, provider: CryptoProvider): PrivateKey {
  try {
    return provider.importPrivateKey(pkcs8);
  } catch (error) {
    if (!(error instanceof CryptoError)) throw error;
    const code = error.code === 'unsupported' ? 'unsupported-algorithm' : 'malformed';
    throw new CertificateError(code, `the private key cannot be used: ${error.message}`, undefined, error);
  }
}
