import { bytesEqual, decode, encode } from '@testudo/codec';
import type { CryptoProvider, KeyKind, PrivateKey, PublicKey, SignatureAlgorithm } from '@testudo/crypto';
import { allowsDelegation, Certificate } from '@testudo/x509';
import { TlsError } from '../errors.ts';
import { type Delegation, delegatedCredential } from '../extensions/delegated-credential.ts';
import {
  SIGNATURE_SCHEMES,
  type SignatureScheme,
  signatureScheme,
  signatureSchemeByName,
} from '../signature-schemes.ts';
import { TLS13 } from '../versions.ts';
import type { Credential } from './credential.ts';
import { delegableSchemes, delegationContent, MAX_DELEGATION } from './delegated-credential.ts';
import type { DelegatedCredential } from './types.ts';

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
      `a lifetime of ${lifetime} seconds: at most seven days are allowed, and no longer than the certificate is valid`,
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
    sign: signerOf(provider, key),
  };
}

/** A delegated credential as bytes, without its key: to bring it to where connections end. */
export function encodeDelegatedCredential({ signed }: DelegatedCredential): Uint8Array {
  return encode(delegatedCredential.codecs.certificate, signed).slice();
}

/**
 * The other way, with the key that was delegated to. Throws `bad-option` when the bytes are no delegated credential for this
 * key, role and certificate, or `DecodeError`.
 */
export function loadDelegatedCredential(
  provider: CryptoProvider,
  {
    bytes,
    certificate,
    key,
    role = 'server',
  }: {
    readonly bytes: Uint8Array;
    /** The leaf that vouches, DER. */
    readonly certificate: Uint8Array;
    readonly key: PrivateKey | RemoteKey;
    /** Default `server`. */
    readonly role?: 'client' | 'server' | undefined;
  },
): DelegatedCredential {
  const signed = decode(delegatedCredential.codecs.certificate, bytes.slice());
  const { delegation, algorithm, signature } = signed;
  const leaf = Certificate.parse(certificate);
  const scheme = delegableSchemes().find(({ id }) => id === delegation.dcCertVerifyAlgorithm);
  const signedWith = signatureScheme(algorithm);
  const content = delegationContent(role, certificate, delegation, algorithm);
  const isFitting =
    bytesEqual(delegation.publicKey, key.publicKey.spki) &&
    allowsDelegation(leaf) &&
    scheme?.fits(key.publicKey.kind, TLS13) === true &&
    signedWith?.tls13 === true &&
    provider.verify(signedWith.algorithm, leaf.publicKey(provider), content, signature);
  if (!isFitting) {
    throw new TlsError(
      'bad-option',
      `this is not a delegated credential of this certificate for this key and a ${role}`,
    );
  }
  const expiresAt = +leaf.notBefore + 1000 * delegation.validTime;
  return { role, signed, scheme, signedWith, expiresAt, sign: signerOf(provider, key) };
}

/**
 * A credential for where the certificate's own key is not: shown in TLS 1.3 only, to peers that take one of these delegated
 * credentials. Put one with the key behind it, or none at all for the others.
 */
export function delegatedOnlyCredential(
  provider: CryptoProvider,
  certificates: readonly Uint8Array[],
  delegatedCredentials: readonly DelegatedCredential[],
): Credential {
  const leaf = certificates[0];
  if (leaf === undefined) throw new TlsError('bad-option', 'a credential needs at least one certificate');
  return {
    certificates,
    delegatedCredentials,
    delegatedOnly: true,
    keyKind: Certificate.parse(leaf).publicKey(provider).kind,
    sign: () => Promise.reject(new Error('the certificate\u2019s private key is not available')),
  };
}

function signerOf(provider: CryptoProvider, key: PrivateKey | RemoteKey): DelegatedCredential['sign'] {
  return 'sign' in key ? key.sign.bind(key) : (algorithm, data) => provider.sign(algorithm, key, data);
}

function schemeFor(
  kind: KeyKind,
  name: string | undefined,
  schemes: readonly SignatureScheme[],
): SignatureScheme {
  const wanted = name === undefined ? undefined : signatureSchemeByName(name);
  const scheme = schemes.find((each) => (name === undefined || each === wanted) && each.fits(kind, TLS13));
  if (scheme !== undefined) return scheme;
  throw new TlsError(
    'bad-option',
    `${name ?? 'no signature scheme'} ${name === undefined ? 'fits' : 'does not fit'} a key of type ${kind.type} here`,
  );
}
