export { privateKeyToEncryptedPem } from './encrypted-key.ts';
export type { PasswordEncryption } from './password-encryption.ts';
export type { PasswordLimits } from './password-work.ts';
export {
  type Pkcs12Attributes,
  type Pkcs12Contents,
  type Pkcs12Options,
  parsePkcs12,
  pkcs12Identity,
} from './read.ts';
export { createPkcs12, type Pkcs12Content } from './write.ts';
