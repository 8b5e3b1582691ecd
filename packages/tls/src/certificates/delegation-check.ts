import type { PublicKey } from '@testudo/crypto';
import { allowsDelegation, type Certificate, CertificateError } from '@testudo/x509';
import { TlsError } from '../errors.ts';
import type { SignedDelegation } from '../extensions/delegated-credential.ts';
import { leafKey } from '../handshake/authentication.ts';
import type { Handshake } from '../handshake/context.ts';
import { negotiatedOf } from '../handshake/negotiated.ts';
import { verifiedCertificates } from '../handshake/verified-certificates.ts';
import type { SignatureScheme } from '../signature-schemes.ts';
import { TLS13 } from '../versions.ts';
import { delegationContent, MAX_DELEGATION } from './delegated-credential.ts';

/** What CertificateVerify must be signed with. */
export interface DelegatedKey {
  readonly key: PublicKey;
  readonly scheme: SignatureScheme;
}

/**
 * Verifies a peer's delegated credential (RFC 9345 §4.1.3): current, for at most seven days more, for a scheme that we
 * take, by a certificate that allows it. Whether that certificate is good is another question. `offered` are the schemes
 * that we said the certificate's key may sign with. Throws `illegal-parameter`.
 */
export function checkDelegation(
  h: Handshake,
  role: 'client' | 'server',
  leaf: Uint8Array,
  { delegation, algorithm, signature }: SignedDelegation,
  offered: readonly SignatureScheme[],
): DelegatedKey {
  const certificateKey = leafKey(h, role, leaf);
  const certificate = verifiedCertificates.parse(leaf);
  const expiresAt = +certificate.notBefore + 1000 * delegation.validTime;
  if (h.now > expiresAt) throw invalid('has expired');
  if (expiresAt - h.now > 1000 * MAX_DELEGATION) throw invalid('is valid for more than seven days');
  const { delegationSchemes } = h.config.features;
  const scheme = delegationSchemes.find(({ id }) => id === delegation.dcCertVerifyAlgorithm);
  if (scheme === undefined) throw invalid('is for a signature scheme that was not offered');
  if (!mayDelegate(certificate)) throw invalid('was issued with a certificate that does not allow it');
  const signedWith = offered.find(({ id }) => id === algorithm);
  if (signedWith?.fits(certificateKey.kind, TLS13) !== true)
    throw invalid('is signed with a scheme that was not offered, or does not fit the certificate');
  const content = delegationContent(role, leaf, delegation, algorithm);
  if (!h.provider.verify(signedWith.algorithm, certificateKey, content, signature))
    throw invalid('is not signed by the certificate’s key');
  const key = delegatedKey(h, delegation.publicKey);
  if (!scheme.fits(key.kind, TLS13)) throw invalid('has a key that does not fit its scheme');
  negotiatedOf(h).delegationReceived = { scheme, expiresAt };
  return { key, scheme };
}

/** Extensions are read only now: those that cannot be read allow nothing. */
function mayDelegate(certificate: Certificate): boolean {
  try {
    return allowsDelegation(certificate);
  } catch (error) {
    if (error instanceof CertificateError) return false;
    throw error;
  }
}

function delegatedKey(h: Handshake, spki: Uint8Array): PublicKey {
  try {
    return h.provider.importPublicKey(spki);
  } catch {
    throw invalid('has a key that cannot be read');
  }
}

function invalid(what: string): TlsError {
  return new TlsError('illegal-parameter', `the peer's delegated credential ${what}`);
}
