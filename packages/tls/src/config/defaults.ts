import { type CryptoProvider, HpkeAead, HpkeKdf } from '@testudo/crypto';
import type { EchCipherSuite } from '../ech/config-list.ts';
import { type FiniteField, GROUPS, type Group, isFiniteField } from '../groups/index.ts';
import { SIGNATURE_SCHEMES, type SignatureScheme } from '../signature-schemes.ts';
import { CIPHER_SUITES, type CipherSuite, suiteAvailable } from '../suites/index.ts';
import type { VersionName } from '../versions.ts';

/**
 * The policy: versions, suites, groups, signature schemes and the engine's own limits, each with its reason. The defaults of
 * other options stand with them, in `options/`.
 */

/** 1.1 and older are forbidden (RFC 8996). */
export const DEFAULT_MIN_VERSION: VersionName = 'TLSv1.2';
export const DEFAULT_MAX_VERSION: VersionName = 'TLSv1.3';

/**
 * What RFC 9846 §9.1 demands, and more. AES first: processors have it in hardware, and 128 bits are enough. Forward secrecy
 * and an AEAD in each.
 * CCM is for small devices and slower, so it must be asked for; CCM-8 moreover has a short tag (RFC 9846 §B.4).
 */
const DEFAULT_SUITES: readonly string[] = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256',
  'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256',
  'TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384',
  'TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384',
  'TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256',
  'TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256',
];

/** X25519 first: fast and hard to get wrong. NIST's curves for those who must have them. */
const CURVES: readonly string[] = ['x25519', 'secp256r1', 'secp384r1', 'secp521r1'];
/** Safe also from those who record today and have a quantum computer later. */
const HYBRID = 'X25519MLKEM768';

/** For DHE: the least that is safe first, as the work grows with the third power. */
const DEFAULT_FIELDS: readonly string[] = ['ffdhe2048', 'ffdhe3072', 'ffdhe4096'];

/** What we accept from a peer, and sign with: SHA-1 and MD5 are gone (RFC 9155); short and fast ones first. */
const DEFAULT_SIGNATURE_SCHEMES: readonly string[] = [
  'ecdsa_secp256r1_sha256',
  'ed25519',
  'ecdsa_secp384r1_sha384',
  'ecdsa_secp521r1_sha512',
  'ed448',
  'rsa_pss_rsae_sha256',
  'rsa_pss_rsae_sha384',
  'rsa_pss_rsae_sha512',
  'rsa_pss_pss_sha256',
  'rsa_pss_pss_sha384',
  'rsa_pss_pss_sha512',
  'rsa_pkcs1_sha256',
  'rsa_pkcs1_sha384',
  'rsa_pkcs1_sha512',
];

/** For a new key of Encrypted Client Hello: the KDF that every client knows; AEADs in the order of suites. */
export const DEFAULT_ECH_SUITES: readonly EchCipherSuite[] = [
  { kdf: HpkeKdf.hkdfSha256, aead: HpkeAead.aes128Gcm },
  { kdf: HpkeKdf.hkdfSha256, aead: HpkeAead.aes256Gcm },
  { kdf: HpkeKdf.hkdfSha256, aead: HpkeAead.chacha20Poly1305 },
];

/** Seconds for which a ticket or session can be resumed: a day. */
export const DEFAULT_SESSION_LIFETIME = 86_400;
/** The most of them: seven days. A server must not say more, and a client must not keep a ticket longer (RFC 9846 §4.7.1). */
export const MAX_SESSION_LIFETIME = 604_800;
/** Tickets after a full handshake: two, as a browser opens more than one connection at once. */
export const DEFAULT_TICKET_COUNT = 2;
/**
 * The longest ticket that a client offers, and a server issues, in bytes: a hello has room for 65,535, and an encrypted one
 * looks as if it held it twice. Whatever a server sends, the next hello must be one.
 */
export const MAX_TICKET = 24_576;
/**
 * A handshake message but Certificate, in bytes: the longest ClientHello that there can be (RFC 9846 §4.2.2, all its lists
 * full). No other message that is in use can be longer, such as a CertificateRequest with many names (RFC 5246 §7.4.4).
 */
export const MAX_HANDSHAKE_MESSAGE = 131_396;
/** Certificate, in bytes: what OpenSSL takes by default. */
export const MAX_CERTIFICATE_MESSAGE = 102_400;
/** Responses in a CertificateStatus of TLS 1.2; each of them costs a signature to look at. */
export const MAX_OCSP_RESPONSES = 16;
/**
 * Names of CAs in a request, in bytes: the list has room for 65,533, and in TLS 1.3 shares them with other extensions. A server
 * that trusts more names none of them, which says that any certificate may do.
 */
export const MAX_AUTHORITIES = 64_512;
/** An RSA key that a pre-master secret is encrypted for, in bits: shorter ones were factored long ago. */
export const MIN_RSA_BITS = 1024;
/**
 * The prime of a server's Diffie-Hellman group, in bits. 1024 can be broken by those who prepare for a prime that many use
 * (Logjam); some old devices have no more, and with `legacy` that is let pass.
 */
