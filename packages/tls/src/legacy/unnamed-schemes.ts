import type { SignatureAlgorithm } from '@testudo/crypto';
import type { SignatureScheme } from '../signature-schemes.ts';
import { TLS11 } from '../versions.ts';

/**
 * Signatures before TLS 1.2, which do not say how they were made: the kind of the key decides (RFC 4346 §4.7, RFC 8422
 * §5.4). So their numbers here stand on no wire.
 */
export const UNNAMED_SCHEMES: readonly SignatureScheme[] = [
  unnamed(0x0203, 'ecdsa_sha1', 'ec', { name: 'ecdsa', hash: 'sha1' }),
  unnamed(0x0000, 'rsa_pkcs1_md5_sha1', 'rsa', { name: 'rsa-pkcs1', hash: 'md5-sha1' }),
  unnamed(0x0202, 'dsa_sha1', 'dsa', { name: 'dsa', hash: 'sha1' }),
];

/**
 * What signs CertificateVerify in SSL 3.0: the hashes are made with the master secret (RFC 6101 §5.6.8), and so what is
 * signed is not hashed once more. RSA only: nobody signs a hash of one's own with DSA here.
 */
export const SSL30_CLIENT_SCHEMES: readonly SignatureScheme[] = [
  unnamed(0x0000, 'rsa_pkcs1_md5_sha1', 'rsa', { name: 'rsa-pkcs1', hash: 'none' }),
];

function unnamed(
  id: number,
  name: string,
  type: 'rsa' | 'ec' | 'dsa',
  algorithm: SignatureAlgorithm,
): SignatureScheme {
  return {
    id,
    name,
    algorithm,
    tls13: false,
    tls12: false,
    isLegacy: true,
    fits: (key, version) => key.type === type && version <= TLS11,
  };
}
