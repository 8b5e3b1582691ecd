import { constants } from 'node:crypto';
import { nodeCrypto } from '@testudo/crypto/node';
import { defaultCipherSuites } from '../defaults.ts';
import { groupByName } from '../groups.ts';
import { SIGNATURE_SCHEMES, type SignatureScheme } from '../signature-schemes.ts';
import { CIPHER_SUITES, type CipherSuite, isSuite13, suiteAvailable } from '../suites.ts';
import { SSL30, TLS10, TLS12 } from '../versions.ts';
import { nodeError, opensslError } from './errors.ts';
import { nodeOriginals } from './live.ts';

/** The suites of the engine's own policy, in OpenSSL's notation. */
export const POLICY_CIPHERS: string = defaultCipherSuites(nodeCrypto)
  .map((suite) => suite.opensslName)
  .join(':');

/** The suites that are used when nothing is asked for: the policy's, or those of Node's flag `--tls-cipher-list`. */
export const DEFAULT_CIPHERS: string =
  nodeOriginals.DEFAULT_CIPHERS === constants.defaultCoreCipherList
    ? POLICY_CIPHERS
    : nodeOriginals.DEFAULT_CIPHERS;

/** The groups that are used when nothing is asked for: see `defaults.ts`. */
export const DEFAULT_ECDH_CURVE = 'auto';

/** The names of all suites that can be asked for, lower case, as `node:tls` gives them. */
export function getCiphers(): string[] {
  return CIPHER_SUITES.filter((suite) => !suite.isLegacy)
    .map((suite) => suite.opensslName.toLowerCase())
    .sort();
}

/**
 * Reads OpenSSL's cipher list: names of suites (OpenSSL's or IANA's) and groups of them (`HIGH`, `ECDHE+AESGCM`),
 * with `!`, `-` and `+` before them, between colons. What is not known is ignored, as OpenSSL does. TLS 1.3 suites
 * count by their own names only; a list without any gets the default ones. Throws `ERR_SSL_NO_CIPHER_MATCH` when nothing is left.
 */
export function parseCiphers(list: string): CipherSuite[] {
  let chosen: CipherSuite[] = [];
  const banned = new Set<CipherSuite>();
  for (const token of list.split(/[:,; ]+/)) {
    const sign = /^[!+-]/.test(token) ? token[0] : '';
    const matched = matching(token.slice(sign === '' ? 0 : 1));
    if (sign === '!') for (const suite of matched) banned.add(suite);
    if (sign === '!' || sign === '-') chosen = chosen.filter((suite) => !matched.includes(suite));
    else if (sign === '+')
      chosen = [...chosen.filter((suite) => !matched.includes(suite)), ...intersect(chosen, matched)];
    else chosen.push(...matched.filter((suite) => !chosen.includes(suite) && !banned.has(suite)));
  }
  if (chosen.length === 0) throw opensslError('no cipher match');
  if (chosen.some(isSuite13)) return chosen;
  return [...defaultCipherSuites(nodeCrypto).filter(isSuite13), ...chosen];
}

/** `auto`, or names between colons. Throws as Node does for a name that is not known. */
export function parseCurves(list: string): string[] | undefined {
  if (list === 'auto') return undefined;
  return list.split(':').map((name) => {
    const group = groupByName(name);
    if (group?.available(nodeCrypto)) return group.name;
    throw nodeError('ERR_CRYPTO_OPERATION_FAILED', `Failed to set ECDH curve: ${name} is not available`);
  });
}

/** `rsa_pss_rsae_sha256`, or the older `RSA+SHA256`, between colons. Throws for a name that is not known. */
export function parseSignatureAlgorithms(list: string): string[] {
  return list.split(':').flatMap((name) => {
    const wanted = name.toLowerCase();
    const found = SIGNATURE_SCHEMES.filter((scheme) => !scheme.isLegacy && names(scheme).includes(wanted));
    if (found.length > 0) return found.map((scheme) => scheme.name);
    throw nodeError('ERR_CRYPTO_OPERATION_FAILED', `Failed to set sigalgs: ${name} is not known`);
  });
}

