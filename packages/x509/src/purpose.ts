import type { Oid } from '@testudo/codec';
import type { KeyUsage } from './extensions.ts';
import { KeyPurposeOid } from './oids.ts';

/** What a leaf is used for, by name. */
export type PurposeName =
  /** A server's end of TLS. */
  | 'server'
  /** A client's end of TLS. */
  | 'client'
  /** S/MIME (RFC 8550 §4.4). */
  | 'email'
  /** IKEv2 (RFC 4945 §5.1.3). */
  | 'ike'
  | 'codeSigning'
  /** RFC 3161 §2.3. */
  | 'timeStamping'
  /** A responder that a CA has delegated OCSP to (RFC 6960 §4.2.2.2). */
  | 'ocspSigning'
  /** Nothing is asked. */
  | 'any';

/** What a purpose asks of extendedKeyUsage and keyUsage. */
export interface PurposeDemands {
  /** For messages: `TLS server`. */
  readonly title: string;
  /** extendedKeyUsage, where present, must hold one of these; empty: not looked at. */
  readonly extendedKeyUsage: readonly Oid[];
  /** keyUsage of the leaf, where present, must allow one of these; empty: not looked at. */
  readonly keyUsage: readonly KeyUsage[];
  /** Whether anyExtendedKeyUsage is enough in a leaf; in a CA it always is. Default false. */
  readonly acceptsAny?: boolean | undefined;
  /** Whether a leaf must have extendedKeyUsage. Default false. */
  readonly isExplicit?: boolean | undefined;
  /** Whether extendedKeyUsage of a leaf, where present, must be critical and hold nothing else. Default false. */
  readonly isExclusive?: boolean | undefined;
}

/** By name, or as data for a purpose of one's own. */
export type Purpose = PurposeName | PurposeDemands;

export function purposeDemands(purpose: Purpose): PurposeDemands {
  return typeof purpose === 'string' ? PURPOSES[purpose] : purpose;
}

const PURPOSES: Readonly<Record<PurposeName, PurposeDemands>> = {
  server: {
    title: 'TLS server',
    extendedKeyUsage: [KeyPurposeOid.serverAuth],
    keyUsage: ['digitalSignature'],
  },
  client: {
    title: 'TLS client',
    extendedKeyUsage: [KeyPurposeOid.clientAuth],
    keyUsage: ['digitalSignature'],
  },
  // RFC 8550 §4.4.2 and §4.4.4. For encryption, ask for keyEncipherment or keyAgreement by `leafKeyUsage`.
  email: {
    title: 'mail user',
    extendedKeyUsage: [KeyPurposeOid.emailProtection],
    keyUsage: ['digitalSignature', 'nonRepudiation'],
    acceptsAny: true,
  },
  // RFC 4945 §5.1.3.2 and §5.1.3.12. The older purposes of IPsec are obsolete, and not to be relied on (§5.1.3.12).
  ike: {
    title: 'IKE peer',
    extendedKeyUsage: [KeyPurposeOid.ipsecIke],
    keyUsage: ['digitalSignature', 'nonRepudiation'],
    acceptsAny: true,
  },
  codeSigning: {
    title: 'code signer',
    extendedKeyUsage: [KeyPurposeOid.codeSigning],
    keyUsage: ['digitalSignature'],
    isExplicit: true,
  },
  timeStamping: {
    title: 'time-stamping authority',
    extendedKeyUsage: [KeyPurposeOid.timeStamping],
    keyUsage: ['digitalSignature', 'nonRepudiation'],
    isExplicit: true,
    isExclusive: true,
  },
  ocspSigning: {
    title: 'OCSP responder',
    extendedKeyUsage: [KeyPurposeOid.ocspSigning],
    keyUsage: ['digitalSignature'],
    isExplicit: true,
  },
  any: { title: 'any use', extendedKeyUsage: [], keyUsage: [] },
};
