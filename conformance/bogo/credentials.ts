import { readFileSync } from 'node:fs';
import { nodeCrypto } from '@testudo/crypto/node';
import { type Credential, credential, type ExternalPsk, importPsk } from '@testudo/tls';
import { Certificate, parseCertificates, parsePrivateKey } from '@testudo/x509';
import type { ConnectionFlags, CredentialFlags } from './flags.ts';

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

/** The certificates of the flags, those that were named first. */
export function loadCredentials(flags: ConnectionFlags): ShimCredential[] {
  const numbered = flags.credentials.map((each, index) => ({ each, number: index + UNNAMED }));
  return [...numbered.slice(1), ...numbered.slice(0, 1)]
    .filter(({ each }) => each.kind !== 'psk' && each.text('cert-file') !== undefined)
    .map(({ each, number }) => load(each, number, flags.has('async')));
}

/** The keys of the flags, imported (RFC 9258) for both hashes. */
export function loadPsks(flags: ConnectionFlags): ExternalPsk[] {
  return flags.credentials
    .filter(({ kind }) => kind === 'psk')
    .flatMap((each) => {
      const hash = each.has('psk-importer-sha384') ? ('sha384' as const) : ('sha256' as const);
      const psk = {
        identity: each.bytes('psk-importer-identity') ?? new Uint8Array(0),
        key: each.bytes('psk-importer-key') ?? new Uint8Array(0),
        hash,
      };
      const context = each.bytes('psk-importer-context') ?? new Uint8Array(0);
      return (['sha256', 'sha384'] as const).map((target) => importPsk(nodeCrypto, psk, { context, target }));
    });
}

/** Those that may be shown to a peer which names these authorities. */
export function matchingIssuer(
  credentials: readonly ShimCredential[],
  authorities: readonly Uint8Array[],
): Credential[] {
  return credentials
    .filter(
      ({ needsIssuer, issuers }) =>
        !needsIssuer ||
        issuers.some((issuer) => authorities.some((name) => Buffer.compare(name, issuer) === 0)),
    )
    .map((each) => each.credential);
}

function load(flags: CredentialFlags, number: number, isAsync: boolean): ShimCredential {
  const certificates = parseCertificates(readFileSync(flags.text('cert-file')!, 'utf8'));
  const key = parsePrivateKey(readFileSync(flags.text('key-file')!, 'utf8'), nodeCrypto);
  const chain = certificates.map(({ der }) => der);
  const own = credential(nodeCrypto, chain, key);
  const ocspResponse = flags.bytes('ocsp-response');
  const signedCertificateTimestamps = flags.bytes('signed-cert-timestamps');
  return {
    number,
    needsIssuer: flags.has('must-match-issuer'),
    issuers: chain.map((der) => Certificate.parse(der).issuer.der),
    credential: {
      ...own,
      ...(ocspResponse === undefined ? {} : { ocspResponse }),
      ...(signedCertificateTimestamps === undefined ? {} : { signedCertificateTimestamps }),
      ...(isAsync ? later(own) : {}),
    },
  };
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