function names(scheme: SignatureScheme): string[] {
  const { algorithm } = scheme;
  // The older notation is older than Brainpool's schemes.
  if (!('hash' in algorithm) || scheme.name.includes('brainpool')) return [scheme.name.toLowerCase()];
  const key = { dsa: 'dsa', ecdsa: 'ecdsa', 'rsa-pkcs1': 'rsa', 'rsa-pss': 'rsa-pss' }[algorithm.name];
  return [scheme.name.toLowerCase(), `${key}+${algorithm.hash}`];
}

function matching(expression: string): CipherSuite[] {
  const byName = CIPHER_SUITES.filter(
    (suite) => suite.name === expression || suite.opensslName === expression,
  );
  if (byName.length > 0) return byName;
  if (expression === 'DEFAULT') return defaultCipherSuites(nodeCrypto).filter(isGrouped);
  return expression
    .split('+')
    .reduce((left, keyword) => left.filter((suite) => keywords(suite).has(keyword)), GROUPED);
}

/** Groups never bring in what is only there for `@testudo/tls/legacy`. */
function isGrouped(suite: CipherSuite): boolean {
  return !isSuite13(suite) && !suite.isLegacy && suiteAvailable(suite, nodeCrypto);
}

/** Forward secrecy first, then AEADs: a server that follows its own order serves the best that both have. */
const GROUPED = CIPHER_SUITES.filter(isGrouped).sort((a, b) => weakness(a) - weakness(b));

function weakness({ keyExchange, cipher }: CipherSuite): number {
  return (keyExchange.includes('DHE') ? 0 : 2) + (cipher.kind === 'aead' ? 0 : 1);
}

/** The groups of `openssl ciphers` to which a suite belongs. */
function keywords(suite: CipherSuite): Set<string> {
  const { cipher, keyExchange, authentication, minVersion } = suite;
  return new Set([
    'ALL',
    ...(EXCHANGE_WORDS[keyExchange] ?? []),
    ...(AUTHENTICATION_WORDS[authentication] ?? []),
    ...cipherWords(suite),
    cipher.kind === 'aead' ? 'AEAD' : MAC_WORDS[cipher.mac as keyof typeof MAC_WORDS],
    ...(cipher.kind !== 'aead' && cipher.mac === 'sha1' ? ['SHA'] : []),
    VERSION_WORDS[minVersion] ?? '',
    // OpenSSL counts what has fewer than 128 bits of strength as medium.
    cipher.name.startsWith('3des') ? 'MEDIUM' : 'HIGH',
  ]);
}

const EXCHANGE_WORDS: Readonly<Record<string, readonly string[]>> = {
  ECDHE: ['ECDHE', 'EECDH', 'kECDHE', 'kEECDH'],
  DHE: ['DHE', 'EDH', 'kDHE', 'kEDH'],
  RSA: ['RSA', 'kRSA'],
  PSK: ['PSK', 'kPSK'],
  ECDHE_PSK: ['PSK', 'kECDHEPSK'],
  DHE_PSK: ['PSK', 'kDHEPSK'],
  RSA_PSK: ['PSK', 'kRSAPSK'],
};

const AUTHENTICATION_WORDS: Readonly<Record<string, readonly string[]>> = {
  rsa: ['aRSA'],
  ecdsa: ['aECDSA', 'ECDSA'],
  dsa: ['aDSS', 'DSS'],
  psk: ['aPSK'],
  anon: ['aNULL'],
};

const MAC_WORDS = { md5: 'MD5', sha1: 'SHA1', sha256: 'SHA256', sha384: 'SHA384' } as const;
const VERSION_WORDS: Readonly<Record<number, string>> = {
  [SSL30]: 'SSLv3',
  [TLS10]: 'TLSv1',
  [TLS12]: 'TLSv1.2',
};

function cipherWords({ cipher }: CipherSuite): string[] {
  const [family = '', bits = ''] = /^(aes|aria|camellia)-?(128|256)/.exec(cipher.name)?.slice(1) ?? [];
  if (family === '') return [cipher.name.startsWith('3des') ? '3DES' : 'CHACHA20'];
  const name = family.toUpperCase();
  const words = [name, `${name}${bits}`];
  if (cipher.name.endsWith('gcm')) words.push(`${name}GCM`);
  if (cipher.name.includes('ccm')) words.push('AESCCM');
  if (cipher.name.endsWith('ccm-8')) words.push('AESCCM8');
  return words;
}

function intersect(a: readonly CipherSuite[], b: readonly CipherSuite[]): CipherSuite[] {
  return a.filter((suite) => b.includes(suite));
}