export const MIN_DH_BITS = 2048;
export const MIN_LEGACY_DH_BITS = 1024;
/** A field that nobody knows takes exponents as long as its prime: more bits would be work for an attacker's benefit. */
export const MAX_UNKNOWN_DH_BITS = 4096;
/** Records with nothing in them that may follow each other: more are a flood that makes us work for nothing. */
export const MAX_EMPTY_RECORDS = 32;
/** KeyUpdates without application data between them; each costs us two key derivations. */
export const MAX_KEY_UPDATES = 32;
/** The last generation of our own keys in TLS 1.3: a 128-bit key would come twice one day (RFC 9846 §4.7.3). */
export const LAST_EPOCH: number = 2 ** 48 - 1;
/** Warning alerts in a row. */
export const MAX_WARNING_ALERTS = 4;
/** HelloRequests that a client passes over in a TLS 1.2 handshake (RFC 5246 §7.4.1.1): no server sends more than one. */
export const MAX_HELLO_REQUESTS = 4;
/** Renegotiations that are refused with a warning, in a minute; after that the peer is not listening. */
export const MAX_REFUSED_RENEGOTIATIONS = 4;
/** Requests for its certificate that a client answers after a TLS 1.3 handshake; each may cost a signature. */
export const MAX_CERTIFICATE_REQUESTS = 64;
/** Such requests of a server that wait for the one before to be answered. */
export const MAX_WAITING_CERTIFICATE_REQUESTS = 8;
/** Tickets that a client takes on one connection; what comes after them is passed over. */
export const MAX_TICKETS = 64;
/** Tickets on one connection after which the next is no longer passed over: no server gives so many. */
export const MAX_TICKETS_PASSED_OVER = 4096;
/** PSK identities a server looks at in one ClientHello; each may cost a decryption or a look-up. */
export const MAX_PSK_IDENTITIES = 4;
/** Bytes of early data that a server takes which takes any: one record, enough for a request, and what a client may make us keep. */
export const DEFAULT_MAX_EARLY_DATA = 16_384;
/** Early data that a server refused is dropped up to so many bytes: as a first flight may hold. */
export const SKIPPED_EARLY_DATA = 65_536;
/** Milliseconds by which the age of a ticket, as the client states it, may differ where early data comes (RFC 9846 §8.3). */
export const EARLY_DATA_AGE_TOLERANCE = 10_000;
/** What may be spent on answers to heartbeats, in bytes: each costs its length and a fixed amount. 16 a second at most. */
export const HEARTBEAT_BUDGET = 65_536;
export const HEARTBEAT_BUDGET_PER_SECOND = 16_384;
export const HEARTBEAT_ANSWER_COST = 1024;
/** Bytes that may wait while the handshake waits for an answer from this side. */
export const MAX_WAITING_BYTES = 262_144;
/** Records that a key still seals when a KeyUpdate replaces it, so that replies in flight fit. */
export const KEY_UPDATE_MARGIN = 64;
/** Records that a key up to TLS 1.2 still seals when another handshake is begun: 4 MB, half of what 3DES may. */
export const RENEGOTIATION_MARGIN = 256;

export function defaultCipherSuites(provider: CryptoProvider): CipherSuite[] {
  return pick(DEFAULT_SUITES, CIPHER_SUITES).filter((suite) => suiteAvailable(suite, provider));
}

/**
 * The hybrid is first where ML-KEM is native. Elsewhere it costs milliseconds for each handshake, so it comes right
 * after X25519: it is used with a peer that wants nothing else.
 */
export function defaultGroups(provider: CryptoProvider): Group[] {
  const [first, ...others] = CURVES;
  const names = hasNativeHybrid(provider) ? [HYBRID, ...CURVES] : [first!, HYBRID, ...others];
  return pick(names, GROUPS).filter((group) => group.available(provider));
}

/** The finite fields among groups, for DHE; where none is named, ffdhe2048 to ffdhe4096. */
export function finiteFieldsOf(groups: readonly Group[]): FiniteField[] {
  const named = groups.filter(isFiniteField);
  return named.length > 0 ? named : pick(DEFAULT_FIELDS, GROUPS.filter(isFiniteField));
}

/** Shares in a ClientHello: for the first group, and for X25519 too where that is the hybrid, which some servers lack. */
export function defaultKeyShareGroups(groups: readonly Group[]): Group[] {
  const second = groups[0]?.name === HYBRID ? groups.filter((group) => group.name === CURVES[0]) : [];
  return [...groups.slice(0, 1), ...second];
}

function hasNativeHybrid(provider: CryptoProvider): boolean {
  return provider.kem('ml-kem-768')?.isNative === true;
}

export function defaultSignatureSchemes(): SignatureScheme[] {
  return pick(DEFAULT_SIGNATURE_SCHEMES, SIGNATURE_SCHEMES);
}

function pick<T extends { readonly name: string }>(names: readonly string[], all: readonly T[]): T[] {
  return names.map((name) => all.find((item) => item.name === name)!);
}
