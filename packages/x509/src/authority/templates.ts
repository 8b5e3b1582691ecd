import type { Oid } from '@testudo/codec';
import { der } from '@testudo/codec';
import type { KeyKind } from '@testudo/crypto';
import type { Extension, KeyUsage } from '../extensions.ts';
import type { GeneralNameKind } from '../general-name.ts';
import { ExtensionOid, KeyPurposeOid } from '../oids.ts';

/** What a certificate is for. */
export type CertificatePurpose = 'server' | 'client' | 'email' | 'ike' | 'ocsp-responder';

/** What a kind of certificate says beyond names and key: data, so that a CA can have its own. */
export interface CertificateTemplate {
  /** Usages for every key. */
  readonly keyUsage: readonly KeyUsage[];
  /** Usages in addition, where the key can do it: RSA encrypts, elliptic curves agree. */
  readonly rsaKeyUsage?: readonly KeyUsage[] | undefined;
  readonly ecKeyUsage?: readonly KeyUsage[] | undefined;
  readonly extendedKeyUsage: readonly Oid[];
  /** Kinds of names that it may have. */
  readonly names: readonly GeneralNameKind[];
  /** One name at least must be of one of these kinds; empty: it needs none. */
  readonly needsOneOf: readonly GeneralNameKind[];
  /** Days for which it is valid unless told otherwise. */
  readonly days: number;
  readonly extensions?: readonly Extension[] | undefined;
}

export const TEMPLATES: Readonly<Record<CertificatePurpose, CertificateTemplate>> = {
  server: {
    keyUsage: ['digitalSignature'],
    // Key transport of TLS 1.2 and older encrypts to RSA keys.
    rsaKeyUsage: ['keyEncipherment'],
    extendedKeyUsage: [KeyPurposeOid.serverAuth],
    names: ['dns', 'ip', 'email', 'uri'],
    needsOneOf: ['dns', 'ip', 'email', 'uri'],
    days: 397,
  },
  client: {
    keyUsage: ['digitalSignature'],
    rsaKeyUsage: ['keyEncipherment'],
    extendedKeyUsage: [KeyPurposeOid.clientAuth],
    names: ['dns', 'ip', 'email', 'uri'],
    needsOneOf: [],
    days: 397,
  },
  // RFC 8550 §4.4.2; it signs, and mail is encrypted to it.
  email: {
    keyUsage: ['digitalSignature', 'nonRepudiation'],
    rsaKeyUsage: ['keyEncipherment'],
    ecKeyUsage: ['keyAgreement'],
    extendedKeyUsage: [KeyPurposeOid.emailProtection],
    names: ['email'],
    needsOneOf: ['email'],
    days: 397,
  },
  // RFC 4945 §5.1.3; both ends of IKE sign.
  ike: {
    keyUsage: ['digitalSignature'],
    extendedKeyUsage: [KeyPurposeOid.ipsecIke],
    names: ['dns', 'ip', 'email'],
    needsOneOf: ['dns', 'ip', 'email'],
    days: 397,
  },
  // RFC 6960 §4.2.2.2: short-lived, since nobody can ask whether it is revoked.
  'ocsp-responder': {
    keyUsage: ['digitalSignature'],
    extendedKeyUsage: [KeyPurposeOid.ocspSigning],
    names: [],
    needsOneOf: [],
    days: 30,
    extensions: [{ oid: ExtensionOid.ocspNoCheck, critical: false, value: der.nullValue() }],
  },
};

/** What a key of this kind is used for under a template. */
export function keyUsageFor(template: CertificateTemplate, kind: KeyKind): readonly KeyUsage[] {
  if (kind.type === 'rsa') return [...template.keyUsage, ...(template.rsaKeyUsage ?? [])];
  if (kind.type === 'ec') return [...template.keyUsage, ...(template.ecKeyUsage ?? [])];
  return template.keyUsage;
}
