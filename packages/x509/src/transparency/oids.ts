/** SignedCertificateTimestampList in a certificate (RFC 6962 §3.3). */
export const SCT_LIST_OID = '1.3.6.1.4.1.11129.2.4.2';
/** What makes a certificate a precertificate: critical, so that nobody takes it for one (RFC 6962 §3.1). */
export const POISON_OID = '1.3.6.1.4.1.11129.2.4.3';
/** SignedCertificateTimestampList in an OCSP answer. */
export const OCSP_SCT_LIST_OID = '1.3.6.1.4.1.11129.2.4.5';
