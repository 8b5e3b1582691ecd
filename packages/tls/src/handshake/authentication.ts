import type { PublicKey } from '@testudo/crypto';
import { type Certificate, subjectPublicKeyInfoOf } from '@testudo/x509';
import type { Credential } from '../certificates/credential.ts';
import { readRawPublicKey } from '../certificates/raw-public-key.ts';
import { typeShownBy } from '../certificates/type-negotiation.ts';
import type { OcspResponses } from '../certificates/types.ts';
import { rejection } from '../certificates/verdict.ts';
import type { ServerTerms } from '../config/config.ts';
import { TlsError, type Unfit } from '../errors.ts';
import { type Flow, perform } from '../flow.ts';
import type { DigitallySigned } from '../messages/digitally-signed.ts';
import type { Session } from '../sessions/session.ts';
import { type SignatureScheme, signatureScheme, signatureSchemeByName } from '../signature-schemes.ts';
import { TLS12, TLS13, type Version } from '../versions.ts';
import type { Handshake } from './context.ts';
import type { AuthenticatedPeer, ChosenCredential } from './peer.ts';
import { isIdentified, UNAUTHENTICATED } from './peer.ts';
import { verifiedCertificates } from './verified-certificates.ts';

/** A session without the client's certificate does not stand in for one (RFC 9846 §4.7.1). */
export function satisfiesClientAuthentication(config: ServerTerms, session: Session): boolean {
  const wanted = config.clientCertificate;
  const { peerRawPublicKey: rawPublicKey, peerCertificates: certificates } = session;
  const { keepsCertificateHash: keepsHash } = config.features;
  const isHashed = session.peerCertificateHash !== undefined;
  if (keepsHash ? certificates.length > 0 : isHashed) return false;
  const isKnown = isHashed || isIdentified({ certificates, rawPublicKey });
  if (wanted === 'none') return !isKnown;
  if (!isKnown) return wanted === 'request';
  const type = rawPublicKey === undefined ? 'x509' : 'raw-public-key';
  return session.peerVerified && config.features.takes.includes(type);
}

/** What this side signs with, by preference, and the numbers of what the other one takes. */
export interface SchemesOfBoth {
  readonly ours: readonly SignatureScheme[];
  readonly theirs: readonly number[];
}

/**
 * The credential and scheme to sign with: the first credential that has a scheme both sides know (RFC 9846 §4.5.1.2,
 * RFC 5246 §7.4.2).
 */
export function chooseScheme(
  credentials: readonly Credential[],
  { ours, theirs }: SchemesOfBoth,
  version: Version,
): ChosenCredential | undefined {
  for (const credential of credentials) {
    if (credential.delegatedOnly === true) continue;
    const own = credential.signatureSchemes ? schemesOf(credential.signatureSchemes, ours, version) : ours;
    const scheme = own.find((each) => theirs.includes(each.id) && each.fits(credential.keyKind, version));
    if (scheme !== undefined) return { credential, scheme };
  }
  return undefined;
}

/** Why a server finds nothing to sign with; `message` where keys and client simply do not go together. */
export function noCommonScheme(
  credentials: readonly Credential[],
  { ours, theirs }: SchemesOfBoth,
  message: string,
  version: Version,
): TlsError {
  const fail = (unfit: Unfit, text: string) => new TlsError('no-common-signature-scheme', text, { unfit });
  if (!ours.some(({ id }) => theirs.includes(id)))
    return fail('lists', 'the client takes none of the signature schemes of this server');
  const usable = theirs
    .map(signatureScheme)
    .filter((scheme) => credentials.some(({ keyKind }) => scheme?.fits(keyKind, version)));
  if (usable.length > 0 && !usable.some((scheme) => ours.includes(scheme!)))
    return fail('own list', "signatureSchemes leaves out all that this server's keys can sign with");
  return fail('keys', message);
}

/** What a credential is to sign with, as far as the version and the configuration let it. */
function schemesOf(
  names: readonly string[],
  ours: readonly SignatureScheme[],
  version: Version,
): readonly SignatureScheme[] {
  if (version < TLS12) return ours;
  return names
    .map(signatureSchemeByName)
    .filter((scheme) => scheme !== undefined)
    .filter(({ isLegacy, isForClients, tls13 }, index, all) =>
      isLegacy || isForClients ? ours.includes(all[index]!) : tls13 || version < TLS13,
    );
}

/**
 * The public key of a leaf, or of one that came alone: whether all else in a certificate can be read is up to its verifier.
 * Throws `bad-certificate` when there is none to be had.
 */
