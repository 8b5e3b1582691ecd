import { VerificationCache } from '@testudo/x509';

/**
 * Chains that this process has verified, for all connections: a peer that is met again costs neither the parsing nor
 * the signatures of its certificates, nor the import of its key. A verdict holds only for the trust store, provider and
 * purpose it was reached with; names, revocation and the time are looked at each time.
 */
export const verifiedCertificates: VerificationCache = new VerificationCache({ maximum: 200 });
