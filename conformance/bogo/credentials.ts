import { readFileSync } from 'node:fs';
import type { PrivateKey } from '@testudo/crypto';
import { nodeCrypto } from '@testudo/crypto/node';
import {
  type Credential,
  type CredentialRequest,
  credential,
  delegatedOnlyCredential,
  type ExternalPsk,
  importPsk,
  rawPublicKeyCredential,
  signatureScheme,
  TlsError,
  VERSIONS,
  type Version,
} from '@testudo/tls';
import { parseCertificates, parsePrivateKey } from '@testudo/x509';
import { readDelegated } from './delegated.ts';
import type { ConnectionFlags, CredentialFlags } from './flags.ts';
import { policyOf } from './policies.ts';

const { 'TLSv1.2': TLS12, 'TLSv1.3': TLS13 } = VERSIONS;

/** ClientCertificateType (RFC 5246 §7.4.4, RFC 8422 §5.5). */
const RSA_SIGN = 1;
const ECDSA_SIGN = 64;

/** What the runner calls the credential of no `-new-…-credential` flag. */
const UNNAMED = -1;

/** A certificate with its key, and its number among those that the flags name. */
export interface ShimCredential {
  readonly number: number;
  readonly credential: Credential;
  /** Only for a peer that names one of its issuers. */
  readonly needsIssuer: boolean;
  /** DER names. */
  readonly issuers: readonly Uint8Array[];
}

/** A shared key, and its number among the credentials. */
export interface ShimPsk {
  readonly number: number;
  readonly psk: ExternalPsk;
}

/** The certificates of the flags, those that were named first. */
export function loadCredentials(flags: ConnectionFlags): ShimCredential[] {
  const numbered = flags.credentials.map((each, index) => ({ each, number: index + UNNAMED }));
  return [...numbered.slice(1), ...numbered.slice(0, 1)]
    .filter(({ each }) => each.text('key-file') !== undefined)
    .map(({ each, number }) => load(each, number, flags));
}

/** BoringSSL signs with these unless it is told otherwise, in this order. */
const SIGNING_PREFERENCES = [
  0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0603, 0x0806, 0x0601, 0x0807, 0x0203, 0x0201, 0x0904,
  0x0905, 0x0906,
];

/** The keys of the flags, imported (RFC 9258) for both hashes. */
export function loadPsks(flags: ConnectionFlags): ShimPsk[] {
  return flags.credentials
    .map((each, index) => ({ each, number: index + UNNAMED }))
    .filter(({ each }) => each.kind === 'psk')
    .flatMap(({ each, number }) => {
      const hash = each.has('psk-importer-sha384') ? ('sha384' as const) : ('sha256' as const);
      const psk = {
        identity: each.bytes('psk-importer-identity') ?? new Uint8Array(0),
        key: each.bytes('psk-importer-key') ?? new Uint8Array(0),
        hash,
      };
      const context = each.bytes('psk-importer-context') ?? new Uint8Array(0);
      return (['sha256', 'sha384'] as const).map((target) => ({
        number,
        psk: importPsk(nodeCrypto, psk, { context, target }),
      }));
    });
}

/** Those that may be shown to a peer which names these authorities. */
export function matchingIssuer(
  credentials: readonly ShimCredential[],
  authorities: readonly Uint8Array[],
): Credential[] {
  const isNamed = (issuer: Uint8Array) => authorities.some((name) => Buffer.compare(name, issuer) === 0);
  const matching = credentials.flatMap(({ needsIssuer, issuers, credential }) => {
    if (!needsIssuer || issuers.some(isNamed)) return [credential];
    // The engine knows whether its trust anchor is named.
    return credential.trustAnchorId === undefined ? [] : [{ ...credential, onlyWhereTrusted: true }];
  });
  // BoringSSL gives up rather than show nothing.
  if (matching.length === 0 && credentials.length > 0)
    throw new TlsError('no-common-signature-scheme', 'NO_MATCHING_ISSUER');
  return matching;
}

/** BoringSSL's clients give up rather than show nothing: here that is for the application to decide. */
export function fitsRequest(credential: Credential, request: CredentialRequest, version: number): boolean {
  const { certificateType = 'x509', keyTypes, signatureSchemes } = request;
  if ((credential.rawPublicKey === undefined) !== (certificateType === 'x509')) return false;
  const keyType = credential.keyKind.type.startsWith('rsa') ? RSA_SIGN : ECDSA_SIGN;
  if (keyTypes?.includes(keyType) === false) return false;
  if (version < TLS12) return true;
  return signatureSchemes.some((id) => {
    const scheme = signatureScheme(id);
    if (scheme === undefined || credential.signatureSchemes?.includes(scheme.name) === false) return false;
    return (version < TLS13 || scheme.tls13) && scheme.fits(credential.keyKind, version as Version);
  });
}

function load(flags: CredentialFlags, number: number, all: ConnectionFlags): ShimCredential {
  const key = parsePrivateKey(readFileSync(flags.text('key-file')!, 'utf8'), nodeCrypto);
  const file = flags.text('cert-file');
  const certificates = file === undefined ? [] : parseCertificates(readFileSync(file, 'utf8'));
  const chain = certificates.map(({ der }) => der);
  const own = credentialOf(flags, chain, key);
  const hidesStapling = all.has('decline-ocsp-callback');
  const ocspResponse = hidesStapling ? undefined : flags.bytes('ocsp-response');
  const signedCertificateTimestamps = flags.bytes('signed-cert-timestamps');
  return {
    number,
    needsIssuer: flags.has('must-match-issuer'),
    issuers: certificates.map(({ issuer }) => issuer.der),
    credential: {
      ...own,
      ...(ocspResponse === undefined ? {} : { ocspResponse }),
      ...(signedCertificateTimestamps === undefined ? {} : { signedCertificateTimestamps }),
      ...(all.has('async') ? later(own) : {}),
      signatureSchemes: signingSchemes(flags, all),
      trustAnchorId: flags.bytes('trust-anchor-id'),
    },
  };
}

function credentialOf(flags: CredentialFlags, chain: readonly Uint8Array[], key: PrivateKey): Credential {
  if (flags.kind === 'rpk') return rawPublicKeyCredential(nodeCrypto, key);
  if (flags.kind !== 'delegated') return credential(nodeCrypto, chain, key);
  const delegated = readDelegated(flags.bytes('delegated-credential')!, chain[0]!, key);
  return delegatedOnlyCredential(nodeCrypto, chain, [delegated]);
}

/** Names; a scheme that the engine does not know is one that it cannot sign with. */
function signingSchemes(flags: CredentialFlags, all: ConnectionFlags): string[] {
  const given = flags.numbers('signing-prefs');
  const ids = policyOf(all)?.signatureSchemes ?? (given.length > 0 ? given : SIGNING_PREFERENCES);
  return ids.flatMap((id) => signatureScheme(id)?.name ?? []);
}

/** The key answers later, as one in an HSM does. */
function later(own: Credential): Partial<Credential> {
  const { decryptRsa } = own;
  return {
    sign: async (algorithm, data) => own.sign(algorithm, data),
    ...(decryptRsa === undefined
      ? {}
      : { decryptRsa: async (ciphertext: Uint8Array) => decryptRsa(ciphertext) }),
  };
}
