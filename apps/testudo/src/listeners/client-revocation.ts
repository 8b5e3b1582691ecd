import { readFileSync } from 'node:fs';
import { decodePem } from '@testudo/codec';
import { systemCrypto } from '@testudo/crypto/openssl';
import type { CertificateVerifierOptions } from '@testudo/tls';
import {
  CertificateRevocationList,
  crlChecker,
  fetchingChecker,
  HARD_FAIL,
  type RevocationPolicy,
  SOFT_FAIL,
} from '@testudo/x509';
import { httpFetcher } from '@testudo/x509/node';
import type { ClientRevocationPlan } from '../config/tls-plan.ts';
import { Failure, messageOf, systemReason } from '../failure.ts';
import { withoutByteOrderMark } from '../identity/byte-order-mark.ts';

/** What is known of revoked client certificates: lists in files, and the net. */
export class ClientRevocation {
  readonly #plan: ClientRevocationPlan;
  readonly #lists: readonly FiledList[];

  /** Throws a `Failure` for a file that holds no CRL. */
  constructor(plan: ClientRevocationPlan) {
    this.#plan = plan;
    this.#lists = plan.crls.flatMap(readLists);
  }

  /** For a verifier of certificates. */
  get options(): NonNullable<CertificateVerifierOptions['revocation']> {
    const { mode, scope, crls, online } = this.#plan;
    const policy: RevocationPolicy = { ...(mode === 'hard-fail' ? HARD_FAIL : SOFT_FAIL), scope };
    const provider = systemCrypto();
    return {
      policy,
      ...(crls.length === 0
        ? {}
        : { checker: crlChecker({ provider, lists: () => this.#lists.map(({ list }) => list), policy }) }),
      ...(online ? { fetching: fetchingChecker({ provider, fetch: httpFetcher(), policy }) } : {}),
    };
  }
}

/** A list, and the file that it is in. */
export interface FiledList {
  readonly file: string;
  readonly list: CertificateRevocationList;
}

/** The CRLs of a file: DER, or PEM with one or several. Throws a `Failure`. */
export function readLists(file: string): FiledList[] {
  let content: Buffer;
  try {
    content = Buffer.from(withoutByteOrderMark(readFileSync(file)));
  } catch (error) {
    throw new Failure(`${file}: cannot read the CRL: ${systemReason(error)}`, 1, error);
  }
  try {
    return blocksOf(content).map((der) => ({ file, list: CertificateRevocationList.parse(der) }));
  } catch (error) {
    throw new Failure(`${file}: cannot use the CRL: ${messageOf(error)}`, 1, error);
  }
}

function blocksOf(content: Buffer): Uint8Array[] {
  if (!content.includes('-----BEGIN ')) return [new Uint8Array(content)];
  const blocks = decodePem(content.toString('latin1')).filter(({ label }) => label === 'X509 CRL');
  if (blocks.length === 0) throw new Error('no X509 CRL block in the PEM text');
  return blocks.map(({ bytes }) => bytes);
}
