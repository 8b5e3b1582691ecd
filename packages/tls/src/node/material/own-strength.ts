import { systemCrypto } from '@testudo/crypto/openssl';
import { Certificate, isKeyStrongEnough, isSignatureStrongEnough, type SecurityLevel } from '@testudo/x509';
import { CHECKS_OWN_SIGNATURES } from '../as-node/running-node.ts';
import { opensslError } from '../errors/openssl-errors.ts';
import type { OwnIdentity } from './load-identities.ts';

/**
 * Throws `ERR_SSL_EE_KEY_TOO_SMALL`, `ERR_SSL_CA_KEY_TOO_SMALL` or `ERR_SSL_CA_MD_TOO_WEAK` for a certificate of our own, or one
 * that is sent with it, which the security level forbids.
 */
export function checkOwnStrength({ leaf, others }: OwnIdentity, level: SecurityLevel): void {
  if (level === 0) return;
  check(leaf, 'ee key too small', level);
  for (const one of others) check(Certificate.parse(one), 'ca key too small', level);
}

/** A signature by itself says nothing, so it may be of any kind. */
function check(certificate: Certificate, reason: string, level: SecurityLevel): void {
  if (!isKeyStrongEnough(certificate, level, systemCrypto())) throw opensslError(reason);
  if (!CHECKS_OWN_SIGNATURES) return;
  if (!certificate.isSelfIssued && !isSignatureStrongEnough(certificate, level))
    throw opensslError('ca md too weak');
}
