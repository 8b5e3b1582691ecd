import type { CryptoProvider, PrivateKey } from '@testudo/crypto';
import { buildCertificate, randomSerialNumber } from '../build.ts';
import type { Certificate } from '../certificate.ts';
import { DistinguishedName } from '../distinguished-name.ts';
import type { Extension } from '../extensions.ts';
import { DEFAULT_KEY, validity } from './content.ts';
import { toGeneralName } from './names.ts';
import { keyUsageFor, TEMPLATES } from './templates.ts';

export interface SelfSignedRequest {
  readonly provider: CryptoProvider;
  /** Domains (also `*.example.com`) and addresses, one at least. */
  readonly names: readonly string[];
  /** Default: a new one on P-256. */
  readonly privateKey?: PrivateKey | undefined;
  /** Default 30. */
  readonly days?: number | undefined;
  /** The moment of issue. Default: now. */
  readonly at?: Date | undefined;
  /** Further extensions, as they are. Default: none. */
  readonly extensions?: readonly Extension[] | undefined;
}

/**
 * A server's certificate that its own key has signed: nobody has a reason to trust it. For the time before there is a
 * real one, and for protocols that only look at what stands in it. Throws `RangeError` on what cannot stand in one.
 */
export function createSelfSignedCertificate(request: SelfSignedRequest): {
  readonly certificate: Certificate;
  readonly privateKey: PrivateKey;
} {
  const { provider, names } = request;
  if (names.length === 0) throw new RangeError('a server certificate needs at least one name');
  const privateKey = request.privateKey ?? provider.generateKey(DEFAULT_KEY);
  const { publicKey } = privateKey;
  // Subject and issuer are the same in a certificate that is self-signed, and an issuer has a name (RFC 5280 §3.2, §4.1.2.4).
  const itself = DistinguishedName.ofCommonName('self-signed');
  const content = {
    ...validity(request.at, request.days ?? 30),
    serialNumber: randomSerialNumber(provider),
    issuer: itself,
    subject: itself,
    publicKey,
    ca: false,
    keyUsage: keyUsageFor(TEMPLATES.server, publicKey.kind),
    extendedKeyUsage: TEMPLATES.server.extendedKeyUsage,
    subjectAltName: names.map(toGeneralName),
    others: request.extensions,
  };
  return { certificate: buildCertificate(content, provider, privateKey), privateKey };
}
