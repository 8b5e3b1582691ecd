import type { CryptoProvider, KeyKind, SignatureAlgorithm } from '@testudo/crypto';
import type { Certificate } from '../certificate.ts';
import { CertificateError } from '../errors.ts';
import { signatureOf } from './signature.ts';

/** OpenSSL's security levels: the bits of strength that keys and hashes of certificates must have at least. */
export const LEVEL_BITS = [0, 80, 112, 128, 192, 256] as const;

export type SecurityLevel = 0 | 1 | 2 | 3 | 4 | 5;

/** Whether the certificate's key is as strong as the level demands. */
export function isKeyStrongEnough(
  certificate: Certificate,
  level: SecurityLevel,
  provider: CryptoProvider,
): boolean {
  if (level === 0) return true;
  try {
    return keyStrength(certificate.publicKey(provider).kind) >= LEVEL_BITS[level];
  } catch (error) {
    if (error instanceof CertificateError) return false;
    throw error;
  }
}

/** Whether what signed it is. */
export function isSignatureStrongEnough(certificate: Certificate, level: SecurityLevel): boolean {
  if (level === 0) return true;
  const algorithm = signatureOf(certificate);
  return algorithm !== undefined && signatureStrength(algorithm) >= LEVEL_BITS[level];
}

/** Bits of strength, as OpenSSL counts them. */
export function keyStrength(kind: KeyKind): number {
  switch (kind.type) {
    case 'rsa':
    case 'rsa-pss':
      return factoringStrength(kind.bits);
    case 'dsa':
      return kind.bits >= 2048 ? 112 : kind.bits >= 1024 ? 80 : 0;
    case 'ec':
      return Math.floor(Number(/\d{3}/.exec(kind.curve)![0]) / 2);
    default:
      return WHOLE_SCHEMES[kind.type];
  }
}

function signatureStrength(algorithm: SignatureAlgorithm): number {
  if (!('hash' in algorithm)) return WHOLE_SCHEMES[algorithm.name];
  return HASHES[algorithm.hash] ?? 0;
}

const WHOLE_SCHEMES = {
  ed25519: 128,
  ed448: 224,
  'ml-dsa-44': 128,
  'ml-dsa-65': 192,
  'ml-dsa-87': 256,
} as const;

/** Against collisions: what is known of attacks counts for the broken ones. */
const HASHES: Readonly<Record<string, number>> = {
  md5: 39,
  sha1: 63,
  sha224: 112,
  sha256: 128,
  sha384: 192,
  sha512: 256,
};

/** NIST's numbers for the usual lengths (SP 800-57 part 1 §5.6.1). */
const USUAL: Readonly<Record<number, number>> = {
  2048: 112,
  3072: 128,
  4096: 152,
  6144: 176,
  7680: 192,
  8192: 200,
  15360: 256,
};

/** The estimate of FIPS 140-2's implementation guidance (§7.5) for a modulus of so many bits, rounded to whole bytes. */
function factoringStrength(bits: number): number {
  const usual = USUAL[bits];
  if (usual !== undefined) return usual;
  const x = bits * Math.LN2;
  if (bits < 8) return 0;
  const estimate = (1.923 * Math.cbrt(x * Math.log(x) ** 2) - 4.69) / Math.LN2;
  const most = bits <= 7680 ? 192 : 256;
  return Math.min(most, (Math.trunc(estimate) + 4) & ~7);
}
