import {
  createPrivateKey,
  createPublicKey,
  ECDH,
  type ED25519KeyPairOptions,
  generateKeyPairSync,
  type JsonWebKey,
  type KeyObject,
} from 'node:crypto';
import { copyOf } from '@testudo/codec';
import { CryptoError } from '../errors.ts';
import { isMlDsa } from '../noble-ml-dsa.ts';
import type { EcCurve, KeyKind, KeySpec, PrivateKey, PublicKey } from '../provider.ts';
import { normalizeSpki, type ParsedCurveKey, type ParsedPublicKey, RSA_MAX_BITS } from '../spki.ts';
import { plain, toBase64url } from './bytes.ts';
import { generateNativeMlDsa, hasMlDsa, mlDsa } from './ml-dsa.ts';

/**
 * Parses at once and hands the key to OpenSSL on first use: of the certificates that a program loads, most never
 * verify anything. So a point that is not on its curve is noticed late: it verifies nothing.
 */
export function importPublicKey(spki: Uint8Array): PublicKey {
  const own = normalizeSpki(copyOf(spki), decompress);
  return new NodePublicKey(own.spki, own.parsed);
}

export function importPrivateKey(pkcs8: Uint8Array): PrivateKey {
  const postQuantum = hasMlDsa() ? undefined : mlDsa.import(pkcs8);
  if (postQuantum !== undefined) return postQuantum;
  let handle: KeyObject;
  try {
    const key = Buffer.from(pkcs8.buffer, pkcs8.byteOffset, pkcs8.length);
    handle = createPrivateKey({ key, format: 'der', type: 'pkcs8' });
  } catch {
    throw new CryptoError('bad-key', 'not an unencrypted PKCS#8 private key');
  }
  return privateKeyOf(handle, createPublicKey(handle));
}

export function generateKey(spec: KeySpec): PrivateKey {
  if (isMlDsa(spec.type) && !hasMlDsa()) return mlDsa.generate(spec.type);
  return importPrivateKey(generate(spec).privateKey);
}

/** OpenSSL's key; a key of another provider is imported. Throws {@link CryptoError} `bad-key`. */
export function publicHandle(key: PublicKey): KeyObject {
  if (key instanceof NodePublicKey) return key.handle();
  return (importPublicKey(key.spki) as NodePublicKey).handle();
}

export function privateHandle(key: PrivateKey): KeyObject {
  if (key instanceof NodePrivateKey) return NodePrivateKey.handle(key);
  return NodePrivateKey.handle(importPrivateKey(key.exportPkcs8()) as NodePrivateKey);
}

/** A public key taken apart, whoever's it is. Throws as {@link importPublicKey}. */
export function parsedPublicKey(key: PublicKey): ParsedPublicKey {
  return NodePublicKey.parsed(
    key instanceof NodePublicKey ? key : (importPublicKey(key.spki) as NodePublicKey),
  );
}

class NodePublicKey implements PublicKey {
  readonly kind: KeyKind;
  readonly spki: Uint8Array;
  readonly #parsed: ParsedPublicKey;
  #handle: KeyObject | undefined;

  constructor(spki: Uint8Array, parsed: ParsedPublicKey, handle?: KeyObject) {
    this.kind = parsed.kind;
    this.spki = spki;
    this.#parsed = parsed;
    this.#handle = handle;
  }

  static parsed(key: NodePublicKey): ParsedPublicKey {
    return key.#parsed;
  }

  handle(): KeyObject {
    this.#handle ??= toKeyObject(this.spki, this.#parsed);
    return this.#handle;
  }
}

class NodePrivateKey implements PrivateKey {
  readonly kind: KeyKind;
  readonly publicKey: PublicKey;
  readonly #handle: KeyObject;

  constructor(handle: KeyObject, publicKey: PublicKey) {
    this.kind = publicKey.kind;
    this.publicKey = publicKey;
    this.#handle = handle;
  }

