import { bytesEqual, type DerReader, decodeDer, der, type Oid, Tag, toHex } from '@testudo/codec';
import type { EcCurve, HashName, KeyKind, SignatureAlgorithm } from '@testudo/crypto';
import { CertificateError } from './errors.ts';

/** An AlgorithmIdentifier (RFC 5280 §4.1.1.2), still undecided. */
export interface AlgorithmIdentifier {
  readonly oid: Oid;
  /** The whole parameters, DER; undefined when absent. */
  readonly parameters: Uint8Array | undefined;
  /** The whole AlgorithmIdentifier, DER. */
  readonly der: Uint8Array;
}

/** What a signature algorithm is, or why it is not used. */
export type SignatureVerdict =
  | { readonly kind: 'supported'; readonly algorithm: SignatureAlgorithm }
  /** `algorithm` for those that a profile may accept all the same, by naming their hash. */
  | { readonly kind: 'weak'; readonly name: string; readonly algorithm: SignatureAlgorithm | undefined }
  | {
      readonly kind: 'unsupported' | 'malformed';
      readonly name: string;
      readonly algorithm?: undefined;
    };

export function readAlgorithm(reader: DerReader): AlgorithmIdentifier {
  const whole = reader.whole(Tag.sequence);
  const [oid, parameters] = decodeDer(whole, (outer) =>
    outer.sequence((inner) => [inner.oid(), inner.remaining > 0 ? inner.whole() : undefined] as const),
  );
  return { oid, parameters, der: whole };
}

/**
 * The bytes of a signature (RFC 5280 §4.1.1.3). Throws DecodeError, and CertificateError `bad-signature` for what is not whole
 * bytes, as no algorithm makes it.
 */
export function readSignature(reader: DerReader): Uint8Array {
  const { bytes, unusedBits } = reader.bitString();
  if (unusedBits === 0) return bytes;
  throw new CertificateError(
    'bad-signature',
    'the signature is not a whole number of bytes, so no key made it',
  );
}

type Parameters = 'absent' | 'null';

/** RFC 4055 §5, RFC 5758, RFC 8410, RFC 9881 §2. RSA takes NULL, and an absent value is tolerated; the others take none. */
const SIGNATURES: Readonly<Record<Oid, readonly [SignatureAlgorithm, Parameters]>> = {
  '1.2.840.113549.1.1.11': [{ name: 'rsa-pkcs1', hash: 'sha256' }, 'null'],
  '1.2.840.113549.1.1.12': [{ name: 'rsa-pkcs1', hash: 'sha384' }, 'null'],
  '1.2.840.113549.1.1.13': [{ name: 'rsa-pkcs1', hash: 'sha512' }, 'null'],
  '1.2.840.10045.4.3.2': [{ name: 'ecdsa', hash: 'sha256' }, 'absent'],
  '1.2.840.10045.4.3.3': [{ name: 'ecdsa', hash: 'sha384' }, 'absent'],
  '1.2.840.10045.4.3.4': [{ name: 'ecdsa', hash: 'sha512' }, 'absent'],
  '2.16.840.1.101.3.4.3.2': [{ name: 'dsa', hash: 'sha256' }, 'absent'],
  '1.3.101.112': [{ name: 'ed25519' }, 'absent'],
  '1.3.101.113': [{ name: 'ed448' }, 'absent'],
  '2.16.840.1.101.3.4.3.17': [{ name: 'ml-dsa-44' }, 'absent'],
  '2.16.840.1.101.3.4.3.18': [{ name: 'ml-dsa-65' }, 'absent'],
  '2.16.840.1.101.3.4.3.19': [{ name: 'ml-dsa-87' }, 'absent'],
};

const RSA_PSS: Oid = '1.2.840.113549.1.1.10';

/** Known by name so that the error can say it. All of these can be forged, or soon can. */
const WEAK: Readonly<Record<Oid, readonly [string, SignatureAlgorithm?]>> = {
  '1.2.840.113549.1.1.2': ['RSA with MD2'],
  '1.2.840.113549.1.1.3': ['RSA with MD4'],
  '1.2.840.113549.1.1.4': ['RSA with MD5', { name: 'rsa-pkcs1', hash: 'md5' }],
  '1.2.840.113549.1.1.5': ['RSA with SHA-1', { name: 'rsa-pkcs1', hash: 'sha1' }],
  '1.3.14.3.2.29': ['RSA with SHA-1', { name: 'rsa-pkcs1', hash: 'sha1' }],
  '1.2.840.10040.4.3': ['DSA with SHA-1', { name: 'dsa', hash: 'sha1' }],
  '1.2.840.10045.4.1': ['ECDSA with SHA-1', { name: 'ecdsa', hash: 'sha1' }],
};

