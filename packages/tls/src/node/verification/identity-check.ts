import type { DetailedPeerCertificate } from 'node:tls';

/** A custom check of the server's name; an error that it returns, or throws, refuses the certificate. */
export type IdentityCheck = (hostname: string, cert: DetailedPeerCertificate) => Error | undefined;
