import { bytesEqual } from '@testudo/codec';
import { Certificate, CertificateError } from '@testudo/x509';
import type { Credential } from './credential.ts';

/**
 * Credentials with those first whose chain leads to a CA that the peer trusts (certificate_authorities, RFC 9846 §4.3.4,
 * RFC 5246 §7.4.4), otherwise in their order. None is left out: the list guides, and a peer may trust more than it says,
 * as a cross-signed root. Raw public keys have no issuer, and stay where they would be first.
 */
export function preferIssuedBy(
  credentials: readonly Credential[],
  authorities: readonly Uint8Array[],
): readonly Credential[] {
  if (credentials.length < 2 || authorities.length === 0) return credentials;
  const preferred = credentials.filter((each) => isIssuedBy(each, authorities));
  if (preferred.length === 0 || preferred.length === credentials.length) return credentials;
  return [...preferred, ...credentials.filter((each) => !preferred.includes(each))];
}

function isIssuedBy({ certificates, rawPublicKey }: Credential, authorities: readonly Uint8Array[]): boolean {
  if (rawPublicKey !== undefined) return true;
  return certificates.some((der) => {
    const issuer = issuerOf(der);
    return issuer.length > 0 && authorities.some((name) => bytesEqual(name, issuer));
  });
}

/** Read once: a peer names CAs as often as it likes. Empty for what is no certificate. */
const issuers = new WeakMap<Uint8Array, Uint8Array>();
const NOTHING = new Uint8Array(0);

function issuerOf(der: Uint8Array): Uint8Array {
  const known = issuers.get(der);
  if (known !== undefined) return known;
  const issuer = readIssuer(der);
  issuers.set(der, issuer);
  return issuer;
}

function readIssuer(der: Uint8Array): Uint8Array {
  try {
    return Certificate.parse(der).issuer.der;
  } catch (error) {
    if (error instanceof CertificateError) return NOTHING;
    throw error;
  }
}