export function leafKey(h: Handshake, role: 'client' | 'server', der: Uint8Array): PublicKey {
  if (typeShownBy(h, role) === 'raw-public-key') return readRawPublicKey(h, der);
  try {
    return publicKeyOf(h, der);
  } catch (error) {
    throw new TlsError(
      'bad-certificate',
      `the peer's certificate cannot be read: ${(error as Error).message}`,
      { cause: error },
    );
  }
}

/** Parsed whole where that can be done: then it is parsed, and its key imported, once. */
function publicKeyOf(h: Handshake, der: Uint8Array): PublicKey {
  let certificate: Certificate;
  try {
    certificate = verifiedCertificates.parse(der);
  } catch {
    return h.provider.importPublicKey(subjectPublicKeyInfoOf(der));
  }
  return certificate.publicKey(h.provider);
}

/**
 * A signature by the key in the leaf (RFC 9846 §4.5.2, RFC 5246 §7.4.3, §7.4.8). Throws `illegal-parameter` for a scheme that
 * was not offered or does not fit the key, `bad-signature` when the signature is wrong.
 */
export function checkSignature(
  h: Handshake,
  version: Version,
  key: PublicKey,
  { content, signed }: { readonly content: Uint8Array; readonly signed: DigitallySigned },
  offered: readonly SignatureScheme[],
): SignatureScheme {
  const scheme = schemeOf(signed.algorithm, offered, key, version);
  if (!h.provider.verify(scheme.algorithm, key, content, signed.signature)) {
    throw new TlsError(
      'bad-signature',
      'the peer does not have the key of the certificate it sent: its signature is wrong',
    );
  }
  return scheme;
}

/** The scheme that a signature names, or, before TLS 1.2, that goes with the key. */
function schemeOf(
  id: number | undefined,
  offered: readonly SignatureScheme[],
  key: PublicKey,
  version: Version,
): SignatureScheme {
  const scheme =
    id === undefined
      ? offered.find((candidate) => candidate.fits(key.kind, version))
      : offered.find((candidate) => candidate.id === id);
  if (scheme === undefined) {
    const what = id === undefined ? `a key of type ${key.kind.type}` : `scheme 0x${id.toString(16)}`;
    throw new TlsError('illegal-parameter', `signed with ${what}, which was not offered`);
  }
  if (scheme.fits(key.kind, version)) return scheme;
  throw new TlsError('illegal-parameter', `${scheme.name} does not fit the key in the certificate`);
}

/** Asks for the verdict on the chain, or the raw public key, of a peer that owns its leaf. */
export function* judge(
  h: Handshake,
  peer: {
    readonly role: 'client' | 'server';
    readonly name: string | undefined;
    readonly chain: readonly Uint8Array[];
    /** By the certificates' places in the chain. Default: none. */
    readonly ocspResponses?: OcspResponses;
    readonly signedCertificateTimestamps?: Uint8Array | undefined;
    /** Undefined in a key exchange that proves possession of the key without a signature. */
    readonly scheme: SignatureScheme | undefined;
  },
): Flow<AuthenticatedPeer> {
  const { chain, ocspResponses = [], signedCertificateTimestamps, scheme } = peer;
  if (typeShownBy(h, peer.role) === 'raw-public-key') return yield* judgeRawPublicKey(h, peer);
  const ocspResponse = ocspResponses[0];
  const verdict = yield* perform('verifyCertificate', {
    chain,
    peer: peer.role,
    name: peer.name,
    ocspResponse,
    ocspResponses,
    signedCertificateTimestamps,
    keyUsage: scheme === undefined ? 'keyEncipherment' : 'digitalSignature',
    now: h.now,
  });
  if (!verdict.accepted) throw rejection(verdict.error, peer.role);
  return {
    certificates: chain,
    certificateHash: hashKept(h, peer.role, chain),
    rawPublicKey: undefined,
    scheme,
    ocspResponse,
    ocspResponses,
    signedCertificateTimestamps,
    error: verdict.error,
    path: verdict.path,
  };
}

function hashKept(
  { config, provider }: Handshake,
  role: 'client' | 'server',
  chain: readonly Uint8Array[],
): Uint8Array | undefined {
  if (role === 'server' || !config.features.keepsCertificateHash) return undefined;
  return provider.digest('sha256', chain[0]!);
}

function* judgeRawPublicKey(
  h: Handshake,
  peer: Pick<Parameters<typeof judge>[1], 'role' | 'name' | 'chain' | 'scheme'>,
): Flow<AuthenticatedPeer> {
  const [rawPublicKey] = peer.chain;
  const key = readRawPublicKey(h, rawPublicKey!);
  const ask = { key, peer: peer.role, name: peer.name, now: h.now };
  const verdict = yield* perform('verifyRawPublicKey', ask);
  if (!verdict.accepted) throw rejection(verdict.error, peer.role);
  return { ...UNAUTHENTICATED, rawPublicKey, scheme: peer.scheme, error: verdict.error };
}
