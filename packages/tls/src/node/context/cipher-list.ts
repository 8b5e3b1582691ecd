import { systemCrypto } from '@testudo/crypto/openssl';
import { LEVEL_BITS, type SecurityLevel } from '@testudo/x509';
import { CIPHER_SUITES, type CipherSuite, isSuite13, suiteAvailable } from '../../suites/index.ts';
import { opensslError } from '../errors/openssl-errors.ts';
import { bits, groupsOf, isUnsafe, SUITE_B } from './cipher-groups.ts';
import { CipherRules } from './cipher-rules.ts';

/** What OpenSSL's notation for the option `ciphers` says. */
export interface CipherList {
  readonly suites: readonly CipherSuite[];
  /** From `@SECLEVEL=0` to 5; undefined when the list does not say. */
  readonly securityLevel: SecurityLevel | undefined;
}

/**
 * Reads OpenSSL's cipher list: names of suites (OpenSSL's or IANA's) and groups of them (`HIGH`, `ECDHE+AESGCM`), with
 * `!`, `-` and `+` before them, between colons; `@STRENGTH` sorts what is there so far, and `@SECLEVEL=n` leaves out what
 * is weaker. What is not known is ignored, and the order is OpenSSL's. TLS 1.3 suites count by their own names only; a list
 * without any gets the default ones, in OpenSSL's order.
 *
 * Without `legacy`, groups bring no suite that is there for `@testudo/tls/legacy` only (RC4, NULL, DSS), nor do names; anonymous
 * ones never come by a group: the door has no use for a peer that is nobody.
 *
 * Throws `ERR_SSL_NO_CIPHER_MATCH` where it names nothing; what the level or `legacy` leaves out later is none of the list's affair, as in
 * OpenSSL. Throws `ERR_SSL_INVALID_COMMAND` for another word with `@`.
 */
export function parseCipherList(list: string, legacy: boolean = false): CipherList {
  const securityLevel = levelOf(list);
  const selection = new Selection(legacy);
  for (const token of list.split(SEPARATORS)) selection.apply(token);
  if (selection.chosen.length === 0 && !selection.knowsOthers) throw opensslError('no cipher match');
  const chosen = selection.chosen.filter((suite) => isStrongEnough(suite, securityLevel ?? DEFAULT_LEVEL));
  return { suites: chosen.some(isSuite13) ? chosen : [...defaultSuites13(), ...chosen], securityLevel };
}

/** As OpenSSL offers them when nothing else is said. */
const DEFAULT_NAMES_13 = ['TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256', 'TLS_AES_128_GCM_SHA256'];

function defaultSuites13(): readonly CipherSuite[] {
  return DEFAULT_NAMES_13.flatMap((name) =>
    CIPHER_SUITES.filter((suite) => suite.name === name && suiteAvailable(suite, systemCrypto())),
  );
}

const SEPARATORS = /[:,; ]+|(?=@)/;

/** A list while it is read from left to right. */
class Selection {
  readonly #rules: CipherRules;
  readonly #suites13: CipherSuite[] = [];
  /** What OpenSSL has, too, and is not to be had here without `legacy`, or not by a group. */
  readonly #others: CipherRules;
  #namesSrp = false;

  constructor(legacy: boolean) {
    this.#rules = new CipherRules(
      CIPHER_SUITES.filter(
        (suite) => !isSuite13(suite) && suiteAvailable(suite, systemCrypto()) && (legacy || !suite.isLegacy),
      ),
    );
    this.#others = new CipherRules(
      CIPHER_SUITES.filter(({ isLegacy, cipher }) => isLegacy && NODES_OPENSSL_HAS.test(cipher.name)),
    );
  }

  /** Something is chosen that OpenSSL has. */
  get knowsOthers(): boolean {
    return this.#namesSrp || this.#others.chosen.length > 0;
  }

  get chosen(): readonly CipherSuite[] {
    return [...this.#suites13, ...this.#rules.chosen];
  }

  apply(token: string): void {
    if (token.startsWith('@')) {
      if (token === '@STRENGTH') this.#rules.sortByStrength();
      return;
    }
    const sign = /^[!+-]/.test(token) ? token[0] : '';
    const expression = token.slice(sign === '' ? 0 : 1);
    if (sign === '' && this.#add13(expression)) return;
    if (expression === 'DEFAULT') {
      this.#applyWord('', 'ALL');
      this.#applyWord('!', 'COMPLEMENTOFDEFAULT');
      return;
    }
    for (const word of SUITE_B[expression] ?? [expression]) this.#applyWord(sign, word);
  }

  #applyWord(sign: string | undefined, expression: string): void {
    const isNamed = (suite: CipherSuite): boolean =>
      suite.name === expression || suite.opensslName === expression;
    const words = expression.split('+');
    const matches = (suite: CipherSuite): boolean => {
      if (isNamed(suite)) return true;
      const groups = groupsOf(suite);
      return words.every((word) => groups.has(word));
    };
    if (sign === '') this.#namesSrp ||= OF_OPENSSL_ALONE.has(expression);
    apply(
      this.#rules,
      sign,
      (suite) => matches(suite) && (suite.authentication !== 'anon' || isNamed(suite)),
    );
    apply(this.#others, sign, matches);
  }

  #add13(name: string): boolean {
    const found = CIPHER_SUITES.find((suite) => isSuite13(suite) && suite.name === name);
    if (found === undefined) return false;
    if (!this.#suites13.includes(found)) this.#suites13.push(found);
    return true;
  }
}

function apply(rules: CipherRules, sign: string | undefined, matches: (suite: CipherSuite) => boolean): void {
  if (sign === '!') rules.remove(matches);
  else if (sign === '-') rules.drop(matches);
  else if (sign === '+') rules.moveToEnd(matches);
  else rules.add(matches);
}

/** Secure Remote Password (RFC 5054). */
const OF_OPENSSL_ALONE: ReadonlySet<string> = new Set(['SRP', 'kSRP', 'aSRP']);
/** It is built without RC4 and 3DES. */
const NODES_OPENSSL_HAS = /^(?!rc4|3des)/;

function levelOf(list: string): SecurityLevel | undefined {
  let level: SecurityLevel | undefined;
  for (const [command] of list.matchAll(/@[^:,; @]*/g)) {
    if (command === '@STRENGTH') continue;
    const digit = /^@SECLEVEL=([0-5])$/.exec(command)?.[1];
    if (digit === undefined) throw opensslError('invalid command');
    level = Number(digit) as SecurityLevel;
  }
  return level;
}

/** What no suite that can be named without `legacy` falls short of, but for those with a short tag. */
const DEFAULT_LEVEL = 1;

/** As OpenSSL: from level 3 forward secrecy, from level 4 no SHA-1 in records. */
function isStrongEnough(suite: CipherSuite, level: SecurityLevel): boolean {
  if (level === 0) return true;
  const { cipher, keyExchange, authentication } = suite;
  if (isUnsafe(suite)) return level <= DEFAULT_LEVEL;
  if (bits(suite) < LEVEL_BITS[level] || (authentication === 'anon' && level > DEFAULT_LEVEL)) return false;
  if (isSuite13(suite)) return true;
  if (level >= 3 && !keyExchange.includes('DHE')) return false;
  return !(level >= 4 && cipher.kind !== 'aead' && cipher.mac === 'sha1');
}
