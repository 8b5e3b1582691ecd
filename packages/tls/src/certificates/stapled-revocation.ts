import { bytesEqual } from '@testudo/codec';
import type { CryptoProvider } from '@testudo/crypto';
import {
  type AsyncRevocationChecker,
  type Certificate,
  type RevocationChecker,
  type RevocationPolicy,
  type RevocationStatus,
  SOFT_FAIL,
  stapledChecker,
} from '@testudo/x509';
import type { CertificateToVerify } from './verdict.ts';

/** Who is asked whether a certificate is revoked, and what becomes of a certificate of which nobody knows. */
export interface RevocationOptions {
  /** Default `SOFT_FAIL`: refused is what is known to be revoked. With `HARD_FAIL` it must be known to be good. */
  readonly policy?: RevocationPolicy | undefined;
  /**
   * `honour`: a certificate that demands a stapled response (RFC 7633) is refused without a good one, unless the policy
   * says otherwise. `require`: every server must staple one for its certificate. Default `honour`.
   */
  readonly mustStaple?: 'honour' | 'require' | undefined;
  /** Asked where nothing is stapled, at once: `crlChecker`. Default: nobody. */
  readonly checker?: RevocationChecker | undefined;
  /** Asked last; verdicts then come later: `fetchingChecker`. Default: nobody. */
  readonly fetching?: AsyncRevocationChecker | undefined;
}

/** Knows what the peer stapled, by the certificates' places in its chain. */
export function stapledRevocation(
  provider: CryptoProvider,
  options: RevocationOptions,
  request: CertificateToVerify,
): RevocationChecker {
  const policy = options.policy ?? SOFT_FAIL;
  const requires = options.mustStaple === 'require' && request.peer === 'server';
  return {
    onUnknown: policy.mode === 'hard-fail' ? 'refuse' : 'accept',
    check(asked) {
      // The path need not be in the order of the chain.
      const responses: (Uint8Array | undefined)[] = new Array(asked.index).fill(undefined);
      responses.push(responseFor(asked.certificate, request));
      const status = stapledChecker({ provider, responses, policy: forPeer(policy, request) }).check(asked);
      return requires && asked.index === 0 ? required(status) : status;
    },
  };
}

export function responseFor(
  { der }: Certificate,
  { chain, ocspResponse, ocspResponses }: CertificateToVerify,
): Uint8Array | undefined {
  const place = chain.findIndex((own) => bytesEqual(own, der));
  return ocspResponses?.[place] ?? (place === 0 ? ocspResponse : undefined);
}

/** Clients are seldom able to staple, and up to TLS 1.2 not at all: what their certificates demand is for servers. */
function forPeer(policy: RevocationPolicy, { peer }: CertificateToVerify): RevocationPolicy {
  return peer === 'server' ? policy : { ...policy, enforceMustStaple: false };
}

function required(status: RevocationStatus): RevocationStatus {
  if (status.status !== 'unknown') return status;
  return {
    status: 'unknown',
    reason: `every server must staple a good OCSP response here: ${status.reason}`,
    mustRefuse: true,
  };
}
