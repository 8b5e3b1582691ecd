import {
  AEAD_SIZES,
  type AeadName,
  type CipherName,
  type CryptoProvider,
  type HashName,
} from '@testudo/crypto';
import { SSL30, TLS10, TLS12, TLS13, type Version } from '../versions.ts';

export interface CipherSuite {
  /** The number on the wire. */
  readonly id: number;
  /** The IANA name, as in the RFCs. */
  readonly name: string;
  /** OpenSSL's name, which `node:tls` reports; the IANA name where OpenSSL has none. */
  readonly opensslName: string;
  /** The first version that has it. 1.3 shares none with the older ones. */
  readonly minVersion: Version;
  readonly maxVersion: Version;
  /** How the secret is agreed on; a 1.3 suite does not say. */
  readonly keyExchange: KeyExchangeName | 'any';
  /** What proves the server's identity: the kind of key in its certificate, a shared key, or nothing. */
  readonly authentication: Authentication;
  readonly cipher: BulkCipher;
  /** The hash of the key schedule (1.3) or of the PRF in TLS 1.2; before, the version decides. */
  readonly hash: HashName;
  /** Too weak for anything but old devices, scans and shows: only with `@testudo/tls/legacy`. */
  readonly isLegacy: boolean;
}

export type KeyExchangeName = 'ECDHE' | 'DHE' | 'RSA' | 'PSK' | 'ECDHE_PSK' | 'DHE_PSK' | 'RSA_PSK';
export type Authentication = 'any' | 'ecdsa' | 'rsa' | 'dsa' | 'psk' | 'anon';

/** How records are protected. Lengths in bytes. */
export type BulkCipher =
  | { readonly kind: 'aead'; readonly name: AeadName; readonly keyLength: number }
  | {
      readonly kind: 'cbc';
      readonly name: CipherName;
      readonly keyLength: number;
      readonly blockLength: number;
      readonly mac: HashName;
    }
  | {
      readonly kind: 'stream';
      readonly name: 'rc4' | 'null';
      readonly keyLength: number;
      readonly mac: HashName;
    };

export type AeadCipher = Extract<BulkCipher, { kind: 'aead' }>;
export type CbcCipher = Extract<BulkCipher, { kind: 'cbc' }>;
export type StreamCipher = Extract<BulkCipher, { kind: 'stream' }>;

/** A suite of TLS 1.3: an AEAD and a hash. */
export type CipherSuite13 = CipherSuite & { readonly cipher: AeadCipher };

export function isSuite13(suite: CipherSuite): suite is CipherSuite13 {
  return suite.minVersion === TLS13;
}

/** Whether this version has this suite. */
export function suiteFits(suite: CipherSuite, version: Version): boolean {
  return version >= suite.minVersion && version <= suite.maxVersion;
}

/** Whether the provider can protect records as this suite does. */
export function suiteAvailable(suite: CipherSuite, provider: CryptoProvider): boolean {
  const { cipher } = suite;
  const key = new Uint8Array(cipher.keyLength);
  if (cipher.kind === 'aead') return provider.aead(cipher.name, key) !== undefined;
  if (cipher.name === 'null') return true;
  const iv = new Uint8Array(cipher.kind === 'cbc' ? cipher.blockLength : 0);
  return provider.cipher(cipher.name, 'encrypt', key, iv) !== undefined;
}

/**
 * A suite from its IANA name, which says everything: `TLS_<key exchange>_WITH_<cipher>_<hash>`, and for TLS 1.3
 * `TLS_<AEAD>_<hash>`.
 */
export function suiteFromName(id: number, name: string, opensslName: string = name): CipherSuite {
  const [exchange, protection] = name.slice('TLS_'.length).split('_WITH_') as [string, string?];
  if (protection === undefined) return suite13(id, name, opensslName);
  const { keyExchange, authentication } = exchanges[exchange]!;
  const { cipher, hash } = bulkCipher(protection);
  return {
    id,
    name,
    opensslName,
    minVersion: firstVersion(keyExchange, cipher),
    maxVersion: TLS12,
    keyExchange,
    authentication,
    cipher,
    hash,
    isLegacy: cipher.kind === 'stream' || authentication === 'anon' || authentication === 'dsa',
  };
}

function suite13(id: number, name: string, opensslName: string): CipherSuite13 {
  const { cipher, hash } = bulkCipher(name.slice('TLS_'.length));
  return {
    id,
    name,
    opensslName,
    minVersion: TLS13,
    maxVersion: TLS13,
    keyExchange: 'any',
    authentication: 'any',
    cipher: cipher as AeadCipher,
    hash,
    isLegacy: false,
  };
}

