import { concat, DecodeError, DerReader, decodeDer, der, fromHex, type Oid, Tag } from '@testudo/codec';
import { readSpecifiedCurve } from './curve-parameters.ts';
import { CryptoError } from './errors.ts';
import { bitLength, compareMagnitudes, isEven, isZeroOrOne } from './magnitudes.ts';
import type { EcCurve, HashName, KeyKind, MlDsaName } from './provider.ts';

/** A SubjectPublicKeyInfo taken apart. Byte arrays are views on the input. */
export type ParsedPublicKey = ParsedCurveKey | ParsedRsaKey | ParsedDsaKey | ParsedMlDsaKey;

/** `point` is uncompressed or compressed for `ec` (RFC 5480 §2.2), and raw for the Edwards curves; that it is on the curve is not checked yet. */
export interface ParsedCurveKey {
  readonly kind: Extract<KeyKind, { readonly type: 'ec' | 'ed25519' | 'ed448' }>;
  readonly point: Uint8Array;
}

export interface ParsedMlDsaKey {
  readonly kind: { readonly type: MlDsaName };
  /** The key as FIPS 204 encodes it (RFC 9881 §4). */
  readonly raw: Uint8Array;
}

/** Known and bounded, but not taken apart: only OpenSSL can use it. */
export interface ParsedDsaKey {
  readonly kind: { readonly type: 'dsa'; readonly bits: number };
}

export interface ParsedRsaKey {
  readonly kind: { readonly type: 'rsa' | 'rsa-pss'; readonly bits: number };
  readonly modulus: Uint8Array;
  readonly exponent: Uint8Array;
  /** RSAPublicKey (RFC 8017 §A.1.1), DER. */
  readonly pkcs1: Uint8Array;
  /** What the key may be used with; undefined when it does not say. */
  readonly restriction: PssRestriction | undefined;
}

/** RSASSA-PSS-params of a key (RFC 4055 §3.1): the only hashes, and the shortest salt, that it allows. */
export interface PssRestriction {
  /** Undefined for a hash that no provider has. */
  readonly hash: HashName | undefined;
  readonly maskHash: HashName | undefined;
  readonly minSaltLength: number;
  /** RSASSA-PSS-params as it stood, DER. */
  readonly encoded: Uint8Array;
}

/** Largest RSA key accepted, in bits, and largest public exponent: a peer's key must not buy unbounded work. */
export const RSA_MAX_BITS = 16384;
const RSA_MAX_EXPONENT_LENGTH = 8;
/** Largest prime of a DSA key, in bits, for the same reason. */
const DSA_MAX_BITS = 4096;

/** Throws {@link CryptoError} `bad-key` on malformed input, `unsupported` on an algorithm or curve that is not here. */
export function parseSpki(spki: Uint8Array): ParsedPublicKey {
  // DER leaves one encoding for each curve's key, so that a fixed prefix and length are a full check.
  for (const { prefix, length, kind } of CURVE_KEYS) {
    if (spki.length !== prefix.length + length || !startsWith(spki, prefix)) continue;
    return { kind, point: spki.subarray(kind.type === 'ec' ? prefix.length - 1 : prefix.length) };
  }
  for (const { prefix, length, kind } of ML_DSA_KEYS) {
    if (spki.length === prefix.length + length && startsWith(spki, prefix))
      return { kind, raw: spki.subarray(prefix.length) };
  }
  try {
    return decodeDer(spki, (reader) => reader.sequence(subjectPublicKeyInfo));
  } catch (error) {
    if (error instanceof DecodeError) throw new CryptoError('bad-key', `public key: ${error.message}`);
    throw error;
  }
}

/**
 * Takes a key apart and puts it into the one form in which keys are compared: curves by name, points uncompressed.
 * `decompress` throws on what is no point. Throws as {@link parseSpki}.
 */
export function normalizeSpki(
  spki: Uint8Array,
  decompress: (curve: EcCurve, point: Uint8Array) => Uint8Array,
): { readonly spki: Uint8Array; readonly parsed: ParsedPublicKey } {
  const parsed = parseSpki(spki);
  if (parsed.kind.type !== 'ec' || !('point' in parsed)) return { spki, parsed };
  const { kind, point } = parsed;
  const whole = point[0] === 4 ? point : decompressed(kind.curve, point, decompress);
  const written = encodeCurveSpki(kind, whole);
  // Usual keys stay as they are.
  if (written.length === spki.length && point === whole) return { spki, parsed };
  return { spki: written, parsed: { kind, point: whole } };
}

