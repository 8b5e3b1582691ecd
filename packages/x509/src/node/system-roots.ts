import { rootCertificates } from 'node:tls';
import type { Certificate } from '../certificate.ts';
import { CertificateError } from '../errors.ts';
import { parseCertificates } from '../load.ts';
import { TrustStore } from '../trust-store.ts';

let roots: TrustStore | undefined;

/**
 * The roots that come with Node (Mozilla's list), parsed on first use and kept. One that cannot be parsed is left
 * out: a root that we do not understand is a root that we do not trust.
 */
export function systemRoots(): TrustStore {
  roots ??= new TrustStore(rootCertificates.flatMap(tryParse));
  return roots;
}

function tryParse(pem: string): Certificate[] {
  try {
    // Names are parsed on first use: here, so that one that cannot be read leaves out its root only.
    return parseCertificates(pem).filter(({ subject }) => subject.key !== '');
  } catch (error) {
    if (error instanceof CertificateError) return [];
    throw error;
  }
}
