import type { EcCurve, HashName, KeyKind, MlDsaName, SignatureAlgorithm } from '@testudo/crypto';
import { TLS12, TLS13, type Version } from './versions.ts';

/** A SignatureScheme (RFC 9846 §4.3.3); TLS 1.2 reads the same numbers as hash and signature. */
export interface SignatureScheme {
  readonly id: number;
  readonly name: string;
  readonly algorithm: SignatureAlgorithm;
  /** Signing a handshake with it is allowed in TLS 1.3; in certificates it may still stand. */
  readonly tls13: boolean;
  /** TLS 1.2 has it, to sign a handshake or a certificate. */
  readonly tls12: boolean;
  /** SHA-1, MD5 or DSA: only with `@testudo/tls/legacy`. */
  readonly isLegacy: boolean;
  /** Only clients sign a handshake with it: a server asks for it, and nobody else. */
  readonly isForClients?: boolean;
  /** Whether a key of this kind makes such signatures in this version. */
  fits(key: KeyKind, version: Version): boolean;
}

/** Every scheme the engine knows. */
export const SIGNATURE_SCHEMES: readonly SignatureScheme[] = [
  ecdsa(0x0403, 'ecdsa_secp256r1_sha256', 'secp256r1', 'sha256'),
  ecdsa(0x0503, 'ecdsa_secp384r1_sha384', 'secp384r1', 'sha384'),
  ecdsa(0x0603, 'ecdsa_secp521r1_sha512', 'secp521r1', 'sha512'),
  itself(0x0807, 'ed25519', 'ed25519'),
  itself(0x0808, 'ed448', 'ed448'),
  rsa(0x0804, 'rsa_pss_rsae_sha256', 'rsa-pss', 'rsa', 'sha256', true),
  rsa(0x0805, 'rsa_pss_rsae_sha384', 'rsa-pss', 'rsa', 'sha384', true),
  rsa(0x0806, 'rsa_pss_rsae_sha512', 'rsa-pss', 'rsa', 'sha512', true),
  rsa(0x0809, 'rsa_pss_pss_sha256', 'rsa-pss', 'rsa-pss', 'sha256', true),
  rsa(0x080a, 'rsa_pss_pss_sha384', 'rsa-pss', 'rsa-pss', 'sha384', true),
  rsa(0x080b, 'rsa_pss_pss_sha512', 'rsa-pss', 'rsa-pss', 'sha512', true),
  rsa(0x0401, 'rsa_pkcs1_sha256', 'rsa-pkcs1', 'rsa', 'sha256', false),
  rsa(0x0501, 'rsa_pkcs1_sha384', 'rsa-pkcs1', 'rsa', 'sha384', false),
  rsa(0x0601, 'rsa_pkcs1_sha512', 'rsa-pkcs1', 'rsa', 'sha512', false),
  // RFC 8734: Brainpool in TLS 1.3; before, the schemes above stand for every curve.
  brainpool(0x081a, 'ecdsa_brainpoolP256r1tls13_sha256', 'brainpoolP256r1', 'sha256'),
  brainpool(0x081b, 'ecdsa_brainpoolP384r1tls13_sha384', 'brainpoolP384r1', 'sha384'),
  brainpool(0x081c, 'ecdsa_brainpoolP512r1tls13_sha512', 'brainpoolP512r1', 'sha512'),
  // draft-ietf-tls-mldsa: TLS 1.3 only.
  mlDsa(0x0904, 'mldsa44', 'ml-dsa-44'),
  mlDsa(0x0905, 'mldsa65', 'ml-dsa-65'),
  mlDsa(0x0906, 'mldsa87', 'ml-dsa-87'),
  // draft-ietf-tls-tls13-pkcs1: client certificates in TLS 1.3 whose keys can do no better.
  clientRsa(0x0420, 'rsa_pkcs1_sha256_legacy', 'sha256'),
  clientRsa(0x0520, 'rsa_pkcs1_sha384_legacy', 'sha384'),
  clientRsa(0x0620, 'rsa_pkcs1_sha512_legacy', 'sha512'),
  // RFC 5246 §7.4.1.4.1, with the names of RFC 9846 §4.3.3 where it has one.
  legacy(0x0201, 'rsa_pkcs1_sha1', 'rsa', { name: 'rsa-pkcs1', hash: 'sha1' }),
  legacy(0x0203, 'ecdsa_sha1', 'ec', { name: 'ecdsa', hash: 'sha1' }),
  legacy(0x0101, 'rsa_pkcs1_md5', 'rsa', { name: 'rsa-pkcs1', hash: 'md5' }),
  legacy(0x0402, 'dsa_sha256', 'dsa', { name: 'dsa', hash: 'sha256' }),
  legacy(0x0202, 'dsa_sha1', 'dsa', { name: 'dsa', hash: 'sha1' }),
];

