import { nodeCrypto } from '@testudo/crypto/node';
import { LEVEL_BITS, type SecurityLevel } from '@testudo/x509';
import { CIPHER_SUITES, type CipherSuite, isSuite13, suiteAvailable } from '../suites/index.ts';
import { bits, groupsOf, isUnsafe, SUITE_B } from './cipher-groups.ts';
import { CipherRules } from './cipher-rules.ts';
import { opensslError } from './openssl-errors.ts';

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
  return { suites: chosen.some(isSuite13) ? chosen : [...DEFAULT_SUITES_13, ...chosen], securityLevel };
}

/** As OpenSSL offers them when nothing else is said. */
const DEFAULT_SUITES_13: readonly CipherSuite[] = [
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'TLS_AES_128_GCM_SHA256',
].flatMap((name) =>
  CIPHER_SUITES.filter((suite) => suite.name === name && suiteAvailable(suite, nodeCrypto)),
);

const SEPARATORS = /[:,; ]+|(?=@)/;

/** A list while it is read from left to right. */
class Selection {
  readonly #rules: CipherRules;
  readonly #legacy: boolean;
  readonly #suites13: CipherSuite[] = [];
  /** Something was named that OpenSSL knows, too, and that is not to be had without `legacy`. */
  knowsOthers = false;

  constructor(legacy: boolean) {
    this.#legacy = legacy;
    this.#rules = new CipherRules(
      CIPHER_SUITES.filter(
        (suite) => !isSuite13(suite) && suiteAvailable(suite, nodeCrypto) && (legacy || !suite.isLegacy),
      ),
    );
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
      this.#rules.add((suite) => this.#isInGroups(suite, ['ALL']));
      this.#rules.remove((suite) => groupsOf(suite).has('COMPLEMENTOFDEFAULT'));
      return;
    }
    for (const word of SUITE_B[expression] ?? [expression]) this.#applyWord(sign, word);
  }

  #applyWord(sign: string | undefined, expression: string): void {
    const matches = this.#matcher(expression);
    if (sign === '') this.knowsOthers ||= isNamedLegacy(expression);
    if (sign === '!') this.#rules.remove(matches);
    else if (sign === '-') this.#rules.drop(matches);
    else if (sign === '+') this.#rules.moveToEnd(matches);
    else this.#rules.add(matches);
  }

  #add13(name: string): boolean {
    const found = CIPHER_SUITES.find((suite) => isSuite13(suite) && suite.name === name);
    if (found === undefined) return false;
    if (!this.#suites13.includes(found)) this.#suites13.push(found);
    return true;
  }

  #matcher(expression: string): (suite: CipherSuite) => boolean {
    const isNamed = (suite: CipherSuite): boolean =>
      suite.name === expression || suite.opensslName === expression;
    // Old lists are full of names that nobody has any more.
    if (CIPHER_SUITES.some(isNamed)) return (suite) => isNamed(suite) && (this.#legacy || !suite.isLegacy);
    return (suite) => this.#isInGroups(suite, expression.split('+'));
  }

  #isInGroups(suite: CipherSuite, words: readonly string[]): boolean {
    if (suite.authentication === 'anon') return false;
    const groups = groupsOf(suite);
    return words.every((word) => groups.has(word));
  }
}

/** OpenSSL is built without RC4. */
function isNamedLegacy(name: string): boolean {
  return CIPHER_SUITES.some(
    (suite) =>
      (suite.name === name || suite.opensslName === name) && suite.isLegacy && suite.cipher.name !== 'rc4',
  );
}

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
