import type { Oid } from '@testudo/codec';
import type { Certificate } from '../certificate.ts';
import type { KeyUsage } from '../extensions.ts';
import { KeyPurposeOid } from '../oids.ts';
import type { Traits } from './traits.ts';

export type AuthorityKind = 'stated' | 'older' | 'netscape' | 'none';

/**
 * Whether a certificate is one of a CA: `stated` in basicConstraints, `older` where that is not there and something else
 * speaks for it (a root of version 1, keyUsage), `netscape` where only Netscape's type does, `none`.
 */
export function authorityKind(certificate: Certificate, traits: Traits): AuthorityKind {
  const { basicConstraints, keyUsage, netscapeType, isSelfSigned } = traits;
  if (keyUsage?.has('keyCertSign') === false) return 'none';
  if (basicConstraints !== undefined) return basicConstraints.ca ? 'stated' : 'none';
  if (certificate.version === 1 && isSelfSigned) return 'older';
  if (keyUsage !== undefined) return 'older';
  return ((netscapeType ?? 0) & NETSCAPE_ANY_CA) !== 0 ? 'netscape' : 'none';
}

/** Whether extendedKeyUsage and keyUsage allow an end of TLS, or a CA of one. */
export function isFitFor(
  purpose: 'server' | 'client',
  certificate: Certificate,
  traits: Traits,
  isIssuer: boolean,
): boolean {
  const { extendedKeyUsage, keyUsage, netscapeType } = traits;
  const demands = PURPOSES[purpose];
  if (extendedKeyUsage && !extendedKeyUsage.some((one) => demands.extended.includes(one))) return false;
  if (isIssuer) return isAuthorityOfTls(certificate, traits);
  if (netscapeType !== undefined && (netscapeType & demands.netscape) === 0) return false;
  return keyUsage === undefined || demands.usages.some((one) => keyUsage.has(one));
}

/** What is a CA by Netscape's type only must be one of TLS by it, and not of mail or of programs. */
function isAuthorityOfTls(certificate: Certificate, traits: Traits): boolean {
  const kind = authorityKind(certificate, traits);
  return kind === 'netscape' ? (traits.netscapeType! & NETSCAPE_TLS_CA) !== 0 : kind !== 'none';
}

interface Demands {
  readonly extended: readonly Oid[];
  /** One of them is enough. */
  readonly usages: readonly KeyUsage[];
  /** Bits of nsCertType. */
  readonly netscape: number;
}

const PURPOSES: Readonly<Record<'server' | 'client', Demands>> = {
  server: {
    // With the two of "step-up" cryptography, of the time of export rules.
    extended: [KeyPurposeOid.serverAuth, '1.3.6.1.4.1.311.10.3.3', '2.16.840.1.113730.4.1'],
    usages: ['digitalSignature', 'keyEncipherment', 'keyAgreement'],
    netscape: 0x40,
  },
  client: {
    extended: [KeyPurposeOid.clientAuth],
    usages: ['digitalSignature', 'keyAgreement'],
    netscape: 0x80,
  },
};

const NETSCAPE_ANY_CA = 0x07;
const NETSCAPE_TLS_CA = 0x04;
