import type { CipherSuite } from '../../suites/index.ts';
import { TLS12 } from '../../versions.ts';
import { bits } from './cipher-groups.ts';

interface Place {
  readonly suite: CipherSuite;
  readonly isChosen: boolean;
}

type Matcher = (suite: CipherSuite) => boolean;

/**
 * The suites up to TLS 1.2 in an order, some of them chosen, and what the words of a cipher list do with them. It works as
 * OpenSSL does, since the order in which a client names its suites decides what it gets: what was dropped goes to the
 * front, so that it is the first to come back; what is added goes to the end, in the order of before.
 */
export class CipherRules {
  #places: readonly Place[];

  constructor(suites: readonly CipherSuite[]) {
    this.#places = suites.toSorted((a, b) => b.id - a.id).map((suite) => ({ suite, isChosen: false }));
    this.#prefer();
  }

  get chosen(): readonly CipherSuite[] {
    return this.#places.filter(({ isChosen }) => isChosen).map(({ suite }) => suite);
  }

  /** Chooses those that were not chosen yet. */
  add(matches: Matcher): void {
    const [moved, rest] = this.#split((suite, isChosen) => !isChosen && matches(suite));
    this.#places = [...rest, ...moved.map(({ suite }) => ({ suite, isChosen: true }))];
  }

  /** `-`: they may come back. */
  drop(matches: Matcher): void {
    const [moved, rest] = this.#split((suite, isChosen) => isChosen && matches(suite));
    this.#places = [...moved.map(({ suite }) => ({ suite, isChosen: false })), ...rest];
  }

  /** `!`: for good. */
  remove(matches: Matcher): void {
    this.#places = this.#places.filter(({ suite }) => !matches(suite));
  }

  /** `+` */
  moveToEnd(matches: Matcher): void {
    const [moved, rest] = this.#split((suite, isChosen) => isChosen && matches(suite));
    this.#places = [...rest, ...moved];
  }

  sortByStrength(): void {
    const strengths = new Set(this.#places.map(({ suite }) => bits(suite)));
    for (const strength of [...strengths].sort((a, b) => b - a)) {
      this.moveToEnd((suite) => bits(suite) === strength);
    }
  }

  /** The order of preference before any word of a list: forward secrecy and AEADs, then strength, then the newer. */
  #prefer(): void {
    const isEcdhe: Matcher = ({ keyExchange }) => keyExchange === 'ECDHE';
    const isEphemeral: Matcher = ({ keyExchange }) => keyExchange === 'ECDHE' || keyExchange === 'DHE';
    const isAead: Matcher = ({ cipher }) => cipher.kind === 'aead';
    this.add((suite) => isEcdhe(suite) && suite.authentication === 'ecdsa');
    this.add(isEcdhe);
    this.drop(isEcdhe);
    this.add(({ cipher }) => /^aes-\d+-gcm$/.test(cipher.name));
    this.add(({ cipher }) => cipher.name === 'chacha20-poly1305');
    this.add(({ cipher }) => cipher.name.startsWith('aes-'));
    this.add(() => true);
    this.moveToEnd(({ cipher }) => cipher.kind !== 'aead' && cipher.mac === 'md5');
    this.moveToEnd(({ authentication }) => authentication === 'anon');
    this.moveToEnd(({ keyExchange }) => keyExchange === 'RSA');
    this.moveToEnd(({ keyExchange }) => keyExchange === 'PSK');
    this.moveToEnd(({ cipher }) => cipher.name === 'rc4');
    this.sortByStrength();
    // OpenSSL has the shared keys' CBC suites for older versions, too, whatever their hash.
    const isOlder: Matcher = ({ cipher, authentication, keyExchange }) =>
      cipher.kind !== 'aead' && (authentication === 'psk' || keyExchange === 'RSA_PSK');
    this.#moveToFront((suite) => suite.minVersion === TLS12 && !isOlder(suite));
    this.#moveToFront(isAead);
    this.#moveToFront(isEphemeral);
    this.#moveToFront((suite) => isEphemeral(suite) && isAead(suite));
    this.drop(() => true);
  }

  #moveToFront(matches: Matcher): void {
    const [moved, rest] = this.#split((suite, isChosen) => isChosen && matches(suite));
    this.#places = [...moved, ...rest];
  }

  #split(
    matches: (suite: CipherSuite, isChosen: boolean) => boolean,
  ): readonly [moved: readonly Place[], rest: readonly Place[]] {
    const moved = this.#places.filter(({ suite, isChosen }) => matches(suite, isChosen));
    return [moved, this.#places.filter((place) => !moved.includes(place))];
  }
}
