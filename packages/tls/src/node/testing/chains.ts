import { der, type Oid } from '@testudo/codec';
import type { PrivateKey, SignatureAlgorithm } from '@testudo/crypto';
import { nodeCrypto } from '@testudo/crypto/node';
import { privateKeyToPem } from '@testudo/x509';
import type { Identity } from './support.ts';

/** What a test puts into a certificate: whatever it likes. */
export interface Wish {
  readonly subject?: string;
  /** Common names before that of the subject. Default: none. */
  readonly namesBefore?: readonly string[];
  /** Default 3. */
  readonly version?: 1 | 3 | 4;
  /** How times are written. Default: as they should be. */
  readonly time?: (at: Date) => Uint8Array;
  readonly key?: PrivateKey;
  /** Default RSA or ECDSA with SHA-256. */
  readonly signedWith?: SignatureAlgorithm;
  /** Days from now. Default: from -1 to 30. */
  readonly days?: readonly [number, number];
  /** Undefined: no basicConstraints. */
  readonly ca?: boolean | undefined;
  readonly pathLength?: number;
  /** Bits of keyUsage. */
  readonly usage?: readonly number[];
  readonly purposes?: readonly Oid[];
  readonly names?: readonly string[];
  readonly extensions?: readonly Uint8Array[];
  /** Spoils the signature. */
  readonly isForged?: boolean;
}

/** A certificate with its key. */
export interface Made {
  readonly subject: string;
  readonly der: Uint8Array;
  readonly key: PrivateKey;
}

export const CURVE_KEY: PrivateKey = nodeCrypto.generateKey({ type: 'ec', curve: 'secp256r1' });

/** Signed by `issuer`, or by itself. */
export function make(wish: Wish, issuer?: Made): Made {
  const key = wish.key ?? nodeCrypto.generateKey({ type: 'ec', curve: 'secp256r1' });
  const subject = wish.subject ?? 'localhost';
  const signer = issuer?.key ?? key;
  const isRsa = signer.kind.type === 'rsa';
  const algorithm = wish.signedWith ?? { name: isRsa ? 'rsa-pkcs1' : 'ecdsa', hash: 'sha256' };
  const oid = SIGNATURES[`${algorithm.name} ${'hash' in algorithm ? algorithm.hash : ''}`.trim()]!;
  const identifier = der.sequence(der.oid(oid), isRsa ? der.nullValue() : undefined);
  const [from, to] = (wish.days ?? [-1, 30]).map((day) => new Date(Date.now() + day * 86_400_000));
  const { version = 3, time = der.time } = wish;
  const extensions = version >= 3 ? extensionsOf(wish) : [];
  const tbs = der.sequence(
    version === 1 ? undefined : der.explicit(0, der.integer(version - 1)),
    der.unsigned(nodeCrypto.randomBytes(8)),
    identifier,
    nameOf(issuer?.subject ?? subject),
    der.sequence(time(from!), time(to!)),
    nameOf(...(wish.namesBefore ?? []), subject),
    key.publicKey.spki,
    extensions.length > 0 ? der.explicit(3, der.sequence(...extensions)) : undefined,
  );
  const signature = nodeCrypto.sign(algorithm, signer, tbs);
  if (wish.isForged) signature[signature.length - 1]! ^= 1;
  return { subject, key, der: der.sequence(tbs, identifier, der.bitString(signature)) };
}

/** An extension, its value as DER. */
export function extension(oid: Oid, value: Uint8Array, critical = false): Uint8Array {
  return der.sequence(der.oid(oid), critical ? der.boolean(true) : undefined, der.octetString(value));
}

export function pemOf(...chain: readonly Made[]): string {
  return chain
    .map((one) =>
      Buffer.from(one.der)
        .toString('base64')
        .match(/.{1,64}/g)!
        .join('\n'),
    )
    .map((text) => `-----BEGIN CERTIFICATE-----\n${text}\n-----END CERTIFICATE-----\n`)
    .join('');
}

/** The first of a chain with its key, as options take it. */
export function identityOf(leaf: Made, ...others: readonly Made[]): Identity {
  return { key: privateKeyToPem(leaf.key), cert: pemOf(leaf, ...others) };
}

function nameOf(...commonNames: readonly string[]): Uint8Array {
  return der.sequence(
    ...commonNames.map((name) => der.setOf(der.sequence(der.oid('2.5.4.3'), der.utf8String(name)))),
  );
}

function extensionsOf(wish: Wish): Uint8Array[] {
  const { ca, pathLength, usage, purposes, names } = wish;
  const limit = pathLength === undefined ? undefined : der.integer(pathLength);
  const made = [
    ca === undefined
      ? undefined
      : extension('2.5.29.19', der.sequence(ca ? der.boolean(true) : undefined, limit), true),
    usage && extension('2.5.29.15', der.namedBits(usage), true),
    purposes && extension('2.5.29.37', der.sequence(...purposes.map(der.oid))),
    names &&
      extension(
        '2.5.29.17',
        der.sequence(...names.map((name) => der.implicit(2, der.octetString(Buffer.from(name))))),
      ),
  ];
  return [...made.filter((one) => one !== undefined), ...(wish.extensions ?? [])];
}

const SIGNATURES: Readonly<Record<string, Oid>> = {
  'rsa-pkcs1 md5': '1.2.840.113549.1.1.4',
  'rsa-pkcs1 sha1': '1.2.840.113549.1.1.5',
  'rsa-pkcs1 sha224': '1.2.840.113549.1.1.14',
  'rsa-pkcs1 sha256': '1.2.840.113549.1.1.11',
  'rsa-pkcs1 sha512': '1.2.840.113549.1.1.13',
  'ecdsa sha1': '1.2.840.10045.4.1',
  'ecdsa sha256': '1.2.840.10045.4.3.2',
};