  exportPkcs8(): Uint8Array {
    return plain(this.#handle.export({ format: 'der', type: 'pkcs8' }));
  }

  static handle(key: NodePrivateKey): KeyObject {
    return key.#handle;
  }
}

function privateKeyOf(handle: KeyObject, publicObject: KeyObject): PrivateKey {
  const spki = plain(publicObject.export({ format: 'der', type: 'spki' }));
  const own = normalizeSpki(spki, decompress);
  return new NodePrivateKey(handle, new NodePublicKey(own.spki, own.parsed, publicObject));
}

function decompress(curve: EcCurve, point: Uint8Array): Uint8Array {
  const name = curve === 'secp256r1' ? 'prime256v1' : curve;
  return plain(ECDH.convertKey(point, name, undefined, undefined, 'uncompressed') as Buffer);
}

/** By the routes that OpenSSL 3 takes quickly: JWK and PKCS#1, not SPKI, whose decoder costs 60 to 100 µs more. */
function toKeyObject(spki: Uint8Array, parsed: ParsedPublicKey): KeyObject {
  try {
    const jwk = 'point' in parsed ? toJwk(parsed.kind, parsed.point) : undefined;
    if (jwk !== undefined) return createPublicKey({ key: jwk, format: 'jwk' });
    return parsed.kind.type === 'rsa' && 'pkcs1' in parsed
      ? createPublicKey({ key: Buffer.from(parsed.pkcs1), format: 'der', type: 'pkcs1' })
      : createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' });
  } catch {
    throw new CryptoError('bad-key', `not a usable public key of type ${parsed.kind.type}`);
  }
}

/** Undefined for the Brainpool curves, which JOSE does not have. */
function toJwk(kind: ParsedCurveKey['kind'], point: Uint8Array): JsonWebKey | undefined {
  if (kind.type !== 'ec')
    return { kty: 'OKP', crv: kind.type === 'ed25519' ? 'Ed25519' : 'Ed448', x: toBase64url(point) };
  const crv = JWK_CURVES[kind.curve];
  if (crv === undefined) return undefined;
  const middle = (point.length + 1) / 2;
  return {
    kty: 'EC',
    crv,
    x: toBase64url(point.subarray(1, middle)),
    y: toBase64url(point.subarray(middle)),
  };
}

/** RFC 7518 §6.2.1.1. */
const JWK_CURVES: Readonly<Partial<Record<EcCurve, string>>> = {
  secp256r1: 'P-256',
  secp384r1: 'P-384',
  secp521r1: 'P-521',
};

/**
 * PKCS#8 rather than a KeyObject: exporting one that `generateKeyPairSync` made can lock up the process
 * (see agreement.ts), and a key that was imported cannot.
 */
function generate(spec: KeySpec): { readonly privateKey: Buffer } {
  switch (spec.type) {
    case 'ec':
      return generateKeyPairSync('ec', { namedCurve: JWK_CURVES[spec.curve] ?? spec.curve, ...DER });
    case 'ed25519':
      return generateKeyPairSync('ed25519', DER);
    case 'ed448':
      return generateKeyPairSync('ed448', DER);
    case 'rsa':
      if (!(spec.bits >= 512 && spec.bits <= RSA_MAX_BITS && Number.isInteger(spec.bits)))
        throw new CryptoError('unsupported', `RSA of ${spec.bits} bits`);
      return generateKeyPairSync('rsa', { modulusLength: spec.bits, ...DER });
    case 'dsa': {
      // FIPS 186-4 §4.2.
      const divisorLength = { 1024: 160, 2048: 256, 3072: 256 }[spec.bits];
      if (divisorLength === undefined) throw new CryptoError('unsupported', `DSA of ${spec.bits} bits`);
      return generateKeyPairSync('dsa', { modulusLength: spec.bits, divisorLength, ...DER });
    }
    default:
      return generateNativeMlDsa(spec.type, DER);
  }
}

const DER: ED25519KeyPairOptions<'der', 'der'> = {
  publicKeyEncoding: { format: 'der', type: 'spki' },
  privateKeyEncoding: { format: 'der', type: 'pkcs8' },
};
