import { nodeCrypto } from '@testudo/crypto/node';
import { defaultCipherSuites } from '../defaults.ts';
import { CIPHER_SUITES, type CipherSuite, isSuite13, suiteAvailable } from '../suites.ts';
import { bits, groupsOf, isUnsafe, SUITE_B } from './cipher-groups.ts';
import { opensslError } from './errors.ts';

/** What OpenSSL's notation for the option `ciphers` says. */
export interface CipherList {
  readonly suites: readonly CipherSuite[];
  /** From `@SECLEVEL=0` to 5; undefined when the list does not say. */
  readonly securityLevel: number | undefined;
}

/**
 * Reads OpenSSL's cipher list: names of suites (OpenSSL's or IANA's) and groups of them (`HIGH`, `ECDHE+AESGCM`), with
 * `!`, `-` and `+` before them, between colons; `@STRENGTH` sorts what is there so far, and `@SECLEVEL=n` leaves out what
 * is weaker. What is not known is ignored, as OpenSSL does. TLS 1.3 suites count by their own names only; a list
 * without any gets the default ones.
 *
 * Without `legacy`, groups bring no suite that is there for `@testudo/tls/legacy` only (RC4, NULL, DSS), nor do names; anonymous
 * ones never come by a group: the door has no use for a peer that is nobody.
 *
 * Throws `ERR_SSL_NO_CIPHER_MATCH` when nothing is left, `ERR_SSL_INVALID_COMMAND` for another word with `@`.
 */
export function parseCipherList(list: string, legacy: boolean = false): CipherList {
  const securityLevel = levelOf(list);
  const selection = new Selection(legacy || securityLevel === 0, legacy);
  for (const token of list.split(SEPARATORS)) selection.apply(token);
  const chosen = selection.chosen.filter((suite) => isStrongEnough(suite, securityLevel ?? 0));
  if (chosen.length === 0) throw opensslError('no cipher match');
  const suites = chosen.some(isSuite13)
    ? chosen
    : [...defaultCipherSuites(nodeCrypto).filter(isSuite13), ...chosen];
  return { suites, securityLevel };
}

const SEPARATORS = /[:,; ]+|(?=@)/;

/** The groups for which nothing but their own name speaks, in the order in which their suites are preferred. */
const GROUPED: readonly CipherSuite[] = CIPHER_SUITES.filter(
  (suite) => !isSuite13(suite) && suite.authentication !== 'anon' && suiteAvailable(suite, nodeCrypto),
).sort((a, b) => weakness(a) - weakness(b));

/** A list while it is read from left to right. */
class Selection {
  chosen: CipherSuite[] = [];
  readonly #banned = new Set<CipherSuite>();
  readonly #isWide: boolean;
  readonly #legacy: boolean;

  constructor(isWide: boolean, legacy: boolean) {
    this.#isWide = isWide;
    this.#legacy = legacy;
  }

  apply(token: string): void {
    if (token.startsWith('@')) {
      if (token === '@STRENGTH') this.chosen.sort((a, b) => bits(b) - bits(a));
      return;
    }
    const sign = /^[!+-]/.test(token) ? token[0] : '';
    const matched = this.#matching(token.slice(sign === '' ? 0 : 1));
    const isMatched = (suite: CipherSuite): boolean => matched.includes(suite);
    if (sign === '!') for (const suite of matched) this.#banned.add(suite);
    const { chosen } = this;
    if (sign === '!' || sign === '-') this.chosen = chosen.filter((suite) => !isMatched(suite));
    else if (sign === '+')
      this.chosen = [...chosen.filter((suite) => !isMatched(suite)), ...chosen.filter(isMatched)];
    else chosen.push(...matched.filter((suite) => !chosen.includes(suite) && !this.#banned.has(suite)));
  }

  #matching(expression: string): readonly CipherSuite[] {
    const byName = CIPHER_SUITES.filter(
      (suite) => suite.name === expression || suite.opensslName === expression,
    );
    // Old lists are full of names that nobody has any more.
    if (byName.length > 0) return byName.filter((suite) => this.#legacy || !suite.isLegacy);
    const known = this.#legacy ? GROUPED : GROUPED.filter((suite) => !suite.isLegacy);
    if (expression === 'DEFAULT') return this.#default(known);
    const suiteB = SUITE_B[expression];
    if (suiteB !== undefined) return known.filter((suite) => suiteB.includes(suite.opensslName));
    return expression
      .split('+')
      .reduce((left, word) => left.filter((suite) => groupsOf(suite).has(word)), known);
  }

  /** The engine's own policy. Who asks for old versions needs suites for them, too. */
  #default(known: readonly CipherSuite[]): readonly CipherSuite[] {
    if (!this.#isWide) return defaultCipherSuites(nodeCrypto).filter((suite) => !isSuite13(suite));
    return known.filter((suite) => !suite.isLegacy && !suite.keyExchange.includes('PSK') && !isUnsafe(suite));
  }
}

function levelOf(list: string): number | undefined {
  let level: number | undefined;
  for (const [command] of list.matchAll(/@[^:,; @]*/g)) {
    if (command === '@STRENGTH') continue;
    const digit = /^@SECLEVEL=([0-5])$/.exec(command)?.[1];
    if (digit === undefined) throw opensslError('invalid command');
    level = Number(digit);
  }
  return level;
}

/** Bits of strength that a suite needs, by OpenSSL's security level. */
const LEVEL_BITS = [0, 80, 112, 128, 192, 256];

/** As OpenSSL: from level 3 forward secrecy, from level 4 no SHA-1 in records. */
function isStrongEnough(suite: CipherSuite, level: number): boolean {
  if (level === 0) return true;
  const { cipher, keyExchange, authentication } = suite;
  if (bits(suite) < LEVEL_BITS[level]! || authentication === 'anon') return false;
  if (isSuite13(suite)) return true;
  if (level >= 3 && !keyExchange.includes('DHE')) return false;
  return !(level >= 4 && cipher.kind !== 'aead' && cipher.mac === 'sha1');
}

/** Forward secrecy first, then AEADs: a server that follows its own order serves the best that both have. */
function weakness({ keyExchange, cipher }: CipherSuite): number {
  return (keyExchange.includes('DHE') ? 0 : 2) + (cipher.kind === 'aead' ? 0 : 1);
}
