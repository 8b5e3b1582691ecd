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

/** The provider for Node: OpenSSL through `node:crypto`, chosen call by call for the least time around the primitive. */
export const nodeCrypto: CryptoProvider = {
  name: 'node',
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
