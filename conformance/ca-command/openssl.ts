import type { Scratch } from '../support/scratch.ts';

/** A CA's files. */
export interface Issuer {
  readonly certificate: string;
  readonly key: string;
}

/**
 * A certificate of OpenSSL's making with a new Ed25519 key, in `NAME.pem` and `NAME.key`: issued by a CA, or by itself. Returns
 * its file.
 */
export function opensslCertificate(
  scratch: Scratch,
  name: string,
  options: { readonly commonName?: string; readonly issuer?: Issuer } = {},
): string {
  const { commonName = name, issuer } = options;
  scratch.run(
    ...(['openssl', 'req', '-x509', '-newkey', 'ed25519', '-nodes', '-subj', `/CN=${commonName}`] as const),
    ...['-keyout', `${name}.key`, '-out', `${name}.pem`],
    ...(issuer === undefined ? [] : ['-CA', issuer.certificate, '-CAkey', issuer.key]),
  );
  return `${name}.pem`;
}

/** The CA of `testudo` in the scratch folder, which issues below its root. */
export const INTERMEDIATE: Issuer = {
  certificate: 'data/intermediate.pem',
  key: 'data/intermediate-key.pem',
};
