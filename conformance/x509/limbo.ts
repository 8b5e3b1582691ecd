import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { decodePem } from '@testudo/codec';
import { nodeCrypto } from '@testudo/crypto/node';
import {
  CertificateError,
  CertificateRevocationList,
  compatibleProfile,
  crlChecker,
  HARD_FAIL,
  type KeyUsage,
  type PeerName,
  parseCertificates,
  type RevocationChecker,
  rfc5280Profile,
  TrustStore,
  type VerificationProfile,
  type VerifyOptions,
  webPkiProfile,
} from '@testudo/x509';

/** A case of x509-limbo, as far as we use it; see ../vectors/limbo/README.md. */
export interface LimboCase {
  readonly id: string;
  readonly validation_kind: 'SERVER' | 'CLIENT';
  /** PEM. */
  readonly trusted_certs: readonly string[];
  readonly untrusted_intermediates: readonly string[];
  readonly peer_certificate: string;
  readonly validation_time: string | null;
  readonly key_usage: readonly KeyUsage[];
  readonly expected_peer_name: { readonly kind: 'DNS' | 'IP' | 'RFC822'; readonly value: string } | null;
  /** Of a client: all the names it has. */
  readonly expected_peer_names: readonly { readonly kind: 'RFC822'; readonly value: string }[];
  readonly max_chain_depth: number | null;
  readonly crls: readonly string[];
  readonly expected_result: 'SUCCESS' | 'FAILURE';
}

const file = new URL('../vectors/limbo/limbo.json.gz', import.meta.url);

export const limboCases: readonly LimboCase[] = (
  JSON.parse(gunzipSync(readFileSync(file)).toString()) as { testcases: LimboCase[] }
).testcases;

/** The profile whose rules a case is about. */
export function profileOf({ id }: LimboCase): VerificationProfile {
  if (COMMON_NAME_ELSEWHERE.has(id)) return webPkiWithoutCommonNames;
  if (id.startsWith('rfc5280::')) return rfc5280Profile;
  return /^(webpki|online)::/.test(id) ? webPkiProfile : compatibleProfile;
}

/**
 * Valid by the suite, though their common name is in no alternative name, which its cases webpki::cn:: say is invalid.
 * They are about something else: that rule is left out.
 */
const COMMON_NAME_ELSEWHERE: ReadonlySet<string> = new Set([
  'webpki::nc::nc-permits-dns-san-pattern',
  'webpki::san::exact-localhost-ip-san',
  'webpki::san::leftmost-wildcard-san',
]);

const webPkiWithoutCommonNames: VerificationProfile = {
  ...webPkiProfile,
  name: 'web-pki, but for common names',
  rules: webPkiProfile.rules.filter((rule) => rule !== 'common-name-is-alternative-name'),
};

/** Cases without a time are about certificates that are valid for centuries. */
const ANY_TIME = new Date('2026-01-01T00:00:00Z');

/** The part of the public suffix list that the suite is about: the program that uses us brings the list. */
const PUBLIC_SUFFIXES: ReadonlySet<string> = new Set(['com', 'co.uk', 's3.amazonaws.com']);

/** What a case asks for. Throws CertificateError `malformed` on certificates that cannot be parsed. */
export function verifyOptions(limbo: LimboCase, profile: VerificationProfile): VerifyOptions {
  return {
    provider: nodeCrypto,
    chain: [limbo.peer_certificate, ...limbo.untrusted_intermediates].flatMap(parseCertificates),
    trust: new TrustStore(limbo.trusted_certs.flatMap(parseCertificates)),
    at: limbo.validation_time === null ? ANY_TIME : new Date(limbo.validation_time),
    purpose: limbo.validation_kind === 'SERVER' ? 'server' : 'client',
    name: peerName(limbo),
    leafKeyUsage: limbo.key_usage[0] ?? 'any',
    budgets: limbo.max_chain_depth === null ? {} : { depth: limbo.max_chain_depth },
    isPublicSuffix: (domain) => PUBLIC_SUFFIXES.has(domain),
    profile,
    revocation: limbo.crls.length === 0 ? undefined : revocationOf(limbo),
  };
}

/** Where a case brings lists, they must say that the leaf is good. */
function revocationOf({ crls }: LimboCase): RevocationChecker {
  const lists = crls.flatMap((pem) =>
    decodePem(pem).flatMap(({ bytes }) => {
      try {
        return [CertificateRevocationList.parse(bytes)];
      } catch (error) {
        // A list that cannot be read says nothing.
        if (error instanceof CertificateError) return [];
        throw error;
      }
    }),
  );
  return crlChecker({ provider: nodeCrypto, lists, policy: { ...HARD_FAIL, scope: 'leaf' } });
}

const KINDS = { DNS: 'dns', IP: 'ip', RFC822: 'email' } as const;

function peerName(limbo: LimboCase): PeerName | undefined {
  const name = limbo.expected_peer_name ?? limbo.expected_peer_names[0];
  return name === undefined ? undefined : { kind: KINDS[name.kind], value: name.value };
}