/** What signature algorithm an identifier stands for. */
export function signatureAlgorithmOf(identifier: AlgorithmIdentifier): SignatureVerdict {
  const { oid, parameters } = identifier;
  if (oid === RSA_PSS)
    return (
      PSS.get(toHex(parameters ?? new Uint8Array())) ?? {
        kind: 'unsupported',
        name: 'RSA-PSS with these parameters',
      }
    );
  const known = SIGNATURES[oid];
  if (known === undefined) {
    const weak = WEAK[oid];
    if (weak === undefined) return { kind: 'unsupported', name: oid };
    return { kind: 'weak', name: weak[0], algorithm: weak[1] };
  }
  const [algorithm, expected] = known;
  const isFitting =
    parameters === undefined || (expected === 'null' && bytesEqual(parameters, der.nullValue()));
  return isFitting ? { kind: 'supported', algorithm } : { kind: 'malformed', name: algorithm.name };
}

/** AlgorithmIdentifier, DER, of what we sign with. */
export function encodeSignatureAlgorithm(algorithm: SignatureAlgorithm): Uint8Array {
  if (algorithm.name === 'rsa-pss')
    return der.sequence(der.oid(RSA_PSS), pssParameters(algorithm.hash, true));
  for (const [oid, [known, parameters]] of Object.entries(SIGNATURES))
    if (sameAlgorithm(known, algorithm))
      return der.sequence(der.oid(oid), parameters === 'null' ? der.nullValue() : undefined);
  throw new RangeError(`certificates cannot be signed with ${algorithm.name}`);
}

/** What a CA with this key signs with: the curve's own hash (RFC 5480 §4), SHA-256 for RSA. */
export function signatureAlgorithmFor(kind: KeyKind): SignatureAlgorithm {
  switch (kind.type) {
    case 'rsa':
      return { name: 'rsa-pkcs1', hash: 'sha256' };
    case 'rsa-pss':
      return { name: 'rsa-pss', hash: 'sha256' };
    case 'ec':
      return {
        name: 'ecdsa',
        hash: CURVE_HASHES[kind.curve],
      };
    case 'dsa':
      return { name: 'dsa', hash: 'sha256' };
    default:
      return { name: kind.type };
  }
}

const CURVE_HASHES: Readonly<Record<EcCurve, HashName>> = {
  secp256r1: 'sha256',
  secp384r1: 'sha384',
  secp521r1: 'sha512',
  brainpoolP256r1: 'sha256',
  brainpoolP384r1: 'sha384',
  brainpoolP512r1: 'sha512',
};

const PSS_HASHES = {
  sha256: ['2.16.840.1.101.3.4.2.1', 32],
  sha384: ['2.16.840.1.101.3.4.2.2', 48],
  sha512: ['2.16.840.1.101.3.4.2.3', 64],
} as const;

/** RSASSA-PSS-params (RFC 4055 §3.1): MGF1 with the same hash, a salt of its length, the default trailer. */
function pssParameters(hash: HashName, withNull: boolean): Uint8Array {
  const [oid, saltLength] = PSS_HASHES[hash as keyof typeof PSS_HASHES] ?? [];
  if (oid === undefined) throw new RangeError(`certificates cannot be signed with RSA-PSS and ${hash}`);
  const hashIdentifier = der.sequence(der.oid(oid), withNull ? der.nullValue() : undefined);
  return der.sequence(
    der.explicit(0, hashIdentifier),
    der.explicit(1, der.sequence(der.oid('1.2.840.113549.1.1.8'), hashIdentifier)),
    der.explicit(2, der.integer(saltLength)),
  );
}

/** The only parameters accepted, by their DER in hexadecimal: with NULL (RFC 4055 §2.1) and without. */
const PSS: ReadonlyMap<string, SignatureVerdict> = new Map(
  (['sha256', 'sha384', 'sha512'] as const).flatMap((hash) =>
    [true, false].map((withNull) => [
      toHex(pssParameters(hash, withNull)),
      { kind: 'supported', algorithm: { name: 'rsa-pss', hash } } as const,
    ]),
  ),
);

function sameAlgorithm(a: SignatureAlgorithm, b: SignatureAlgorithm): boolean {
  return a.name === b.name && ('hash' in a ? a.hash : '') === ('hash' in b ? b.hash : '');
}