function decompressed(
  curve: EcCurve,
  point: Uint8Array,
  decompress: (curve: EcCurve, point: Uint8Array) => Uint8Array,
): Uint8Array {
  try {
    return decompress(curve, point);
  } catch {
    throw new CryptoError('bad-key', `not a point of ${curve}`);
  }
}

/** SubjectPublicKeyInfo of an uncompressed point or a raw Edwards key. */
export function encodeCurveSpki(kind: ParsedCurveKey['kind'], point: Uint8Array): Uint8Array {
  const template = CURVE_KEYS.find((known) => sameKind(known.kind, kind))!;
  return concat(template.prefix, kind.type === 'ec' ? point.subarray(1) : point);
}

/** SubjectPublicKeyInfo of an ML-DSA key (RFC 9881 §4). */
export function encodeMlDsaSpki(name: MlDsaName, raw: Uint8Array): Uint8Array {
  return concat(ML_DSA_KEYS.find(({ kind }) => kind.type === name)!.prefix, raw);
}

/** SubjectPublicKeyInfo of an RSA key; both numbers are big-endian magnitudes. */
export function encodeRsaSpki(
  type: 'rsa' | 'rsa-pss',
  modulus: Uint8Array,
  exponent: Uint8Array,
  parameters: Uint8Array | undefined,
): Uint8Array {
  return der.sequence(
    type === 'rsa'
      ? der.sequence(der.oid(OID.rsa), der.nullValue())
      : der.sequence(der.oid(OID.rsaPss), parameters),
    der.bitString(der.sequence(der.unsigned(modulus), der.unsigned(exponent))),
  );
}

function sameKind(a: ParsedCurveKey['kind'], b: ParsedCurveKey['kind']): boolean {
  return a.type === 'ec' ? b.type === 'ec' && a.curve === b.curve : a.type === b.type;
}

type Known = 'rsa' | 'rsaPss' | 'mgf1' | 'dsa' | 'ec' | 'ed25519' | 'ed448' | EcCurve | MlDsaName;

export const OID: Readonly<Record<Known, Oid>> = {
  rsa: '1.2.840.113549.1.1.1',
  mgf1: '1.2.840.113549.1.1.8',
  rsaPss: '1.2.840.113549.1.1.10',
  dsa: '1.2.840.10040.4.1',
  ec: '1.2.840.10045.2.1',
  secp256r1: '1.2.840.10045.3.1.7',
  secp384r1: '1.3.132.0.34',
  secp521r1: '1.3.132.0.35',
  brainpoolP256r1: '1.3.36.3.3.2.8.1.1.7',
  brainpoolP384r1: '1.3.36.3.3.2.8.1.1.11',
  brainpoolP512r1: '1.3.36.3.3.2.8.1.1.13',
  ed25519: '1.3.101.112',
  ed448: '1.3.101.113',
  'ml-dsa-44': '2.16.840.1.101.3.4.3.17',
  'ml-dsa-65': '2.16.840.1.101.3.4.3.18',
  'ml-dsa-87': '2.16.840.1.101.3.4.3.19',
};

/** Curves by object identifier. */
export const CURVE_OIDS: ReadonlyMap<Oid, EcCurve> = new Map(
  (
    ['secp256r1', 'secp384r1', 'secp521r1', 'brainpoolP256r1', 'brainpoolP384r1', 'brainpoolP512r1'] as const
  ).map((curve) => [OID[curve], curve]),
);

/** Hashes by object identifier (RFC 8017 §B.1). */
export const HASH_OIDS: Readonly<Record<Oid, HashName>> = {
  '1.2.840.113549.2.5': 'md5',
  '1.3.14.3.2.26': 'sha1',
  '2.16.840.1.101.3.4.2.4': 'sha224',
  '2.16.840.1.101.3.4.2.1': 'sha256',
  '2.16.840.1.101.3.4.2.2': 'sha384',
  '2.16.840.1.101.3.4.2.3': 'sha512',
};

