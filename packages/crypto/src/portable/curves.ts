import type { ECDSA } from '@noble/curves/abstract/weierstrass.js';
import { brainpoolP256r1, brainpoolP384r1, brainpoolP512r1 } from '@noble/curves/misc.js';
import { p256, p384, p521 } from '@noble/curves/nist.js';
import type { EcCurve } from '../provider.ts';

/** Noble's curve, and the length of a coordinate and of a private key, in bytes. */
export const EC_CURVES: Readonly<Record<EcCurve, { readonly curve: ECDSA; readonly length: number }>> = {
  secp256r1: { curve: p256, length: 32 },
  secp384r1: { curve: p384, length: 48 },
  secp521r1: { curve: p521, length: 66 },
  brainpoolP256r1: { curve: brainpoolP256r1, length: 32 },
  brainpoolP384r1: { curve: brainpoolP384r1, length: 48 },
  brainpoolP512r1: { curve: brainpoolP512r1, length: 64 },
};