/** AEADs and the SHA-2 MACs came with TLS 1.2; curves and shared keys with TLS 1.0. */
function firstVersion(keyExchange: KeyExchangeName, cipher: BulkCipher): Version {
  if (cipher.kind === 'aead' || !['md5', 'sha1'].includes(cipher.mac)) return TLS12;
  return keyExchange === 'RSA' || keyExchange === 'DHE' ? SSL30 : TLS10;
}

const exchanges: Readonly<Record<string, { keyExchange: KeyExchangeName; authentication: Authentication }>> =
  {
    ECDHE_ECDSA: { keyExchange: 'ECDHE', authentication: 'ecdsa' },
    ECDHE_RSA: { keyExchange: 'ECDHE', authentication: 'rsa' },
    DHE_RSA: { keyExchange: 'DHE', authentication: 'rsa' },
    DHE_DSS: { keyExchange: 'DHE', authentication: 'dsa' },
    RSA: { keyExchange: 'RSA', authentication: 'rsa' },
    PSK: { keyExchange: 'PSK', authentication: 'psk' },
    ECDHE_PSK: { keyExchange: 'ECDHE_PSK', authentication: 'psk' },
    DHE_PSK: { keyExchange: 'DHE_PSK', authentication: 'psk' },
    PSK_DHE: { keyExchange: 'DHE_PSK', authentication: 'psk' },
    RSA_PSK: { keyExchange: 'RSA_PSK', authentication: 'rsa' },
    DH_anon: { keyExchange: 'DHE', authentication: 'anon' },
    ECDH_anon: { keyExchange: 'ECDHE', authentication: 'anon' },
  };

/** `AES_128_CBC_SHA256` and its like. An AEAD's hash is the PRF's; another cipher's is the MAC's (RFC 5246 §5). */
function bulkCipher(text: string): { cipher: BulkCipher; hash: HashName } {
  const cut = text.lastIndexOf('_');
  const last = HASHES[text.slice(cut + 1)];
  // CCM suites of TLS 1.2 do not name their hash (RFC 6655 §3).
  const [name, hash] = last === undefined ? [text, 'sha256' as const] : [text.slice(0, cut), last];
  const aead = AEADS[name];
  if (aead !== undefined) {
    return { cipher: { kind: 'aead', name: aead, keyLength: AEAD_SIZES[aead].key }, hash };
  }
  const prfHash = hash === 'sha384' ? 'sha384' : 'sha256';
  return { cipher: { ...OTHERS[name]!, mac: hash } as BulkCipher, hash: prfHash };
}

const HASHES: Readonly<Record<string, HashName>> = {
  MD5: 'md5',
  SHA: 'sha1',
  SHA256: 'sha256',
  SHA384: 'sha384',
};

const AEADS: Readonly<Record<string, AeadName>> = {
  AES_128_GCM: 'aes-128-gcm',
  AES_256_GCM: 'aes-256-gcm',
  CHACHA20_POLY1305: 'chacha20-poly1305',
  AES_128_CCM: 'aes-128-ccm',
  AES_256_CCM: 'aes-256-ccm',
  AES_128_CCM_8: 'aes-128-ccm-8',
  AES_256_CCM_8: 'aes-256-ccm-8',
  ARIA_128_GCM: 'aria-128-gcm',
  ARIA_256_GCM: 'aria-256-gcm',
  CAMELLIA_128_GCM: 'camellia-128-gcm',
  CAMELLIA_256_GCM: 'camellia-256-gcm',
};

const cbc = (name: CipherName, keyLength: number, blockLength = 16): object => ({
  kind: 'cbc',
  name,
  keyLength,
  blockLength,
});

const OTHERS: Readonly<Record<string, object>> = {
  AES_128_CBC: cbc('aes-128-cbc', 16),
  AES_256_CBC: cbc('aes-256-cbc', 32),
  CAMELLIA_128_CBC: cbc('camellia-128-cbc', 16),
  CAMELLIA_256_CBC: cbc('camellia-256-cbc', 32),
  '3DES_EDE_CBC': cbc('3des-cbc', 24, 8),
  RC4_128: { kind: 'stream', name: 'rc4', keyLength: 16 },
  NULL: { kind: 'stream', name: 'null', keyLength: 0 },
};