/** RFC 5480 §2 and RFC 8410 §4. For EC the prefix ends with the 04 of an uncompressed point, which belongs to it. */
const CURVE_KEYS: readonly {
  readonly prefix: Uint8Array;
  /** Bytes after the prefix. */
  readonly length: number;
  readonly kind: ParsedCurveKey['kind'];
}[] = [
  {
    prefix: fromHex('3059301306072a8648ce3d020106082a8648ce3d03010703420004'),
    length: 64,
    kind: { type: 'ec', curve: 'secp256r1' },
  },
  {
    prefix: fromHex('3076301006072a8648ce3d020106052b8104002203620004'),
    length: 96,
    kind: { type: 'ec', curve: 'secp384r1' },
  },
  {
    prefix: fromHex('30819b301006072a8648ce3d020106052b810400230381860004'),
    length: 132,
    kind: { type: 'ec', curve: 'secp521r1' },
  },
  {
    prefix: fromHex('305a301406072a8648ce3d020106092b240303020801010703420004'),
    length: 64,
    kind: { type: 'ec', curve: 'brainpoolP256r1' },
  },
  {
    prefix: fromHex('307a301406072a8648ce3d020106092b240303020801010b03620004'),
    length: 96,
    kind: { type: 'ec', curve: 'brainpoolP384r1' },
  },
  {
    prefix: fromHex('30819b301406072a8648ce3d020106092b240303020801010d0381820004'),
    length: 128,
    kind: { type: 'ec', curve: 'brainpoolP512r1' },
  },
  { prefix: fromHex('302a300506032b6570032100'), length: 32, kind: { type: 'ed25519' } },
  { prefix: fromHex('3043300506032b6571033a00'), length: 57, kind: { type: 'ed448' } },
];

/** RFC 9881 §4: no parameters, and the raw key in the bit string. */
const ML_DSA_KEYS: readonly {
  readonly prefix: Uint8Array;
  readonly length: number;
  readonly kind: ParsedMlDsaKey['kind'];
}[] = [
  {
    prefix: fromHex('30820532300b06096086480165030403110382052100'),
    length: 1312,
    kind: { type: 'ml-dsa-44' },
  },
  {
    prefix: fromHex('308207b2300b0609608648016503040312038207a100'),
    length: 1952,
    kind: { type: 'ml-dsa-65' },
  },
  {
    prefix: fromHex('30820a32300b060960864801650304031303820a2100'),
    length: 2592,
    kind: { type: 'ml-dsa-87' },
  },
];

function subjectPublicKeyInfo(reader: DerReader): ParsedPublicKey {
  const { oid, restriction, dsa, curve } = reader.sequence(algorithmIdentifier);
  const bits = reader.wholeBytesBitString();
  if (dsa !== undefined) return dsaPublicKey(dsa, bits);
  if (oid === OID.ed25519 || oid === OID.ed448)
    throw new CryptoError('bad-key', 'an Edwards public key of the wrong length');
  if (curve !== undefined) return { kind: { type: 'ec', curve }, point: ecPoint(bits, curve) };
  if (ML_DSA_OIDS.has(oid)) throw new CryptoError('bad-key', 'an ML-DSA public key of the wrong length');
  const [modulus, exponent] = decodeDer(bits, (inner) => inner.sequence(rsaPublicKey));
  return {
    kind: { type: oid === OID.rsa ? 'rsa' : 'rsa-pss', bits: bitLength(modulus) },
    modulus,
    exponent,
    pkcs1: bits,
    restriction,
  };
}

function algorithmIdentifier(reader: DerReader): {
  readonly oid: Oid;
  readonly restriction: PssRestriction | undefined;
  readonly dsa: DsaParameters | undefined;
  readonly curve: EcCurve | undefined;
} {
  const oid = reader.oid();
  let restriction: PssRestriction | undefined;
  let dsa: DsaParameters | undefined;
  let curve: EcCurve | undefined;
  if (oid === OID.rsa) {
    reader.null(); // RFC 3279 §2.3.1: the parameters are NULL, and there
  } else if (oid === OID.rsaPss) {
    if (reader.remaining > 0) restriction = pssParameters(reader);
  } else if (oid === OID.ec) {
    curve = readCurve(reader);
  } else if (oid === OID.dsa) {
    dsa = reader.sequence(dsaParameters);
  } else if (oid !== OID.ed25519 && oid !== OID.ed448 && !ML_DSA_OIDS.has(oid)) {
    throw new CryptoError('unsupported', `public key algorithm ${oid}`);
  }
  return { oid, restriction, dsa, curve };
}

/** ECParameters (RFC 5480 §2.1.1): by name, or written out. */
export function readCurve(reader: DerReader): EcCurve {
  if (reader.peek() === Tag.sequence) return readSpecifiedCurve(reader);
  const oid = reader.oid();
  const curve = CURVE_OIDS.get(oid);
  if (curve === undefined) throw new CryptoError('unsupported', `elliptic curve ${oid}`);
  return curve;
}

