import type { HashName, KeyKind, SignatureAlgorithm } from '@testudo/crypto';
import { TLS13, type Version } from './versions.ts';

/** A SignatureScheme (RFC 9846 §4.2.3); TLS 1.2 reads the same numbers as hash and signature. */
export interface SignatureScheme {
  readonly id: number;
  readonly name: string;
  readonly algorithm: SignatureAlgorithm;
  /** Signing a handshake with it is allowed in TLS 1.3; in certificates it may still stand. */
  readonly tls13: boolean;
  /** Whether a key of this kind makes such signatures in this version. */
  fits(key: KeyKind, version: Version): boolean;
}

/** Every scheme the engine knows. */
export const SIGNATURE_SCHEMES: readonly SignatureScheme[] = [
  ecdsa(0x0403, 'ecdsa_secp256r1_sha256', 'secp256r1', 'sha256'),
  ecdsa(0x0503, 'ecdsa_secp384r1_sha384', 'secp384r1', 'sha384'),
  ecdsa(0x0603, 'ecdsa_secp521r1_sha512', 'secp521r1', 'sha512'),
  edwards(0x0807, 'ed25519'),
  edwards(0x0808, 'ed448'),
  rsa(0x0804, 'rsa_pss_rsae_sha256', 'rsa-pss', 'rsa', 'sha256', true),
  rsa(0x0805, 'rsa_pss_rsae_sha384', 'rsa-pss', 'rsa', 'sha384', true),
  rsa(0x0806, 'rsa_pss_rsae_sha512', 'rsa-pss', 'rsa', 'sha512', true),
  rsa(0x0809, 'rsa_pss_pss_sha256', 'rsa-pss', 'rsa-pss', 'sha256', true),
  rsa(0x080a, 'rsa_pss_pss_sha384', 'rsa-pss', 'rsa-pss', 'sha384', true),
  rsa(0x080b, 'rsa_pss_pss_sha512', 'rsa-pss', 'rsa-pss', 'sha512', true),
  rsa(0x0401, 'rsa_pkcs1_sha256', 'rsa-pkcs1', 'rsa', 'sha256', false),
  rsa(0x0501, 'rsa_pkcs1_sha384', 'rsa-pkcs1', 'rsa', 'sha384', false),
  rsa(0x0601, 'rsa_pkcs1_sha512', 'rsa-pkcs1', 'rsa', 'sha512', false),
];

const BY_ID = new Map(SIGNATURE_SCHEMES.map((scheme) => [scheme.id, scheme]));
const BY_NAME = new Map(SIGNATURE_SCHEMES.map((scheme) => [scheme.name, scheme]));

export function signatureScheme(id: number): SignatureScheme | undefined {
  return BY_ID.get(id);
}

export function signatureSchemeByName(name: string): SignatureScheme | undefined {
  return BY_NAME.get(name);
}

/** In 1.3 the scheme names the curve; in 1.2 it only names the hash (RFC 8422 §5.1.1, RFC 9846 §4.2.3). */
function ecdsa(id: number, name: string, curve: string, hash: HashName): SignatureScheme {
  return {
    id,
    name,
    algorithm: { name: 'ecdsa', hash },
    tls13: true,
    fits: (key, version) => key.type === 'ec' && (version !== TLS13 || key.curve === curve),
  };
}

function edwards(id: number, name: 'ed25519' | 'ed448'): SignatureScheme {
  return { id, name, algorithm: { name }, tls13: true, fits: (key) => key.type === name };
}

function rsa(
  id: number,
  name: string,
  padding: 'rsa-pss' | 'rsa-pkcs1',
  keyType: 'rsa' | 'rsa-pss',
  hash: HashName,
  tls13: boolean,
): SignatureScheme {
  return {
    id,
    name,
    algorithm: { name: padding, hash },
    tls13,
    fits: (key, version) =>
      key.type === keyType && (tls13 || version !== TLS13) && key.bits >= minimumBits(padding, hash),
  };
}

/** A PSS signature needs room for the hash and a salt as long (RFC 8017 §9.1.1); no key below 1,024 bits signs. */
function minimumBits(padding: string, hash: HashName): number {
  return padding === 'rsa-pss' && hash === 'sha512' ? 1040 : 1024;
}
