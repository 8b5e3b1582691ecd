// What tests outside of the package take from it: `#x509/testing`, on the sources only; it is in no tarball.

export { policyExtensions } from './policies.ts';
