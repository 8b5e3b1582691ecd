import {
  createECDH,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  type ECDH,
  generateKeyPairSync,
  getCurves,
  type JsonWebKey,
  type KeyObject,
} from 'node:crypto';
import { concat, fromHex } from '@testudo/codec';
import { isZero } from '../all-zero.ts';
import { CryptoError } from '../errors.ts';
import type { AgreementKey, CurveName, KeyAgreement } from '../provider.ts';
import { fromBase64url, plain, toBase64url } from './bytes.ts';

export function keyAgreement(curve: CurveName): KeyAgreement | undefined {
  // Some systems' builds of OpenSSL leave out the Brainpool curves.
  if (curve.startsWith('brainpool') && !opensslCurves().has(curve)) return undefined;
  return AGREEMENTS[curve];
}

let curves: ReadonlySet<string> | undefined;

function opensslCurves(): ReadonlySet<string> {
  curves ??= new Set(getCurves());
  return curves;
}

/**
 * A Montgomery curve (RFC 7748). Keys go in and out as JWK: OpenSSL 3's DER decoders look through all their providers,
 * which costs more than the function itself.
 *
 * The public half must come out of the generation itself. To export a KeyObject that `generateKeyPairSync` gave can
 * lock up the whole process: Node holds the key's mutex while it makes the JWK's strings; when that starts a garbage
 * collection which finds the finished key generation job, the job's destructor waits for the same mutex.
 */
function montgomery(curve: 'X25519' | 'X448', length: number, pkcs8Prefix: string): KeyAgreement {
  const type = curve === 'X25519' ? 'x25519' : 'x448';

  function agreementKey(privateKey: KeyObject, { x }: JsonWebKey): AgreementKey {
    const publicKey = fromBase64url(x!);
    return {
      publicKey,
      agree(peerPublicKey: Uint8Array): Uint8Array {
        if (peerPublicKey.length !== length) throw badPoint(curve);
        try {
          const jwk = { kty: 'OKP', crv: curve, x: toBase64url(peerPublicKey) };
          const peer = createPublicKey({ key: jwk, format: 'jwk' });
          const secret = plain(diffieHellman({ privateKey, publicKey: peer }));
          if (!isZero(secret)) return secret;
        } catch {
          // OpenSSL itself refuses an all-zero result (RFC 7748 §6); which of the two noticed does not matter.
        }
        throw badPoint(curve);
      },
    };
  }

  return {
    generate(): AgreementKey {
      const pair = generateAsJwk(type, { publicKeyEncoding: { format: 'jwk' } });
      return agreementKey(pair.privateKey, pair.publicKey);
    },
    fromPrivate(privateKey: Uint8Array): AgreementKey {
      if (privateKey.length !== length)
        throw new CryptoError('bad-key', `${curve} takes a private key of ${length} bytes`);
      const der = Buffer.from(concat(fromHex(pkcs8Prefix), privateKey));
      const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
      der.fill(0);
      return agreementKey(key, createPublicKey(key).export({ format: 'jwk' }));
    },
  };
}

/** A curve in short Weierstrass form (SP 800-186, RFC 5639). `length` is that of a coordinate, in bytes. */
function weierstrass(name: string, opensslName: string, length: number): KeyAgreement {
  function agreementKey(ecdh: ECDH, publicKey: Uint8Array): AgreementKey {
    return {
      publicKey,
      agree(peerPublicKey: Uint8Array): Uint8Array {
        // OpenSSL would also take compressed and hybrid points, which TLS forbids (RFC 9846 §4.3.8.2).
        if (peerPublicKey.length !== 1 + 2 * length || peerPublicKey[0] !== 4) throw badPoint(name);
        try {
          return plain(ecdh.computeSecret(peerPublicKey));
        } catch {
          throw badPoint(name);
        }
      },
    };
  }

  return {
    generate(): AgreementKey {
      const ecdh = createECDH(opensslName);
      return agreementKey(ecdh, plain(ecdh.generateKeys()));
    },
    fromPrivate(privateKey: Uint8Array): AgreementKey {
      if (privateKey.length !== length)
        throw new CryptoError('bad-key', `${name} takes a private key of ${length} bytes`);
      const ecdh = createECDH(opensslName);
      try {
        ecdh.setPrivateKey(privateKey);
      } catch {
        throw new CryptoError('bad-key', `not a private key of ${name}`);
      }
      return agreementKey(ecdh, plain(ecdh.getPublicKey()));
    },
  };
}

// RFC 8410 §7: PrivateKeyInfo around a CurvePrivateKey, up to the key's bytes.
const AGREEMENTS: Readonly<Record<CurveName, KeyAgreement>> = {
  x25519: montgomery('X25519', 32, '302e020100300506032b656e04220420'),
  x448: montgomery('X448', 56, '3046020100300506032b656f043a0438'),
  secp256r1: weierstrass('secp256r1', 'prime256v1', 32),
  secp384r1: weierstrass('secp384r1', 'secp384r1', 48),
  secp521r1: weierstrass('secp521r1', 'secp521r1', 66),
  brainpoolP256r1: weierstrass('brainpoolP256r1', 'brainpoolP256r1', 32),
  brainpoolP384r1: weierstrass('brainpoolP384r1', 'brainpoolP384r1', 48),
  brainpoolP512r1: weierstrass('brainpoolP512r1', 'brainpoolP512r1', 64),
};

/** A public JWK and a private KeyObject, which Node can make but its types do not know. */
const generateAsJwk = generateKeyPairSync as unknown as (
  type: 'x25519' | 'x448',
  options: { readonly publicKeyEncoding: { readonly format: 'jwk' } },
) => { readonly publicKey: JsonWebKey; readonly privateKey: KeyObject };

function badPoint(curve: string): CryptoError {
  return new CryptoError('bad-key', `the peer's key is not a usable point of ${curve}`);
}
