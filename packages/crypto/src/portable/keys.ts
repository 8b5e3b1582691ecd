import { ed448 } from '@noble/curves/ed448.js';
import { ed25519 } from '@noble/curves/ed25519.js';
import { copyOf, der } from '@testudo/codec';
import { CryptoError } from '../errors.ts';
import type { KeyKind, KeySpec, PrivateKey, PublicKey } from '../provider.ts';
import {
  encodeCurveSpki,
  encodeRsaSpki,
  normalizeSpki,
  OID,
  type ParsedCurveKey,
  type ParsedPublicKey,
  parseSpki,
} from '../spki.ts';
import { EC_CURVES } from './curves.ts';
import { toBytes, toInteger } from './integers.ts';
import { mlDsa } from './ml-dsa.ts';
import { type ParsedPrivateKey, parsePkcs8 } from './pkcs8.ts';

export function importPublicKey(spki: Uint8Array): PublicKey {
  const { spki: own, parsed } = normalizeSpki(copyOf(spki), (curve, point) =>
    EC_CURVES[curve].curve.Point.fromBytes(point).toBytes(false),
  );
  if (parsed.kind.type === 'dsa') throw new CryptoError('unsupported', 'this provider does not support DSA');
  if (parsed.kind.type === 'ec' && 'point' in parsed) {
    try {
      EC_CURVES[parsed.kind.curve].curve.Point.fromBytes(parsed.point).assertValidity();
    } catch {
      throw new CryptoError('bad-key', `not a point of ${parsed.kind.curve}`);
    }
  }
  return new PortablePublicKey(own, parsed);
}

export function importPrivateKey(pkcs8: Uint8Array): PrivateKey {
  const postQuantum = mlDsa.import(pkcs8);
  if (postQuantum !== undefined) return postQuantum;
  const own = copyOf(pkcs8);
  const parsed = parsePkcs8(own);
  return new PortablePrivateKey(own, parsed, new PortablePublicKey(...publicKeyOf(parsed)));
}

/** All but RSA and DSA: finding primes without leaking them is more than BigInt can do. */
export function generateKey(spec: KeySpec): PrivateKey {
  switch (spec.type) {
    case 'ec': {
      const secret = EC_CURVES[spec.curve].curve.utils.randomSecretKey();
      return fromSecret({ type: 'ec', curve: spec.curve, secret });
    }
    case 'ed25519':
      return fromSecret({ type: 'ed25519', secret: ed25519.utils.randomSecretKey() });
    case 'ed448':
      return fromSecret({ type: 'ed448', secret: ed448.utils.randomSecretKey() });
    case 'rsa':
    case 'dsa':
      throw new CryptoError('unsupported', `this provider does not make keys of ${spec.type.toUpperCase()}`);
    default:
      return mlDsa.generate(spec.type);
  }
}

/** The parts of a key; one of another provider is imported. */
export function publicParts(key: PublicKey): ParsedPublicKey {
  const own = key instanceof PortablePublicKey ? key : (importPublicKey(key.spki) as PortablePublicKey);
  return own.parsed;
}

export function privateParts(key: PrivateKey): ParsedPrivateKey {
  const own =
    key instanceof PortablePrivateKey ? key : (importPrivateKey(key.exportPkcs8()) as PortablePrivateKey);
  return PortablePrivateKey.parts(own);
}

class PortablePublicKey implements PublicKey {
  readonly kind: KeyKind;
  readonly spki: Uint8Array;
  readonly parsed: ParsedPublicKey;

  constructor(spki: Uint8Array, parsed: ParsedPublicKey) {
    this.kind = parsed.kind;
    this.spki = spki;
    this.parsed = parsed;
  }
}

class PortablePrivateKey implements PrivateKey {
  readonly kind: KeyKind;
  readonly publicKey: PublicKey;
  readonly #pkcs8: Uint8Array;
  readonly #parsed: ParsedPrivateKey;

  constructor(pkcs8: Uint8Array, parsed: ParsedPrivateKey, publicKey: PublicKey) {
    this.kind = publicKey.kind;
    this.publicKey = publicKey;
    this.#pkcs8 = pkcs8;
    this.#parsed = parsed;
  }

  exportPkcs8(): Uint8Array {
    return this.#pkcs8.slice();
  }

  static parts(key: PortablePrivateKey): ParsedPrivateKey {
    return key.#parsed;
  }
}

type SecretKey = Exclude<ParsedPrivateKey, { readonly type: 'rsa' | 'rsa-pss' }>;

function fromSecret(parsed: SecretKey): PrivateKey {
  const [spki, publicParsed] = publicKeyOf(parsed);
  const pkcs8 = encodePkcs8(parsed, (publicParsed as { point: Uint8Array }).point);
  return new PortablePrivateKey(pkcs8, parsed, new PortablePublicKey(spki, publicParsed));
}

function publicKeyOf(key: ParsedPrivateKey): [spki: Uint8Array, parsed: ParsedPublicKey] {
  const spki =
    'rsa' in key
      ? encodeRsaSpki(
          key.type,
          toBytes(key.rsa.modulus, key.rsa.length),
          toBytes(key.rsa.exponent, Math.ceil(key.rsa.exponent.toString(16).length / 2)),
          key.restriction?.encoded,
        )
      : encodeCurveSpki(kindOf(key), pointOf(key));
  return [spki, parseSpki(spki)];
}

function kindOf(key: SecretKey): ParsedCurveKey['kind'] {
  return key.type === 'ec' ? { type: 'ec', curve: key.curve } : { type: key.type };
}

function pointOf(key: SecretKey): Uint8Array {
  try {
    if (key.type === 'ec') return EC_CURVES[key.curve].curve.getPublicKey(key.secret, false);
    return (key.type === 'ed25519' ? ed25519 : ed448).getPublicKey(key.secret);
  } catch {
    throw new CryptoError('bad-key', 'an EC private key out of range');
  }
}

/** RFC 5958 around an ECPrivateKey with its public key (RFC 5915), or a CurvePrivateKey (RFC 8410). */
function encodePkcs8(key: SecretKey, point: Uint8Array): Uint8Array {
  const version = der.integer(0);
  if (key.type !== 'ec')
    return der.sequence(
      version,
      der.sequence(der.oid(OID[key.type])),
      der.octetString(der.octetString(key.secret)),
    );
  return der.sequence(
    version,
    der.sequence(der.oid(OID.ec), der.oid(OID[key.curve])),
    der.octetString(
      der.sequence(der.integer(1), der.octetString(key.secret), der.explicit(1, der.bitString(point))),
    ),
  );
}

/** The numbers of an RSA key, for arithmetic. */
export function rsaNumbers(parsed: { readonly modulus: Uint8Array; readonly exponent: Uint8Array }): {
  readonly modulus: bigint;
  readonly exponent: bigint;
  readonly length: number;
} {
  return {
    modulus: toInteger(parsed.modulus),
    exponent: toInteger(parsed.exponent),
    length: parsed.modulus.length,
  };
}
