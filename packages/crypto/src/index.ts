export {
  copySecretOffset,
  equalBytesMask,
  equalMask,
  lessThanMask,
  select,
  selectBytes,
  unpadPkcs1,
} from './constant-flow.ts';
export { CryptoError, type CryptoErrorCode } from './errors.ts';
export { type FiniteFieldFault, finiteFieldFault } from './finite-field.ts';
export {
  FFDHE_GROUPS,
  type FiniteFieldGroup,
  finiteFieldGroup,
  MODP_GROUPS,
} from './finite-field-groups.ts';
export * from './hpke/index.ts';
export * from './provider.ts';
