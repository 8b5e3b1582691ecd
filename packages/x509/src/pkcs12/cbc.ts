import { concat } from '@testudo/codec';
import type { CipherName, CryptoProvider } from '@testudo/crypto';
import { CertificateError } from '../errors.ts';

/** A CBC cipher for one message. Throws {@link CertificateError} `unsupported-algorithm` when the provider lacks it. */
export function blockCipher(
  provider: CryptoProvider,
  name: CipherName,
  direction: 'encrypt' | 'decrypt',
  key: Uint8Array,
  iv: Uint8Array,
): (data: Uint8Array) => Uint8Array {
  const cipher = provider.cipher(name, direction, key, iv);
  if (cipher === undefined)
    throw new CertificateError('unsupported-algorithm', `${name} is not available here`);
  return (data) => cipher.update(data);
}

/** PKCS#7 padding (RFC 5652 §6.3): as many bytes of that value as are missing, at least one. */
export function addPadding(plaintext: Uint8Array, blockLength: number): Uint8Array {
  const missing = blockLength - (plaintext.length % blockLength);
  return concat(plaintext, new Uint8Array(missing).fill(missing));
}

/** Throws {@link CertificateError} `wrong-password`: with another key, the padding is nearly never right. */
export function removePadding(padded: Uint8Array, blockLength: number): Uint8Array {
  const count = padded.at(-1) ?? 0;
  const isPadded =
    count >= 1 &&
    count <= blockLength &&
    count <= padded.length &&
    padded.subarray(-count).every((byte) => byte === count);
  if (!isPadded) throw wrongPassword();
  return padded.subarray(0, padded.length - count);
}

export function wrongPassword(): CertificateError {
  return new CertificateError(
    'wrong-password',
    'the password is wrong, or the file was altered; give the password that it was made with',
  );
}
