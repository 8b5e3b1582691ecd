import { readFileSync } from 'node:fs';
import { nodeCrypto } from '@testudo/crypto/node';
import {
  type AsyncRevocationChecker,
  type CertificateRevocationList,
  crlChecker,
  fetchingChecker,
  firstToKnowAsync,
  type IssuerFetcher,
  type RevocationChecker,
  type RevocationRequest,
  type RevocationStatus,
  stapledChecker,
} from '@testudo/x509';
import { httpFetcher } from '@testudo/x509/node';
import { EXIT, Failure, systemReason } from '../failure.ts';
import { readIdentityFile } from './identity-file.ts';

/** What was learned about one certificate of a path. */
export interface LearnedStatus {
  readonly request: RevocationRequest;
  readonly status: RevocationStatus;
}

/** Where to look up what is revoked. */
export interface RevocationSources {
  readonly crls: readonly string[];
  /** A DER OCSP response about the leaf. */
  readonly ocsp: string | undefined;
  /** Ask the addresses in the certificates. */
  readonly online: boolean;
}

/**
 * Asks these sources, and notes the answers. Whoever names them wants to know about the leaf: it is refused when nothing
 * is known of it. Undefined without sources. Throws a `Failure` about a file.
 */
export async function revocationFrom(
  sources: RevocationSources,
  learned: LearnedStatus[],
): Promise<AsyncRevocationChecker | undefined> {
  const checkers: (RevocationChecker | AsyncRevocationChecker)[] = [];
  if (sources.ocsp !== undefined)
    checkers.push(stapledChecker({ provider: nodeCrypto, responses: [readBytes(sources.ocsp)] }));
  if (sources.crls.length > 0) {
    const lists = (await Promise.all(sources.crls.map(readCrls))).flat();
    checkers.push(crlChecker({ provider: nodeCrypto, lists }));
  }
  if (sources.online) checkers.push(fetchingChecker({ provider: nodeCrypto, fetch: httpFetcher() }));
  if (checkers.length === 0) return undefined;
  const all = firstToKnowAsync(...checkers);
  return {
    onUnknown: 'accept',
    async check(request) {
      const found = await all.check(request);
      const status =
        found.status === 'unknown' && request.index === 0 ? { ...found, mustRefuse: true } : found;
      learned.push({ request, status });
      return status;
    },
  };
}

/** Fetches issuers that are missing. */
export function issuerFetcher(): IssuerFetcher {
  const fetch = httpFetcher();
  return async (url, { maximumBytes }) => {
    const accept = 'application/pkix-cert, application/pkcs7-mime';
    return (await fetch({ method: 'GET', url, accept, maximumLength: maximumBytes })).body;
  };
}

async function readCrls(file: string): Promise<CertificateRevocationList[]> {
  const items = await readIdentityFile(file, () => {
    throw new Failure(`${file}: there is no CRL in it`, EXIT.usage);
  });
  const lists = items.flatMap((item) => (item.kind === 'crl' ? [item.crl] : []));
  if (lists.length > 0) return lists;
  const [problem] = items.flatMap((item) =>
    item.kind === 'other' && item.problem !== undefined ? [item.problem] : [],
  );
  throw new Failure(
    `${file}: there is no CRL in it${problem === undefined ? '' : `: ${problem}`}`,
    EXIT.usage,
  );
}

function readBytes(file: string): Uint8Array {
  try {
    return new Uint8Array(readFileSync(file));
  } catch (error) {
    throw new Failure(`${file}: cannot read the OCSP response: ${systemReason(error)}`, EXIT.usage, error);
  }
}
