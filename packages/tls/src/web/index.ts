export { zlibCertificates } from './certificate-compression.ts';
export { type AcceptTlsOptions, acceptTls, type ConnectTlsOptions, connectTls } from './tls-stream.ts';
export type { StreamOptions, TlsStream, Transport } from './types.ts';
