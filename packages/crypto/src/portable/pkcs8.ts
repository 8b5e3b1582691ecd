import {
  contextConstructedTag,
  contextTag,
  copyOf,
  DecodeError,
  type DerReader,
  decodeDer,
} from '@testudo/codec';
import { CryptoError } from '../errors.ts';
import type { EcCurve } from '../provider.ts';
import { OID, type PssRestriction, pssParameters, readCurve } from '../spki.ts';
import { EC_CURVES } from './curves.ts';
import { toInteger } from './integers.ts';
import type { RsaPrivateKey } from './rsa.ts';

/** A PrivateKeyInfo taken apart. */
export type ParsedPrivateKey =
  | {
      readonly type: 'rsa' | 'rsa-pss';
      readonly rsa: RsaPrivateKey;
      readonly restriction: PssRestriction | undefined;
    }
  | { readonly type: 'ec'; readonly curve: EcCurve; readonly secret: Uint8Array }
  | { readonly type: 'ed25519' | 'ed448'; readonly secret: Uint8Array };

/** RFC 5208 and RFC 5958. Throws {@link CryptoError} `bad-key` or `unsupported`. */
export function parsePkcs8(pkcs8: Uint8Array): ParsedPrivateKey {
  try {
    return decodeDer(pkcs8, (reader) => reader.sequence(privateKeyInfo));
  } catch (error) {
    if (error instanceof DecodeError) throw new CryptoError('bad-key', `private key: ${error.message}`);
    throw error;
  }
}

function privateKeyInfo(reader: DerReader): ParsedPrivateKey {
  reader.smallInteger(1);
  const algorithm = reader.sequence((inner) => {
    const oid = inner.oid();
    if (oid === OID.ec) return { oid, curve: readCurve(inner), restriction: undefined };
    if (oid === OID.rsa) inner.null();
    else if (oid !== OID.rsaPss && oid !== OID.ed25519 && oid !== OID.ed448)
      throw new CryptoError('unsupported', `private key algorithm ${oid}`);
    const restricted = oid === OID.rsaPss && inner.remaining > 0;
    return { oid, curve: undefined, restriction: restricted ? pssParameters(inner) : undefined };
  });
  const key = reader.octetString();
  // RFC 5958 §2: attributes and a public key may follow. The public key is computed anew instead.
  if (reader.peek() === contextConstructedTag(0)) reader.whole();
  if (reader.peek() === contextTag(1)) reader.whole();
  switch (algorithm.oid) {
    case OID.ec:
      return ecPrivateKey(key, algorithm.curve!);
    case OID.ed25519:
      return { type: 'ed25519', secret: curvePrivateKey(key, 32) };
    case OID.ed448:
      return { type: 'ed448', secret: curvePrivateKey(key, 57) };
    case OID.rsa:
      return { type: 'rsa', rsa: decodeDer(key, rsaPrivateKey), restriction: undefined };
    default:
      return { type: 'rsa-pss', rsa: decodeDer(key, rsaPrivateKey), restriction: algorithm.restriction };
  }
}

/** ECPrivateKey (RFC 5915 §3). Old software drops leading zeros of the key; they are put back. */
function ecPrivateKey(bytes: Uint8Array, curve: EcCurve): ParsedPrivateKey {
  const key = decodeDer(bytes, (outer) =>
    outer.sequence((reader) => {
      reader.smallInteger(1);
      const octets = reader.octetString();
      const stated = reader.explicit(0, readCurve);
      if (stated !== undefined && stated !== curve)
        throw new CryptoError('bad-key', 'an EC private key that names two curves');
      reader.explicit(1, (inner) => inner.wholeBytesBitString());
      return octets;
    }),
  );
  const { length } = EC_CURVES[curve];
  if (key.length > length) throw new CryptoError('bad-key', `a private key too long for ${curve}`);
  const secret = new Uint8Array(length);
  secret.set(key, length - key.length);
  return { type: 'ec', curve, secret };
}

/** CurvePrivateKey (RFC 8410 §7). */
function curvePrivateKey(bytes: Uint8Array, length: number): Uint8Array {
  const secret = decodeDer(bytes, (reader) => reader.octetString());
  if (secret.length !== length)
    throw new CryptoError('bad-key', 'an Edwards private key of the wrong length');
  return copyOf(secret);
}

/** RSAPrivateKey of two primes (RFC 8017 §A.1.2). */
function rsaPrivateKey(outer: DerReader): RsaPrivateKey {
  return outer.sequence((reader) => {
    reader.smallInteger(0);
    const modulus = reader.unsigned();
    const [exponent, , primeP, primeQ, exponentP, exponentQ, coefficient] = Array.from({ length: 7 }, () =>
      toInteger(reader.unsigned()),
    ) as [bigint, bigint, bigint, bigint, bigint, bigint, bigint];
    const key = { modulus: toInteger(modulus), exponent, length: modulus.length };
    if (primeP * primeQ !== key.modulus || primeP < 3n || primeQ < 3n)
      throw new CryptoError('bad-key', 'an RSA private key whose parts do not match');
    return { ...key, primeP, primeQ, exponentP, exponentQ, coefficient };
  });
}
