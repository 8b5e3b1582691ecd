import { bytesEqual } from '@testudo/codec';
import { CryptoError, type CryptoProvider, type PrivateKey, type PublicKey } from '@testudo/crypto';
import { TlsError } from '../errors.ts';
import type { Handshake } from '../handshake/context.ts';
import type { Credential } from './credential.ts';
import type { RawPublicKeyVerifier } from './types.ts';

/** A credential without certificates: its public key is all it shows. Only for peers that know it by other means. */
export function rawPublicKeyCredential(provider: CryptoProvider, privateKey: PrivateKey): Credential {
  return {
    certificates: [],
    rawPublicKey: privateKey.publicKey.spki,
    keyKind: privateKey.kind,
    sign: (algorithm, data) => provider.sign(algorithm, privateKey, data),
    ...(privateKey.kind.type === 'rsa'
      ? { decryptRsa: (ciphertext: Uint8Array) => provider.rsaDecryptRaw(privateKey, ciphertext) }
      : {}),
  };
}

/**
 * Accepts these keys (SubjectPublicKeyInfo, DER), and no other one. With names, by host and in lower case, each server
 * has keys of its own: `pinnedKeys({ 'example.com': [spki] })`.
 */
export function pinnedKeys(
  keys: readonly Uint8Array[] | Readonly<Record<string, readonly Uint8Array[]>>,
): RawPublicKeyVerifier {
  const byName = Array.isArray(keys)
    ? undefined
    : new Map<string, readonly Uint8Array[]>(Object.entries(keys));
  const all: readonly Uint8Array[] = Array.isArray(keys) ? keys : [];
  return ({ key, name }) => {
    const pinned = byName === undefined ? all : (byName.get(name?.toLowerCase() ?? '') ?? []);
    if (pinned.some((spki) => bytesEqual(spki, key.spki))) return { accepted: true };
    const error = new TlsError('certificate-unknown', 'the peer’s public key is not one of the pinned keys');
    return { accepted: false, error };
  };
}

/** The key in a Certificate message that is one. Throws `malformed-message`; `bad-certificate` for a key of no known kind. */
export function readRawPublicKey(h: Handshake, spki: Uint8Array): PublicKey {
  try {
    return h.provider.importPublicKey(spki);
  } catch (error) {
    const isMalformed = error instanceof CryptoError && error.code === 'bad-key';
    throw new TlsError(
      isMalformed ? 'malformed-message' : 'bad-certificate',
      `the peer's public key cannot be read: ${(error as Error).message}`,
      { cause: error },
    );
  }
}
