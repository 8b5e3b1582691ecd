import type { Extension } from '../extensions.ts';
import { authorityInformationAccess, distributionPointsExtension } from '../revocation/distribution-point.ts';
import { RevocationOid } from '../revocation/oids.ts';

/** Where a CA's certificates say that things are: `http:` addresses (RFC 5280 §4.2.1.13, §4.2.2.1). Default: nowhere. */
export interface Publication {
  readonly ocsp?: readonly string[] | undefined;
  readonly crl?: readonly string[] | undefined;
  readonly deltaCrl?: readonly string[] | undefined;
  /** The CA's own certificate. */
  readonly issuer?: readonly string[] | undefined;
}

export function publicationExtensions({ ocsp, crl, deltaCrl, issuer }: Publication): Extension[] {
  const extensions: Extension[] = [];
  if (ocsp !== undefined || issuer !== undefined)
    extensions.push(authorityInformationAccess({ ocsp, issuers: issuer }));
  if (crl !== undefined) extensions.push(distributionPointsExtension(crl));
  if (deltaCrl !== undefined)
    extensions.push(distributionPointsExtension(deltaCrl, undefined, RevocationOid.freshestCRL));
  return extensions;
}
