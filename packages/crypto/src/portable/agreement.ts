import type { MontgomeryECDH } from '@noble/curves/abstract/montgomery.js';
import { x448 } from '@noble/curves/ed448.js';
import { x25519 } from '@noble/curves/ed25519.js';
import { copyOf } from '@testudo/codec';
import { CryptoError } from '../errors.ts';
import type { AgreementKey, CurveName, EcCurve, KeyAgreement } from '../provider.ts';
import { EC_CURVES } from './curves.ts';

export function keyAgreement(curve: CurveName): KeyAgreement | undefined {
  return AGREEMENTS[curve];
}

function montgomery(name: string, curve: MontgomeryECDH, length: number): KeyAgreement {
  function agreementKey(privateKey: Uint8Array): AgreementKey {
    return {
      publicKey: curve.getPublicKey(privateKey),
      agree(peerPublicKey: Uint8Array): Uint8Array {
        try {
          // Noble refuses a wrong length and an all-zero result (RFC 7748 §6).
          return curve.getSharedSecret(privateKey, peerPublicKey);
        } catch {
          throw badPoint(name);
        }
      },
    };
  }
  return {
    generate: () => agreementKey(curve.utils.randomSecretKey()),
    fromPrivate(privateKey: Uint8Array): AgreementKey {
      if (privateKey.length !== length)
        throw new CryptoError('bad-key', `${name} takes a private key of ${length} bytes`);
      return agreementKey(copyOf(privateKey));
    },
  };
}

function weierstrass(name: EcCurve): KeyAgreement {
  const { curve, length } = EC_CURVES[name];
  function agreementKey(privateKey: Uint8Array): AgreementKey {
    return {
      publicKey: curve.getPublicKey(privateKey, false),
      agree(peerPublicKey: Uint8Array): Uint8Array {
        // Compressed points are forbidden in TLS (RFC 9846 §4.3.8.2); noble would take them.
        if (peerPublicKey.length !== 1 + 2 * length || peerPublicKey[0] !== 4) throw badPoint(name);
        try {
          return curve.getSharedSecret(privateKey, peerPublicKey, true).slice(1);
        } catch {
          throw badPoint(name);
        }
      },
    };
  }
  return {
    generate: () => agreementKey(curve.utils.randomSecretKey()),
    fromPrivate(privateKey: Uint8Array): AgreementKey {
      if (privateKey.length !== length)
        throw new CryptoError('bad-key', `${name} takes a private key of ${length} bytes`);
      if (!curve.utils.isValidSecretKey(privateKey))
        throw new CryptoError('bad-key', `not a private key of ${name}`);
      return agreementKey(copyOf(privateKey));
    },
  };
}

const AGREEMENTS: Readonly<Record<CurveName, KeyAgreement>> = {
  x25519: montgomery('x25519', x25519, 32),
  x448: montgomery('x448', x448, 56),
  secp256r1: weierstrass('secp256r1'),
  secp384r1: weierstrass('secp384r1'),
  secp521r1: weierstrass('secp521r1'),
  brainpoolP256r1: weierstrass('brainpoolP256r1'),
  brainpoolP384r1: weierstrass('brainpoolP384r1'),
  brainpoolP512r1: weierstrass('brainpoolP512r1'),
};

function badPoint(curve: string): CryptoError {
  return new CryptoError('bad-key', `the peer's key is not a usable point of ${curve}`);
}
