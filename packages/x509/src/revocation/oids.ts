/** Extensions of CRLs and of their entries (RFC 5280 §5.2, §5.3), and those that say where to ask. */
export const RevocationOid = {
  cRLNumber: '2.5.29.20',
  reasonCode: '2.5.29.21',
  holdInstructionCode: '2.5.29.23',
  invalidityDate: '2.5.29.24',
  deltaCRLIndicator: '2.5.29.27',
  issuingDistributionPoint: '2.5.29.28',
  certificateIssuer: '2.5.29.29',
  freshestCRL: '2.5.29.46',
  /** RFC 7633 */
  tlsFeature: '1.3.6.1.5.5.7.1.24',
} as const;

/** OCSP (RFC 6960). */
export const OcspOid = {
  basicResponse: '1.3.6.1.5.5.7.48.1.1',
  nonce: '1.3.6.1.5.5.7.48.1.2',
  /** The access method in authorityInformationAccess. */
  access: '1.3.6.1.5.5.7.48.1',
} as const;

/** The access method for issuers' certificates (RFC 5280 §4.2.2.1). */
export const CA_ISSUERS_ACCESS = '1.3.6.1.5.5.7.48.2';
