import type { SecureContextOptions } from 'node:tls';
import { DerReader, Tag } from '@testudo/codec';
import { systemCrypto } from '@testudo/crypto/openssl';
import {
  type Certificate,
  CertificateRevocationList,
  compatibleProfile,
  crlChecker,
  HARD_FAIL,
  type RevocationChecker,
  type RevocationPolicy,
  type VerificationProfile,
  type X509Verdict,
} from '@testudo/x509';
import { READS_ALL_CRLS } from '../as-node/running-node.ts';
import { checkTextOrBytes } from '../errors/arguments.ts';
import { nodeError } from '../errors/errors.ts';
import { isUnreadable, PemError, PemReader } from './openssl-pem.ts';

/** What the option `crl` says. */
export interface Revocation {
  readonly checker: RevocationChecker;
  /** Why the lists of a certificate's CA prove nothing, in OpenSSL's code and words; undefined where there are none. */
  problem(certificate: Certificate, at: Date): readonly [X509Verdict, string] | undefined;
  /** What OpenSSL says of a certificate in a chain; undefined when it is known to be good. */
  verdict(path: readonly Certificate[], index: number, at: Date): X509Verdict | undefined;
}

/**
 * The option `crl`: with it every certificate of a path must be known to be good by one of the lists, as in Node
 * (`X509_V_FLAG_CRL_CHECK_ALL`). PEM, one or several. Throws `ERR_CRYPTO_OPERATION_FAILED`.
 */
export function loadRevocation(crl: SecureContextOptions['crl']): Revocation | undefined {
  if (crl === undefined || crl === null) return undefined;
  const inputs: readonly unknown[] = Array.isArray(crl) ? crl : [crl];
  if (inputs.length === 0) return undefined;
  // Of two made in the same second, the one with the higher number is the newer.
  const lists = Array.from(inputs, parse)
    .flat()
    .sort((a, b) => ((a.number ?? -1n) < (b.number ?? -1n) ? 1 : -1));
  const checker = crlChecker({ provider: systemCrypto(), lists, policy: POLICY });
  const problem: Revocation['problem'] = ({ issuer }, at) => {
    const list = lists.find((one) => one.issuer.key === issuer.key);
    if (list === undefined) return undefined;
    if (list.nextUpdate !== undefined && list.nextUpdate < at) return EXPIRED;
    return list.thisUpdate > at ? NOT_YET_VALID : undefined;
  };
  return {
    checker,
    problem,
    verdict: (path, index, at) => {
      const certificate = path[index]!;
      // A root's list is its own. Of an anchor that is none, nobody is here who could have signed a list.
      const upwards =
        path[index + 1] === undefined && certificate.isSelfIssued ? [...path, certificate] : path;
      const issuer = upwards[index + 1];
      if (issuer === undefined) return problem(certificate, at)?.[0] ?? 'UNABLE_TO_GET_CRL';
      const { status } = checker.check({ certificate, issuer, at, path: upwards, index, profile: SIGNERS });
      if (status === 'good') return undefined;
      return status === 'revoked' ? 'CERT_REVOKED' : (problem(certificate, at)?.[0] ?? 'UNABLE_TO_GET_CRL');
    },
  };
}

const EXPIRED = ['CRL_HAS_EXPIRED', 'CRL has expired'] as const;
const NOT_YET_VALID = ['CRL_NOT_YET_VALID', 'CRL is not yet valid'] as const;

/** OpenSSL takes lists without a number, as older CAs make them. */
const POLICY: RevocationPolicy = { ...HARD_FAIL, requiresCrlNumber: false };

/** OpenSSL holds certificates to its security level, but not lists, nor who signs them. */
const SIGNERS: VerificationProfile = {
  ...compatibleProfile,
  name: 'openssl',
  keys: [...compatibleProfile.keys, 'dsa'],
  minimumRsaBits: 512,
  maximumRsaBits: 16_384,
  hashes: ['md5', 'sha1', 'sha256', 'sha384', 'sha512'],
};

function parse(input: unknown): CertificateRevocationList[] {
  checkTextOrBytes('options.crl', input);
  const reader = new PemReader(input as string);
  const lists: CertificateRevocationList[] = [];
  try {
    for (let block = reader.next(LABELS); block !== undefined; block = reader.next(LABELS)) {
      // OpenSSL does not look at what is behind it.
      lists.push(CertificateRevocationList.parse(new DerReader(block).whole(Tag.sequence)));
    }
    if (lists.length === 0) throw new PemError('no start line');
  } catch (error) {
    if (!isUnreadable(error)) throw error;
    if (READS_ALL_CRLS || lists.length === 0)
      throw nodeError('ERR_CRYPTO_OPERATION_FAILED', 'Failed to parse CRL', error);
  }
  return lists;
}

const LABELS = ['X509 CRL'];
