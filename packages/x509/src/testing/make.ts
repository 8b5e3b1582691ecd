import { der, type Oid } from '@testudo/codec';
import type { PrivateKey } from '@testudo/crypto';
import { nodeCrypto } from '@testudo/crypto/node';
import { buildCertificate, type CertificateContent, keyIdentifierOf, randomSerialNumber } from '../build.ts';
import type { Certificate } from '../certificate.ts';
import { DistinguishedName } from '../distinguished-name.ts';
import type { Extension } from '../extensions.ts';
import { encodeGeneralName, type GeneralName } from '../general-name.ts';
import { ExtensionOid, KeyPurposeOid } from '../oids.ts';

/** A certificate for a test, with its key. */
export interface Made {
  readonly certificate: Certificate;
  readonly privateKey: PrivateKey;
}

export interface MakeOptions extends Partial<Omit<CertificateContent, 'subject' | 'issuer'>> {
  readonly subject?: string | DistinguishedName;
  /** Default: itself. */
  readonly by?: Made | undefined;
  readonly privateKey?: PrivateKey;
}

/** The moment in which what is made here is valid. */
export const NOW: Date = new Date('2026-01-01T00:00:00Z');

/** A leaf for a server unless `options` say something else: right and wrong certificates alike. */
export function make(options: MakeOptions = {}): Made {
  const { by, privateKey = newKey(), subject = 'leaf', ...content } = options;
  const name = typeof subject === 'string' ? DistinguishedName.ofCommonName(subject) : subject;
  const issuerKey = by?.privateKey ?? privateKey;
  const certificate = buildCertificate(
    {
      serialNumber: randomSerialNumber(nodeCrypto),
      notBefore: new Date('2025-01-01T00:00:00Z'),
      notAfter: new Date('2027-01-01T00:00:00Z'),
      publicKey: privateKey.publicKey,
      ca: false,
      keyUsage: ['digitalSignature'],
      extendedKeyUsage: [KeyPurposeOid.serverAuth],
      subjectAltName: [{ kind: 'dns', value: 'example.com' }],
      authorityKeyIdentifier: keyIdentifierOf(issuerKey.publicKey, nodeCrypto),
      ...content,
      subject: name,
      issuer: by?.certificate.subject ?? name,
    },
    nodeCrypto,
    issuerKey,
  );
  return { certificate, privateKey };
}

/** A CA; a root unless `by` says who issued it. */
export function makeAuthority(options: MakeOptions = {}): Made {
  return make({
    subject: 'root',
    ca: true,
    keyUsage: ['keyCertSign'],
    extendedKeyUsage: undefined,
    subjectAltName: undefined,
    ...options,
  });
}

export function newKey(): PrivateKey {
  return nodeCrypto.generateKey({ type: 'ec', curve: 'secp256r1' });
}

export function extension(oid: Oid, critical: boolean, value: Uint8Array): Extension {
  return { oid, critical, value };
}

/** A nameConstraints extension. */
export function nameConstraints(
  permitted: readonly GeneralName[],
  excluded: readonly GeneralName[] = [],
): Extension {
  const subtrees = (number: number, names: readonly GeneralName[]): Uint8Array | undefined =>
    names.length === 0
      ? undefined
      : der.explicit(number, ...names.map((name) => der.sequence(encodeGeneralName(name))));
  return extension(
    ExtensionOid.nameConstraints,
    true,
    der.sequence(subtrees(0, permitted), subtrees(1, excluded)),
  );
}
