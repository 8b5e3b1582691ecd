import type { CryptoProvider } from '../provider.ts';
import { aead } from './aead.ts';
import { keyAgreement } from './agreement.ts';
import { cipher } from './ciphers.ts';
import { finiteField } from './finite-field.ts';
import { digest, hash, hkdfExpand, hkdfExtract, hmac } from './hashes.ts';
import { kem } from './kem.ts';
import { generateKey, importPrivateKey, importPublicKey } from './keys.ts';
import { mac } from './mac.ts';
import { pbkdf2, scrypt } from './passwords.ts';
import { equal, randomBytes } from './random.ts';
import { rsaDecryptRaw, rsaEncrypt, sign, verify } from './signatures.ts';

/**
 * The provider for browsers, workers and any other place with `crypto.getRandomValues`: noble's JavaScript.
 * Without 3DES, ARIA, Camellia, DSA, RSA key generation and RSA decryption. Slower than the node provider by one to two orders of magnitude.
 */
export const portableCrypto: CryptoProvider = {
  name: 'portable',
  randomBytes,
  equal,
  digest,
  hash,
  hmac,
  mac,
  hkdfExtract,
  hkdfExpand,
  pbkdf2,
  scrypt,
  aead,
  cipher,
  keyAgreement,
  finiteField,
  kem,
  importPublicKey,
  importPrivateKey,
  generateKey,
  sign,
  verify,
  rsaEncrypt,
  rsaDecryptRaw,
};
