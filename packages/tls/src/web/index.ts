export { zlibCertificates } from './certificate-compression.ts';
export {
  type AcceptTlsOptions,
  acceptTls,
  type ConnectTlsOptions,
  connectTls,
  type StreamOptions,
  type TlsStream,
  type Transport,
} from './tls-stream.ts';
