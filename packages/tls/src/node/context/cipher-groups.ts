import type { CipherSuite } from '../../suites/index.ts';
import { SSL30, TLS10, TLS12 } from '../../versions.ts';
import { COUNTS_SHORT_TAGS } from '../as-node/running-node.ts';

/** The groups of `openssl ciphers` to which a suite of TLS 1.2 or older belongs. */
export function groupsOf(suite: CipherSuite): ReadonlySet<string> {
  const { cipher, keyExchange, authentication, minVersion } = suite;
  return new Set([
    isUnsafe(suite) ? 'COMPLEMENTOFALL' : 'ALL',
    ...(isDefault(suite) ? [] : ['COMPLEMENTOFDEFAULT']),
    ...((authentication === 'anon' ? ANONYMOUS_WORDS : EXCHANGE_WORDS)[keyExchange] ?? []),
    ...(AUTHENTICATION_WORDS[authentication] ?? []),
    ...cipherWords(suite),
    cipher.kind === 'aead' ? 'AEAD' : MAC_WORDS[cipher.mac as keyof typeof MAC_WORDS],
    ...(cipher.kind !== 'aead' && cipher.mac === 'sha1' ? ['SHA'] : []),
    VERSION_WORDS[minVersion] ?? '',
    ...strengthWords(suite),
  ]);
}

/** Nothing is encrypted. */
export function isUnsafe({ cipher }: CipherSuite): boolean {
  return cipher.kind === 'stream' && cipher.name === 'null';
}

/** What `DEFAULT` stands for. */
function isDefault({ cipher, isLegacy }: CipherSuite): boolean {
  return !isLegacy && /^(aes-\d+-(gcm|cbc)|chacha20-poly1305)$/.test(cipher.name);
}

/** Bits of strength of what encrypts, and of its tag, as the OpenSSL that runs counts them. */
export function bits(suite: CipherSuite): number {
  const { cipher } = suite;
  if (isUnsafe(suite)) return 0;
  if (cipher.name.endsWith('ccm-8') && COUNTS_SHORT_TAGS) return 64;
  return cipher.name.startsWith('3des') ? 112 : 8 * cipher.keyLength;
}

/** Suite B (RFC 6460). */
export const SUITE_B: Readonly<Record<string, readonly string[]>> = {
  SUITEB128: ['ECDHE-ECDSA-AES128-GCM-SHA256', 'ECDHE-ECDSA-AES256-GCM-SHA384'],
  SUITEB128C2: ['ECDHE-ECDSA-AES128-GCM-SHA256', 'ECDHE-ECDSA-AES256-GCM-SHA384'],
  SUITEB128ONLY: ['ECDHE-ECDSA-AES128-GCM-SHA256'],
  SUITEB192: ['ECDHE-ECDSA-AES256-GCM-SHA384'],
};

const EXCHANGE_WORDS: Readonly<Record<string, readonly string[]>> = {
  ECDHE: ['ECDHE', 'EECDH', 'kECDHE', 'kEECDH'],
  DHE: ['DHE', 'EDH', 'kDHE', 'kEDH'],
  RSA: ['RSA', 'kRSA'],
  PSK: ['PSK', 'kPSK'],
  ECDHE_PSK: ['PSK', 'kECDHEPSK'],
  DHE_PSK: ['PSK', 'kDHEPSK'],
  RSA_PSK: ['PSK', 'kRSAPSK'],
};

/** Without certificates a key exchange has other names. */
const ANONYMOUS_WORDS: Readonly<Record<string, readonly string[]>> = {
  ECDHE: ['AECDH', 'kECDHE', 'kEECDH', 'aNULL'],
  DHE: ['ADH', 'kDHE', 'kEDH', 'aNULL'],
};

const AUTHENTICATION_WORDS: Readonly<Record<string, readonly string[]>> = {
  rsa: ['aRSA'],
  ecdsa: ['aECDSA', 'ECDSA'],
  dsa: ['aDSS', 'DSS'],
  psk: ['aPSK'],
};

const MAC_WORDS = { md5: 'MD5', sha1: 'SHA1', sha256: 'SHA256', sha384: 'SHA384' } as const;
const VERSION_WORDS: Readonly<Record<number, string>> = {
  [SSL30]: 'SSLv3',
  [TLS10]: 'TLSv1',
  [TLS12]: 'TLSv1.2',
};

/** OpenSSL counts what has fewer than 128 bits of strength as medium, and RC4. */
function strengthWords(suite: CipherSuite): readonly string[] {
  if (isUnsafe(suite)) return [];
  return suite.cipher.name.startsWith('3des') || suite.cipher.name === 'rc4' ? ['MEDIUM'] : ['HIGH'];
}

function cipherWords({ cipher }: CipherSuite): readonly string[] {
  const [family = '', length = ''] = /^(aes|aria|camellia)-?(128|256)/.exec(cipher.name)?.slice(1) ?? [];
  if (family === '') return OTHER_CIPHERS[cipher.name] ?? ['3DES'];
  const name = family.toUpperCase();
  const words = [name, `${name}${length}`];
  if (cipher.name.endsWith('gcm')) words.push(`${name}GCM`);
  if (cipher.name.includes('ccm')) words.push('AESCCM');
  if (cipher.name.endsWith('ccm-8')) words.push('AESCCM8');
  return words;
}

const OTHER_CIPHERS: Readonly<Record<string, readonly string[]>> = {
  'chacha20-poly1305': ['CHACHA20'],
  rc4: ['RC4'],
  null: ['eNULL', 'NULL'],
};
