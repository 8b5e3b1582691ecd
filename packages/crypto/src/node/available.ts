import { type CipherGCMTypes, createCipheriv, getCipherInfo } from 'node:crypto';

const answers = new Map<string, boolean>();

/**
 * Whether OpenSSL has a cipher: a build of it (FIPS) or a relative (BoringSSL) may lack one. Found out once for each, by
 * making one: `getCipherInfo` also knows ciphers that no provider loaded can run, such as DES.
 */
export function isAvailable(algorithm: string): boolean {
  let answer = answers.get(algorithm);
  if (answer === undefined) {
    answer = canMake(algorithm);
    answers.set(algorithm, answer);
  }
  return answer;
}

function canMake(algorithm: string): boolean {
  const info = getCipherInfo(algorithm);
  if (info === undefined) return false;
  const { keyLength, ivLength = 0 } = info;
  const iv = ivLength === 0 ? null : new Uint8Array(ivLength);
  try {
    // The tag's length is for the AEADs; the others pay no attention to it.
    createCipheriv(algorithm as CipherGCMTypes, new Uint8Array(keyLength), iv as Uint8Array, {
      authTagLength: 16,
    });
    return true;
  } catch {
    return false;
  }
}
