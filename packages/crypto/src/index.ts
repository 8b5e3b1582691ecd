export { CryptoError, type CryptoErrorCode } from './errors.ts';
export * from './provider.ts';
