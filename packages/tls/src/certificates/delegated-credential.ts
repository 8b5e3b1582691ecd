import { concat, encode, utf8 } from '@testudo/codec';
import type { CryptoProvider, KeyKind, PrivateKey, PublicKey, SignatureAlgorithm } from '@testudo/crypto';
import { allowsDelegation, Certificate } from '@testudo/x509';
import type { Credential } from '../credential.ts';
import { TlsError } from '../errors.ts';
import type { ExtensionBlock } from '../extensions/block.ts';
import {
  type Delegation,
  delegatedCredential,
  delegationCodec,
  type SignedDelegation,
} from '../extensions/identities.ts';
import type { ChosenCredential } from '../handshake/authentication.ts';
import type { Handshake } from '../handshake/handshake.ts';
import { SIGNATURE_SCHEMES, type SignatureScheme, signatureSchemeByName } from '../signature-schemes.ts';
import { TLS13 } from '../versions.ts';

/** The longest time for which a delegated credential is taken, in seconds: seven days (RFC 9345 §4.1.3). */
export const MAX_DELEGATION: number = 604_800;

/**
 * A short-lived key that stands in for a certificate's key in TLS 1.3 (RFC 9345), so that this one need not be where
 * connections end. Made by {@link issueDelegatedCredential}; belongs into a credential with that certificate.
 */
export interface DelegatedCredential {
  /** For which side of the handshake it was signed. */
  readonly role: 'client' | 'server';
  readonly signed: SignedDelegation;
  /** What its key signs with. */
  readonly scheme: SignatureScheme;
  /** What the certificate's key signed it with: it is shown only to those who can verify that. */
  readonly signedWith: SignatureScheme;
  /** Milliseconds since 1970. From then on the certificate's own key is used. */
  readonly expiresAt: number;
  /** Signs with the short-lived key. May answer later. */
  sign(algorithm: SignatureAlgorithm, data: Uint8Array): Uint8Array | Promise<Uint8Array>;
}

