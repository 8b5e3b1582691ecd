import { nodeCrypto } from '@testudo/crypto/node';
import { defaultCipherSuites } from '../defaults.ts';
import { groupByName } from '../groups.ts';
import { SIGNATURE_SCHEMES, type SignatureScheme } from '../signature-schemes.ts';
import { CIPHER_SUITES, type CipherSuite } from '../suites.ts';
import { TLS12, TLS13 } from '../versions.ts';
import { nodeError, opensslError } from './errors.ts';

/** The suites that are used when nothing is asked for, in OpenSSL's notation. */
export const DEFAULT_CIPHERS: string = defaultCipherSuites(nodeCrypto)
  .map((suite) => suite.opensslName)
  .join(':');

/** The groups that are used when nothing is asked for: see `defaults.ts`. */
export const DEFAULT_ECDH_CURVE = 'auto';

/** The names of all suites there are, lower case, as `node:tls` gives them. */
export function getCiphers(): string[] {
  return CIPHER_SUITES.map((suite) => suite.opensslName.toLowerCase()).sort();
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
  if (chosen.some((suite) => suite.version === TLS13)) return chosen;
  return [...defaultCipherSuites(nodeCrypto).filter((suite) => suite.version === TLS13), ...chosen];
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
    const found = SIGNATURE_SCHEMES.filter((scheme) => names(scheme).includes(name.toLowerCase()));
    if (found.length > 0) return found.map((scheme) => scheme.name);
    throw nodeError('ERR_CRYPTO_OPERATION_FAILED', `Failed to set sigalgs: ${name} is not known`);
  });
}

function names(scheme: SignatureScheme): string[] {
  const { algorithm } = scheme;
  if (!('hash' in algorithm)) return [scheme.name];
  const key = { dsa: 'dsa', ecdsa: 'ecdsa', 'rsa-pkcs1': 'rsa', 'rsa-pss': 'rsa-pss' }[algorithm.name];
  return [scheme.name, `${key}+${algorithm.hash}`];
}

function matching(expression: string): CipherSuite[] {
  const byName = CIPHER_SUITES.filter(
    (suite) => suite.name === expression || suite.opensslName === expression,
  );
  if (byName.length > 0) return byName;
  if (expression === 'DEFAULT') return defaultCipherSuites(nodeCrypto).filter(is12);
  return expression
    .split('+')
    .reduce(
      (left, keyword) => left.filter((suite) => keywords(suite).has(keyword)),
      CIPHER_SUITES.filter(is12),
    );
}

const is12 = (suite: CipherSuite): boolean => suite.version === TLS12;

function keywords(suite: CipherSuite): Set<string> {
  const isRsa = suite.authentication === 'rsa';
  const words = ['ALL', 'HIGH', 'ECDHE', 'EECDH', 'kECDHE', 'kEECDH', 'AEAD', 'FIPS', 'TLSv1.2'];
  words.push(...(isRsa ? ['aRSA'] : ['aECDSA', 'ECDSA']));
  words.push(...(suite.aead.startsWith('aes') ? ['AES', 'AESGCM'] : ['CHACHA20']));
  if (suite.aead.includes('128')) words.push('AES128');
  if (suite.aead.includes('256')) words.push('AES256');
  words.push(suite.hash.toUpperCase());
  return new Set(words);
}

function intersect(a: readonly CipherSuite[], b: readonly CipherSuite[]): CipherSuite[] {
  return a.filter((suite) => b.includes(suite));
}
