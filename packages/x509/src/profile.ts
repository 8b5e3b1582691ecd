import type { KeyKind } from '@testudo/crypto';
import type { Certificate } from './certificate.ts';

/** Where in a path a certificate stands. */
export type PathPosition = 'leaf' | 'intermediate' | 'anchor';

/** A demand beyond path validation. Gives what is wrong, or undefined. */
export type ProfileRule = (
  certificate: Certificate,
  position: PathPosition,
  key: KeyKind,
) => string | undefined;

/**
 * What is demanded of certificates beyond what makes a path valid: data, so that a program can make its own.
 */
export interface VerificationProfile {
  readonly name: string;
  /** Shortest RSA modulus, in bits. */
  readonly minimumRsaBits: number;
  /** Longest RSA modulus, in bits: verifying costs more than linear time in it. */
  readonly maximumRsaBits: number;
  readonly rules: readonly ProfileRule[];
}

/** What TLS clients in use accept: everything that a path's safety rests on, and no more. The default. */
export const compatibleProfile: VerificationProfile = {
  name: 'compatible',
  minimumRsaBits: 2048,
  maximumRsaBits: 8192,
  rules: [],
};