const BY_ID = new Map(SIGNATURE_SCHEMES.map((scheme) => [scheme.id, scheme]));
const BY_NAME = new Map(SIGNATURE_SCHEMES.map((scheme) => [scheme.name, scheme]));

export function signatureScheme(id: number): SignatureScheme | undefined {
  return BY_ID.get(id);
}

export function signatureSchemeByName(name: string): SignatureScheme | undefined {
  return BY_NAME.get(name);
}

/** Whether TLS 1.3 may name it, if only for certificates: MD5 and DSA are not used any more (RFC 9846 §4.3.3). */
export function mayStandIn13({ algorithm }: SignatureScheme): boolean {
  return algorithm.name !== 'dsa' && !('hash' in algorithm && algorithm.hash === 'md5');
}

/** In 1.3 the scheme names the curve; in 1.2 it only names the hash (RFC 5246 §7.4.1.4.1, RFC 9846 §4.3.3). */
function ecdsa(id: number, name: string, curve: EcCurve, hash: HashName): SignatureScheme {
  return {
    id,
    name,
    algorithm: { name: 'ecdsa', hash },
    tls13: true,
    tls12: true,
    isLegacy: false,
    fits: (key, version) => key.type === 'ec' && (version !== TLS13 || key.curve === curve),
  };
}

function brainpool(id: number, name: string, curve: EcCurve, hash: HashName): SignatureScheme {
  return {
    ...ecdsa(id, name, curve, hash),
    tls12: false,
    fits: (key, version) => key.type === 'ec' && key.curve === curve && version === TLS13,
  };
}

/** An algorithm that goes with one kind of key, and brings its own hash. */
function itself(id: number, name: string, type: 'ed25519' | 'ed448' | MlDsaName): SignatureScheme {
  return {
    id,
    name,
    algorithm: { name: type },
    tls13: true,
    tls12: true,
    isLegacy: false,
    fits: (key) => key.type === type,
  };
}

function mlDsa(id: number, name: string, type: MlDsaName): SignatureScheme {
  return {
    ...itself(id, name, type),
    tls12: false,
    fits: (key, version) => key.type === type && version === TLS13,
  };
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
    tls12: true,
    isLegacy: false,
    fits: (key, version) =>
      key.type === keyType && (tls13 || version !== TLS13) && key.bits >= minimumBits(padding, hash),
  };
}

function clientRsa(id: number, name: string, hash: HashName): SignatureScheme {
  return {
    ...rsa(id, name, 'rsa-pkcs1', 'rsa', hash, true),
    tls12: false,
    isForClients: true,
    fits: (key, version) => key.type === 'rsa' && version === TLS13 && key.bits >= 1024,
  };
}

/** A PSS signature needs room for the hash and a salt as long (RFC 8017 §9.1.1); no key below 1,024 bits signs. */
function minimumBits(padding: string, hash: HashName): number {
  return padding === 'rsa-pss' && hash === 'sha512' ? 1040 : 1024;
}

/** What can be forged today, or soon. */
function legacy(
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
    tls12: true,
    isLegacy: true,
    fits: (key, version) => key.type === type && version <= TLS12 && (!('bits' in key) || key.bits >= 1024),
  };
}
