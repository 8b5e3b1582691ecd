import type { AeadName, HashName } from '@testudo/crypto';
import { TLS12, TLS13, type Version } from './versions.ts';

export interface CipherSuite {
  /** The number on the wire. */
  readonly id: number;
  /** The IANA name, as in the RFCs. */
  readonly name: string;
  /** OpenSSL's name, which `node:tls` reports. */
  readonly opensslName: string;
  /** The one version that has this suite: 1.3 shares none with the older ones. */
  readonly version: Version;
  readonly aead: AeadName;
  /** The hash of the key schedule (1.3) or the PRF (1.2). */
  readonly hash: HashName;
  /** What the server's certificate must hold; a 1.3 suite does not say. */
  readonly authentication: 'any' | 'ecdsa' | 'rsa';
}

const tls13 = (id: number, aead: AeadName, hash: HashName, name: string): CipherSuite => ({
  id,
  name,
  opensslName: name,
  version: TLS13,
  aead,
  hash,
  authentication: 'any',
});

const tls12 = (
  id: number,
  authentication: 'ecdsa' | 'rsa',
  aead: AeadName,
  hash: HashName,
  name: string,
  opensslName: string,
): CipherSuite => ({ id, name, opensslName, version: TLS12, aead, hash, authentication });

/** Every suite the engine knows. Which of them are used by default, and in which order, `defaults.ts` says. */
export const CIPHER_SUITES: readonly CipherSuite[] = [
  // RFC 9846 §B.4
  tls13(0x1301, 'aes-128-gcm', 'sha256', 'TLS_AES_128_GCM_SHA256'),
  tls13(0x1302, 'aes-256-gcm', 'sha384', 'TLS_AES_256_GCM_SHA384'),
  tls13(0x1303, 'chacha20-poly1305', 'sha256', 'TLS_CHACHA20_POLY1305_SHA256'),
  tls13(0x1304, 'aes-128-ccm', 'sha256', 'TLS_AES_128_CCM_SHA256'),
  tls13(0x1305, 'aes-128-ccm-8', 'sha256', 'TLS_AES_128_CCM_8_SHA256'),
  // RFC 5289
  tls12(
    0xc02b,
    'ecdsa',
    'aes-128-gcm',
    'sha256',
    'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256',
    'ECDHE-ECDSA-AES128-GCM-SHA256',
  ),
  tls12(
    0xc02c,
    'ecdsa',
    'aes-256-gcm',
    'sha384',
    'TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384',
    'ECDHE-ECDSA-AES256-GCM-SHA384',
  ),
  tls12(
    0xc02f,
    'rsa',
    'aes-128-gcm',
    'sha256',
    'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256',
    'ECDHE-RSA-AES128-GCM-SHA256',
  ),
  tls12(
    0xc030,
    'rsa',
    'aes-256-gcm',
    'sha384',
    'TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384',
    'ECDHE-RSA-AES256-GCM-SHA384',
  ),
  // RFC 7905
  tls12(
    0xcca9,
    'ecdsa',
    'chacha20-poly1305',
    'sha256',
    'TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256',
    'ECDHE-ECDSA-CHACHA20-POLY1305',
  ),
  tls12(
    0xcca8,
    'rsa',
    'chacha20-poly1305',
    'sha256',
    'TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256',
    'ECDHE-RSA-CHACHA20-POLY1305',
  ),
];

const BY_ID = new Map(CIPHER_SUITES.map((suite) => [suite.id, suite]));
const BY_NAME = new Map(
  CIPHER_SUITES.flatMap(
    (suite) =>
      [
        [suite.name, suite],
        [suite.opensslName, suite],
      ] as const,
  ),
);

/** By its number; undefined when the engine does not know it. */
export function cipherSuite(id: number): CipherSuite | undefined {
  return BY_ID.get(id);
}

/** By its IANA or OpenSSL name. */
export function cipherSuiteByName(name: string): CipherSuite | undefined {
  return BY_NAME.get(name);
}

/** TLS_EMPTY_RENEGOTIATION_INFO_SCSV (RFC 5746 §3.3). */
export const EMPTY_RENEGOTIATION_INFO_SCSV = 0x00ff;
/** TLS_FALLBACK_SCSV (RFC 7507). */
export const FALLBACK_SCSV = 0x5600;