/** Hybrid points are for nobody (RFC 5480 §2.2). */
function ecPoint(bytes: Uint8Array, curve: EcCurve): Uint8Array {
  const { length } = CURVE_KEYS.find(({ kind }) => kind.type === 'ec' && kind.curve === curve)!;
  const isWhole = bytes[0] === 4 && bytes.length === 1 + length;
  const isCompressed = (bytes[0] === 2 || bytes[0] === 3) && bytes.length === 1 + length / 2;
  if (!isWhole && !isCompressed)
    throw new CryptoError(
      'bad-key',
      'an EC public key that is neither an uncompressed nor a compressed point',
    );
  return bytes;
}

const ML_DSA_OIDS: ReadonlySet<Oid> = new Set([OID['ml-dsa-44'], OID['ml-dsa-65'], OID['ml-dsa-87']]);

interface DsaParameters {
  readonly p: Uint8Array;
  readonly q: Uint8Array;
}

/** Dss-Parms (RFC 3279 §2.3.2), within FIPS 186-4 §4.2 and what came before it. */
function dsaParameters(reader: DerReader): DsaParameters {
  const [p, q, g] = [reader.unsigned(), reader.unsigned(), reader.unsigned()];
  const bits = bitLength(p);
  if (bits < 512 || bits > DSA_MAX_BITS || isEven(p))
    throw new CryptoError('bad-key', `a DSA prime that is even, or not of 512 to ${DSA_MAX_BITS} bits`);
  if (![160, 224, 256].includes(bitLength(q)) || isEven(q))
    throw new CryptoError('bad-key', 'a DSA subgroup whose order is even, or not of 160, 224 or 256 bits');
  if (isZeroOrOne(g) || compareMagnitudes(g, p) >= 0)
    throw new CryptoError('bad-key', 'a DSA generator out of range');
  return { p, q };
}

function dsaPublicKey({ p }: DsaParameters, bytes: Uint8Array): ParsedDsaKey {
  const y = decodeDer(bytes, (inner) => inner.unsigned());
  if (isZeroOrOne(y) || compareMagnitudes(y, p) >= 0)
    throw new CryptoError('bad-key', 'a DSA public key out of range');
  return { kind: { type: 'dsa', bits: bitLength(p) } };
}

/** RFC 4055 §3.1. Encoded defaults, which DER forbids, are let through: keys with them exist. */
export function pssParameters(outer: DerReader): PssRestriction {
  const encoded = outer.whole(Tag.sequence);
  const reader = new DerReader(encoded).enter(Tag.sequence);
  const hash = reader.explicit(0, (inner) => inner.sequence(hashIdentifier));
  const mask = reader.explicit(1, (inner) =>
    inner.sequence((mgf) => {
      if (mgf.oid() !== OID.mgf1)
        throw new CryptoError('unsupported', 'a mask generation function other than MGF1');
      return mgf.sequence(hashIdentifier);
    }),
  );
  const minSaltLength = reader.explicit(2, (inner) => inner.smallInteger(RSA_MAX_BITS / 8)) ?? 20;
  const trailer = reader.explicit(3, (inner) => inner.smallInteger()) ?? 1;
  if (trailer !== 1) throw new CryptoError('bad-key', 'a PSS trailer that is not 1');
  reader.expectEnd();
  return {
    encoded,
    hash: hash === undefined ? 'sha1' : hash.name,
    maskHash: mask === undefined ? 'sha1' : mask.name,
    minSaltLength,
  };
}

function hashIdentifier(reader: DerReader): { readonly name: HashName | undefined } {
  const name = HASH_OIDS[reader.oid()];
  if (reader.remaining > 0) reader.null();
  return { name };
}

function rsaPublicKey(reader: DerReader): readonly [modulus: Uint8Array, exponent: Uint8Array] {
  const modulus = reader.unsigned();
  const exponent = reader.unsigned();
  checkRsaNumbers(modulus, exponent);
  return [modulus, exponent];
}

/** RFC 8017 §3.1: an odd modulus and an odd exponent from 3. Throws `bad-key`. */
function checkRsaNumbers(modulus: Uint8Array, exponent: Uint8Array): void {
  if (modulus.length < 64 || modulus.length > RSA_MAX_BITS / 8 || isEven(modulus))
    throw new CryptoError('bad-key', 'an RSA modulus that is even, or not of 505 to 16384 bits');
  if (exponent.length > RSA_MAX_EXPONENT_LENGTH || isEven(exponent) || isZeroOrOne(exponent))
    throw new CryptoError('bad-key', 'an RSA exponent that is even, 1, or over 64 bits');
}

function startsWith(bytes: Uint8Array, prefix: Uint8Array): boolean {
  for (let i = 0; i < prefix.length; i++) if (bytes[i] !== prefix[i]) return false;
  return true;
}
