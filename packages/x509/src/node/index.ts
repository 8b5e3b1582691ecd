export { type HttpFetcherOptions, httpFetcher } from './http-fetcher.ts';
export { JsonCertificateDatabase } from './json-certificate-database.ts';
export { type OcspHandlerOptions, ocspHandler } from './ocsp-handler.ts';
export { systemRoots } from './system-roots.ts';
