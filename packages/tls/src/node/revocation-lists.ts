import { nodeCrypto } from '@testudo/crypto/node';
import {
  type Certificate,
  CertificateError,
  CertificateRevocationList,
  crlChecker,
  HARD_FAIL,
  type RevocationChecker,
  type RevocationPolicy,
} from '@testudo/x509';
import type { SecureContextOptions } from './context-options.ts';
import { nodeError } from './errors.ts';

/** What the option `crl` says. */
export interface Revocation {
  readonly checker: RevocationChecker;
  /** Why the lists of a certificate's CA prove nothing, in OpenSSL's code and words; undefined where there are none. */
  problem(certificate: Certificate, at: Date): readonly [string, string] | undefined;
}

/**
 * The option `crl`: with it every certificate of a path must be known to be good by one of the lists, as in Node
 * (`X509_V_FLAG_CRL_CHECK_ALL`). PEM or DER, one or several. Throws `ERR_CRYPTO_OPERATION_FAILED`.
 */
export function loadRevocation(crl: SecureContextOptions['crl']): Revocation | undefined {
  if (!crl) return undefined;
  const inputs = [crl].flat() as (string | Uint8Array)[];
  // Of two made in the same second, the one with the higher number is the newer.
  const lists = inputs.flatMap(parse).sort((a, b) => ((a.number ?? -1n) < (b.number ?? -1n) ? 1 : -1));
  return {
    checker: crlChecker({ provider: nodeCrypto, lists, policy: POLICY }),
    problem: ({ issuer }, at) => {
      const list = lists.find((one) => one.issuer.key === issuer.key);
      if (list === undefined) return undefined;
      if (list.nextUpdate !== undefined && list.nextUpdate < at) return EXPIRED;
      return list.thisUpdate > at ? NOT_YET_VALID : undefined;
    },
  };
}

const EXPIRED = ['CRL_HAS_EXPIRED', 'CRL has expired'] as const;
const NOT_YET_VALID = ['CRL_NOT_YET_VALID', 'CRL is not yet valid'] as const;

/** OpenSSL takes lists without a number, as older CAs make them. */
const POLICY: RevocationPolicy = { ...HARD_FAIL, requiresCrlNumber: false };

function parse(input: string | Uint8Array): CertificateRevocationList[] {
  const text = typeof input === 'string' ? input : Buffer.from(input).toString('latin1');
  const blocks = [...text.matchAll(/-----BEGIN X509 CRL-----([\s\S]*?)-----END X509 CRL-----/g)];
  try {
    if (blocks.length > 0) {
      return blocks.map(([, base64]) =>
        CertificateRevocationList.parse(new Uint8Array(Buffer.from(base64!, 'base64'))),
      );
    }
    return [CertificateRevocationList.parse(new Uint8Array(Buffer.from(text, 'latin1')))];
  } catch (error) {
    if (!(error instanceof CertificateError)) throw error;
    throw nodeError('ERR_CRYPTO_OPERATION_FAILED', 'Failed to parse CRL', error);
  }
}
