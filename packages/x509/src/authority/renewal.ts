import type { PublicKey } from '@testudo/crypto';
import type { Certificate } from '../certificate.ts';
import { CertificateError } from '../errors.ts';
import { ExtensionOid } from '../oids.ts';
import { SCT_LIST_OID } from '../transparency/oids.ts';
import type { Unissued } from './content.ts';

/** Made anew with each certificate: key identifiers, and what logs said about the old one. */
const MADE_ANEW: ReadonlySet<string> = new Set([
  ExtensionOid.basicConstraints,
  ExtensionOid.keyUsage,
  ExtensionOid.extendedKeyUsage,
  ExtensionOid.subjectAltName,
  ExtensionOid.subjectKeyIdentifier,
  ExtensionOid.authorityKeyIdentifier,
  SCT_LIST_OID,
]);

/** What a certificate says that stays when it is renewed. Throws {@link CertificateError} `not-a-ca` for a CA's. */
export function renewedContent(
  certificate: Certificate,
  publicKey: PublicKey,
): Omit<Unissued, 'notBefore' | 'notAfter' | 'serialNumber'> {
  const { extensions } = certificate;
  if (extensions.basicConstraints?.ca === true)
    throw new CertificateError(
      'not-a-ca',
      'a CA certificate cannot be renewed: issue a new one',
      certificate,
    );
  return {
    subject: certificate.subject,
    publicKey,
    ca: false,
    keyUsage: extensions.keyUsage && [...extensions.keyUsage],
    extendedKeyUsage: extensions.extendedKeyUsage,
    subjectAltName: extensions.subjectAltName,
    others: [...extensions].filter(({ oid }) => !MADE_ANEW.has(oid)),
  };
}
