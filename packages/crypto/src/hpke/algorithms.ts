import type { AeadName, CurveName, HashName } from '../provider.ts';

/** KEM identifiers (RFC 9180 §7.1). */
export const HpkeKem = {
  dhkemP256Sha256: 0x0010,
  dhkemP384Sha384: 0x0011,
  dhkemP521Sha512: 0x0012,
  dhkemX25519Sha256: 0x0020,
  dhkemX448Sha512: 0x0021,
} as const;

/** KDF identifiers (RFC 9180 §7.2). */
export const HpkeKdf = { hkdfSha256: 0x0001, hkdfSha384: 0x0002, hkdfSha512: 0x0003 } as const;

/** AEAD identifiers (RFC 9180 §7.3). */
export const HpkeAead = {
  aes128Gcm: 0x0001,
  aes256Gcm: 0x0002,
  chacha20Poly1305: 0x0003,
  exportOnly: 0xffff,
} as const;

/** A KEM made of a Diffie-Hellman function and HKDF (RFC 9180 §7.1). Lengths are in bytes. */
export interface DhkemParameters {
  readonly curve: CurveName;
  readonly hash: HashName;
  /** Nsecret. */
  readonly secretLength: number;
  /** Nenc and Npk. */
  readonly publicKeyLength: number;
  /** Nsk. */
  readonly privateKeyLength: number;
  /** Bits of a candidate's first byte that a private key may use (RFC 9180 §7.1.3); undefined where any bytes are a key. */
  readonly bitmask: number | undefined;
}

const dhkem = (
  curve: CurveName,
  hash: HashName,
  secretLength: number,
  publicKeyLength: number,
  privateKeyLength: number,
  bitmask?: number,
): DhkemParameters => ({ curve, hash, secretLength, publicKeyLength, privateKeyLength, bitmask });

export const KEMS: ReadonlyMap<number, DhkemParameters> = new Map([
  [HpkeKem.dhkemP256Sha256, dhkem('secp256r1', 'sha256', 32, 65, 32, 0xff)],
  [HpkeKem.dhkemP384Sha384, dhkem('secp384r1', 'sha384', 48, 97, 48, 0xff)],
  [HpkeKem.dhkemP521Sha512, dhkem('secp521r1', 'sha512', 64, 133, 66, 0x01)],
  [HpkeKem.dhkemX25519Sha256, dhkem('x25519', 'sha256', 32, 32, 32)],
  [HpkeKem.dhkemX448Sha512, dhkem('x448', 'sha512', 64, 56, 56)],
]);

export const KDFS: ReadonlyMap<number, HashName> = new Map([
  [HpkeKdf.hkdfSha256, 'sha256'],
  [HpkeKdf.hkdfSha384, 'sha384'],
  [HpkeKdf.hkdfSha512, 'sha512'],
]);

/** `undefined` stands for a suite that only exports. */
export const AEADS: ReadonlyMap<number, AeadName | undefined> = new Map([
  [HpkeAead.aes128Gcm, 'aes-128-gcm'],
  [HpkeAead.aes256Gcm, 'aes-256-gcm'],
  [HpkeAead.chacha20Poly1305, 'chacha20-poly1305'],
  [HpkeAead.exportOnly, undefined],
]);
