import { type DerReader, decodeDer, der, type Oid, Tag } from '@testudo/codec';
import type { CryptoProvider, PrivateKey, PublicKey } from '@testudo/crypto';
import { encodeSignatureAlgorithm, signatureAlgorithmFor } from './algorithm.ts';
import { Certificate } from './certificate.ts';
import type { DistinguishedName } from './distinguished-name.ts';
import { type Extension, KEY_USAGES, type KeyUsage } from './extensions.ts';
import { encodeGeneralName, type GeneralName } from './general-name.ts';
import { ExtensionOid } from './oids.ts';

/** What goes into a certificate. Extensions left undefined are left out. */
export interface CertificateContent {
  readonly serialNumber: Uint8Array;
  readonly issuer: DistinguishedName;
  readonly subject: DistinguishedName;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly publicKey: PublicKey;
  /** Undefined: no basicConstraints. */
  readonly ca?: boolean | undefined;
  readonly pathLength?: number | undefined;
  readonly keyUsage?: readonly KeyUsage[] | undefined;
  readonly extendedKeyUsage?: readonly Oid[] | undefined;
  readonly subjectAltName?: readonly GeneralName[] | undefined;
  readonly authorityKeyIdentifier?: Uint8Array | undefined;
  /** Further extensions, as they are. */
  readonly others?: readonly Extension[] | undefined;
}

/** Signs a certificate of version 3 (RFC 5280 §4). */
export function buildCertificate(
  content: CertificateContent,
  provider: CryptoProvider,
  issuerKey: PrivateKey,
): Certificate {
  const algorithm = signatureAlgorithmFor(issuerKey.kind);
  const encodedAlgorithm = encodeSignatureAlgorithm(algorithm);
  const tbs = der.sequence(
    der.explicit(0, der.integer(2)),
    der.unsigned(content.serialNumber),
    encodedAlgorithm,
    content.issuer.der,
    der.sequence(der.time(content.notBefore), der.time(content.notAfter)),
    content.subject.der,
    content.publicKey.spki,
    der.explicit(3, der.sequence(...encodeExtensions(content, provider))),
  );
  const signature = provider.sign(algorithm, issuerKey, tbs);
  return Certificate.parse(der.sequence(tbs, encodedAlgorithm, der.bitString(signature)));
}

/** 160 bits of SHA-256 over the key's bits (RFC 7093 §2, method 1). */
export function keyIdentifierOf(key: PublicKey, provider: CryptoProvider): Uint8Array {
  const bits = decodeDer(key.spki, (reader) =>
    reader.sequence((inner: DerReader) => {
      inner.whole(Tag.sequence);
      return inner.wholeBytesBitString();
    }),
  );
  return provider.digest('sha256', bits).subarray(0, 20);
}

/** A random, positive serial number of 20 bytes (RFC 5280 §4.1.2.2). */
export function randomSerialNumber(provider: CryptoProvider): Uint8Array {
  const serial = provider.randomBytes(20);
  serial[0] = (serial[0]! & 0x7f) | 0x40;
  return serial;
}

function encodeExtensions(content: CertificateContent, provider: CryptoProvider): Uint8Array[] {
  const { ca, keyUsage, extendedKeyUsage, subjectAltName, authorityKeyIdentifier } = content;
  const extensions: (Extension | undefined)[] = [
    ca === undefined ? undefined : basicConstraints(ca, content.pathLength),
    keyUsage && extension('keyUsage', true, der.namedBits(keyUsage.map((name) => KEY_USAGES.indexOf(name)))),
    extension('subjectKeyIdentifier', false, der.octetString(keyIdentifierOf(content.publicKey, provider))),
    authorityKeyIdentifier &&
      extension(
        'authorityKeyIdentifier',
        false,
        der.sequence(der.implicit(0, der.octetString(authorityKeyIdentifier))),
      ),
    extendedKeyUsage && extension('extendedKeyUsage', false, der.sequence(...extendedKeyUsage.map(der.oid))),
    // Critical when it is the only name (RFC 5280 §4.2.1.6).
    subjectAltName &&
      extension(
        'subjectAltName',
        content.subject.isEmpty,
        der.sequence(...subjectAltName.map(encodeGeneralName)),
      ),
    ...(content.others ?? []),
  ];
  return extensions.filter((one) => one !== undefined).map(encodeExtension);
}

function basicConstraints(ca: boolean, pathLength: number | undefined): Extension {
  const limit = pathLength === undefined ? undefined : der.integer(pathLength);
  return extension('basicConstraints', true, der.sequence(ca ? der.boolean(true) : undefined, limit));
}

function extension(name: keyof typeof ExtensionOid, critical: boolean, value: Uint8Array): Extension {
  return { oid: ExtensionOid[name], critical, value };
}

function encodeExtension({ oid, critical, value }: Extension): Uint8Array {
  return der.sequence(der.oid(oid), critical ? der.boolean(true) : undefined, der.octetString(value));
}