/** What a connection tells of a delegated credential. */
export interface DelegationInfo {
  readonly scheme: SignatureScheme;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

/** A key that is somewhere else. */
export interface RemoteKey {
  readonly publicKey: PublicKey;
  sign(algorithm: SignatureAlgorithm, data: Uint8Array): Uint8Array | Promise<Uint8Array>;
}

export interface DelegationRequest {
  /** Whose certificate vouches: it needs the DelegationUsage extension. Its key signs, wherever that is. */
  readonly delegator: Credential;
  /** The short-lived key, new for this purpose. */
  readonly key: PrivateKey | RemoteKey;
  /** Default `server`. */
  readonly role?: 'client' | 'server' | undefined;
  /** Seconds from now, at most 604,800 and not beyond the certificate's end. Default 86,400. */
  readonly lifetime?: number | undefined;
  /** SignatureScheme that the short-lived key signs with. Default: the first that fits it. */
  readonly scheme?: string | undefined;
  /** SignatureScheme that the certificate's key signs with. Default: the first that fits it. */
  readonly signedWith?: string | undefined;
  /** Milliseconds since 1970. Default: now. */
  readonly now?: number | undefined;
}

/**
 * Delegates: the certificate's key vouches for another one for a while (RFC 9345 §4). Rejects with `bad-option` when the
 * certificate does not allow it, or when the lifetime or a scheme does not fit.
 */
export async function issueDelegatedCredential(
  provider: CryptoProvider,
  request: DelegationRequest,
): Promise<DelegatedCredential> {
  const { delegator, key, role = 'server', lifetime = 86_400, now = Date.now() } = request;
  const leaf = delegator.certificates[0];
  if (leaf === undefined) throw new TlsError('bad-option', 'a certificate is needed to delegate');
  const certificate = Certificate.parse(leaf);
  if (!allowsDelegation(certificate)) {
    throw new TlsError(
      'bad-option',
      'the certificate does not allow delegation: issue it with delegationUsage (RFC 9345 §4.2)',
    );
  }
  const validTime = Math.floor((now - +certificate.notBefore) / 1000) + lifetime;
  const expiresAt = +certificate.notBefore + 1000 * validTime;
  if (!(lifetime > 0 && lifetime <= MAX_DELEGATION) || expiresAt > +certificate.notAfter || validTime < 0)
    throw new TlsError(
      'bad-option',
      `a lifetime of ${lifetime} seconds: at most seven days, within the certificate's`,
    );
  const scheme = schemeFor(key.publicKey.kind, request.scheme, delegableSchemes());
  const signedWith = schemeFor(delegator.keyKind, request.signedWith, SIGNATURE_SCHEMES);
  const delegation: Delegation = {
    validTime,
    dcCertVerifyAlgorithm: scheme.id,
    publicKey: key.publicKey.spki,
  };
  const content = delegationContent(role, leaf, delegation, signedWith.id);
  const signature = await delegator.sign(signedWith.algorithm, content);
  return {
    ...{ role, scheme, signedWith, expiresAt },
    signed: { delegation, algorithm: signedWith.id, signature },
    sign: 'sign' in key ? key.sign.bind(key) : (algorithm, data) => provider.sign(algorithm, key, data),
  };
}

/** Schemes of keys that may be delegated to: all of TLS 1.3, but RSA keys only where restricted to PSS (RFC 9345 §4). */
export function delegableSchemes(): readonly SignatureScheme[] {
  return SIGNATURE_SCHEMES.filter((scheme) => scheme.tls13 && !scheme.name.startsWith('rsa_pss_rsae'));
}

/** What the certificate's key signs (RFC 9345 §4, item 4). */
export function delegationContent(
  role: 'client' | 'server',
  leaf: Uint8Array,
  delegation: Delegation,
  algorithm: number,
): Uint8Array {
  const number = Uint8Array.of(algorithm >> 8, algorithm & 0xff);
  return concat(PREFIX, CONTEXT[role], leaf, encode(delegationCodec, delegation), number);
}

const PREFIX = new Uint8Array(64).fill(0x20);
const CONTEXT = {
  client: utf8('TLS, client delegated credentials\0'),
  server: utf8('TLS, server delegated credentials\0'),
};

/** Tells the peer that it may show a delegated credential, and what that may sign with. */
export function requestDelegation(
  h: Handshake,
  block: ExtensionBlock<'client_hello'> | ExtensionBlock<'certificate_request'>,
): void {
  const { delegationSchemes } = h.config.features;
  if (delegationSchemes.length === 0) return;
  (block as ExtensionBlock<'client_hello'>).set(
    delegatedCredential,
    delegationSchemes.map(({ id }) => id),
  );
}

/** The choice with a delegated credential in place of the certificate's key, where there is one that the peer takes. */
export function delegated(
  chosen: ChosenCredential,
  role: 'client' | 'server',
  requested: ExtensionBlock<'client_hello'> | ExtensionBlock<'certificate_request'>,
  theirs: readonly number[],
  now: number,
): ChosenCredential {
  const own = chosen.credential.delegatedCredentials;
  const taken = own && (requested as ExtensionBlock<'client_hello'>).get(delegatedCredential);
  const found =
    taken &&
    own.find(
      (each) =>
        each.role === role &&
        now < each.expiresAt &&
        taken.includes(each.scheme.id) &&
        theirs.includes(each.signedWith.id),
    );
  return found === undefined ? chosen : { ...chosen, scheme: found.scheme, delegated: found };
}

function schemeFor(
  kind: KeyKind,
  name: string | undefined,
  schemes: readonly SignatureScheme[],
): SignatureScheme {
  const wanted = name === undefined ? undefined : signatureSchemeByName(name);
  const scheme = schemes.find((each) => (name === undefined || each === wanted) && each.fits(kind, TLS13));
  if (scheme !== undefined) return scheme;
  throw new TlsError('bad-option', `${name ?? 'no scheme'} fits a key of type ${kind.type} here`);
}
