import type { AcmeChallenge } from './acme-choices.ts';
import { ACME_CHALLENGES } from './acme-choices.ts';

// Defaults that depend on something else. All others stand in the schema, beside their options.

/** What a certificate of the local CA is for. */
export const LOCAL_NAMES: readonly string[] = ['localhost', '127.0.0.1', '::1'];

/** What is agreed on in front of HTTP. */
export const HTTP_PROTOCOLS: readonly string[] = ['http/1.1'];

/**
 * A client that resumes is not asked for its certificate again: where it could be revoked meanwhile, sessions are short.
 * Milliseconds.
 */
export const LIFETIME_WITH_REVOCATION = 3_600_000;

/** Who names a CA for clients wants to know who they are. */
export function clientCertificateOf(listener: {
  readonly clientCertificate?: 'none' | 'optional' | 'required' | undefined;
  readonly clientCa?: string | undefined;
}): 'none' | 'optional' | 'required' {
  return listener.clientCertificate ?? (listener.clientCa === undefined ? 'none' : 'required');
}

/** By preference: http-01 only where something answers it. */
export function challengesOf(acme: {
  readonly challenges?: readonly AcmeChallenge[] | undefined;
  readonly http?: object | undefined;
}): readonly AcmeChallenge[] {
  return acme.challenges ?? (acme.http === undefined ? ['tls-alpn-01'] : ACME_CHALLENGES);
}
