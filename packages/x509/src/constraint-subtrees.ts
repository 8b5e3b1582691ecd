import { toHex } from '@testudo/codec';
import type { DistinguishedName } from './distinguished-name.ts';
import { isDomain } from './domain.ts';
import { CertificateError } from './errors.ts';
import type { GeneralName, GeneralNameKind } from './general-name.ts';
import { presentedMailbox } from './mailbox.ts';
import { parseUri } from './uri-name.ts';

/**
 * The permitted or the excluded subtrees of a CA (RFC 5280 §4.2.1.10), made ready so that looking a name up costs steps by the
 * name's own length, however many subtrees there are. For a name or a base that makes no sense the answer is the safe one: not
 * permitted, and excluded.
 */
export class Subtrees {
  readonly #doubt: boolean;
  readonly #bases: Map<string, GeneralName[]> = new Map();
  readonly #tests: Map<string, (name: GeneralName) => boolean> = new Map();

  constructor(bases: readonly GeneralName[], sense: 'permitted' | 'excluded') {
    this.#doubt = sense === 'excluded';
    for (const base of bases) {
      const known = this.#bases.get(formOf(base));
      if (known === undefined) this.#bases.set(formOf(base), [base]);
      else known.push(base);
    }
  }

  /** How many there are of a name's form: constraints say nothing about names of another. */
  countFor(name: GeneralName): number {
    return this.#bases.get(formOf(name))?.length ?? 0;
  }

  /** Whether a name falls under one of them. Throws {@link CertificateError} `malformed`. */
  holds(name: GeneralName): boolean {
    const form = formOf(name);
    let test = this.#tests.get(form);
    if (test === undefined) {
      test = TESTS[name.kind](this.#bases.get(form) ?? [], this.#doubt);
      this.#tests.set(form, test);
    }
    return test(name);
  }
}

/** Forms that we do not know are told apart by tag and type. */
function formOf(name: GeneralName): string {
  return name.kind === 'other' ? `${name.tag} ${name.type}` : name.kind;
}

/** Makes the test for names of one form out of the bases of that form. */
type TestMaker = (bases: readonly GeneralName[], doubt: boolean) => (name: GeneralName) => boolean;

const TESTS: Readonly<Record<GeneralNameKind, TestMaker>> = {
  dns: (bases, doubt) => domainTest(valuesOf(bases), doubt),
  ip: (bases) => addressTest(bases.flatMap((base) => (base.kind === 'ip' ? [base.bytes] : []))),
  directory: (bases) =>
    directoryTest(bases.flatMap((base) => (base.kind === 'directory' ? [base.name] : []))),
  email: (bases, doubt) => mailTest(valuesOf(bases), doubt),
  uri: (bases, doubt) => uriTest(valuesOf(bases), doubt),
  // We know no way to compare these.
  other: (bases, doubt) => () => doubt && bases.length > 0,
};

function valuesOf(bases: readonly GeneralName[]): string[] {
  return bases.flatMap((base) => ('value' in base ? [base.value] : []));
}

/** `example.com` holds itself and everything below; `.example.com` only what is below; '' holds everything. */
function domainTest(bases: readonly string[], doubt: boolean): (name: GeneralName) => boolean {
  const limits = bases.map((base) => base.toLowerCase());
  const domains = limits.map((limit) => (limit.startsWith('.') ? limit.slice(1) : limit));
  const isMalformed = limits.some((limit, i) => limit !== '' && !isDomain(domains[i]!));
  const holdsAll = limits.includes('');
  const sound = domains.filter(isDomain);
  const themselves = new Set(limits.filter(isDomain));
  const above = new Set(sound);
  const oneAbove = new Set(sound.map((domain) => domain.slice(domain.indexOf('.') + 1)));
  return (name) => {
    if (name.kind !== 'dns' || bases.length === 0) return false;
    const domain = name.value.toLowerCase();
    const isWildcard = domain.startsWith('*.');
    const rest = isWildcard ? domain.slice(2) : domain;
    if (!isDomain(rest) || (isMalformed && doubt)) return doubt;
    if (holdsAll || themselves.has(rest) || (isWildcard && above.has(rest))) return true;
    if (isBelow(rest, above)) return true;
    // A wildcard also stands for an excluded name one label below its base.
    return doubt && isWildcard && oneAbove.has(rest);
  };
}

/** Whether a domain stands below one of a set. */
function isBelow(domain: string, above: ReadonlySet<string>): boolean {
  for (let dot = domain.indexOf('.'); dot >= 0; dot = domain.indexOf('.', dot + 1))
    if (above.has(domain.slice(dot + 1))) return true;
  return false;
}

/** Addresses and masks of equal lengths; a mask must be a prefix (RFC 4632 §3.1). */
function addressTest(bases: readonly Uint8Array[]): (name: GeneralName) => boolean {
  // By mask, of which there are not many that are prefixes.
  const networks = new Map<string, { readonly mask: Uint8Array; readonly addresses: Set<string> }>();
  for (const base of bases) {
    const mask = base.subarray(base.length / 2);
    checkMask(mask);
    const key = toHex(mask);
    const known = networks.get(key) ?? { mask, addresses: new Set() };
    networks.set(key, known);
    known.addresses.add(masked(base.subarray(0, mask.length), mask));
  }
  return (name) => {
    if (name.kind !== 'ip') return false;
    for (const { mask, addresses } of networks.values())
      if (mask.length === name.bytes.length && addresses.has(masked(name.bytes, mask))) return true;
    return false;
  };
}

function masked(address: Uint8Array, mask: Uint8Array): string {
  return toHex(address.map((byte, i) => byte & mask[i]!));
}

/** Throws {@link CertificateError} `malformed`. */
function checkMask(mask: Uint8Array): void {
  let ended = false;
  for (const byte of mask) {
    // Ones, then zeros: the complement plus one is a power of two.
    const isPrefix = (~byte & 0xff & ((~byte & 0xff) + 1)) === 0;
    if (!isPrefix || (ended && byte !== 0))
      throw new CertificateError('malformed', 'a name constraint has an address mask that is not a prefix');
    ended ||= byte !== 0xff;
  }
}

function directoryTest(bases: readonly DistinguishedName[]): (name: GeneralName) => boolean {
  // What a level's key is made of holds no line breaks.
  const subtrees = new Set(bases.map(({ keys }) => keys.join('\n')));
  const longest = bases.reduce((most, { keys }) => Math.max(most, keys.length), 0);
  return (name) => {
    if (name.kind !== 'directory') return false;
    const { keys } = name.name;
    let levels = '';
    if (subtrees.has(levels)) return true;
    for (let i = 0; i < Math.min(keys.length, longest); i++) {
      levels += i === 0 ? keys[i] : `\n${keys[i]}`;
      if (subtrees.has(levels)) return true;
    }
    return false;
  };
}

/**
 * Mailboxes, hosts, or `.domain` for all hosts below. The local part keeps its case. It holds for addresses in all
 * scripts alike (RFC 9598 §6).
 */
function mailTest(bases: readonly string[], doubt: boolean): (name: GeneralName) => boolean {
  const mailboxes = new Set<string>();
  let isMalformed = false;
  for (const base of bases.filter((one) => one.includes('@'))) {
    const mailbox = presentedMailbox(base);
    if (mailbox === undefined) isMalformed = true;
    else mailboxes.add(`${mailbox.local}@${mailbox.host}`);
  }
  const hosts = new Hosts(bases.filter((one) => !one.includes('@')));
  isMalformed ||= hosts.isMalformed;
  return (name) => {
    if (name.kind !== 'email' || bases.length === 0) return false;
    const mailbox = presentedMailbox(name.value);
    if (mailbox === undefined || (isMalformed && doubt)) return doubt;
    return mailboxes.has(`${mailbox.local}@${mailbox.host}`) || hosts.hold(mailbox.host);
  };
}

/** Hosts of URIs: `host` itself, or `.domain` for all below. A URI without a domain there cannot be judged. */
function uriTest(bases: readonly string[], doubt: boolean): (name: GeneralName) => boolean {
  const hosts = new Hosts(bases);
  return (name) => {
    if (name.kind !== 'uri' || bases.length === 0) return false;
    const parts = parseUri(name.value);
    if (parts?.hasAuthority !== true || (hosts.isMalformed && doubt)) return doubt;
    return hosts.hold(parts.host);
  };
}

/** `host` for one, `.domain` for all below. */
class Hosts {
  readonly isMalformed: boolean;
  readonly #themselves: ReadonlySet<string>;
  readonly #above: ReadonlySet<string>;

  constructor(bases: readonly string[]) {
    const limits = bases.map((base) => base.toLowerCase());
    this.#themselves = new Set(limits.filter(isDomain));
    const above = limits.filter((limit) => limit.startsWith('.')).map((limit) => limit.slice(1));
    this.#above = new Set(above.filter(isDomain));
    this.isMalformed = limits.some((limit) => !isDomain(limit.startsWith('.') ? limit.slice(1) : limit));
  }

  hold(host: string): boolean {
    return this.#themselves.has(host) || isBelow(host, this.#above);
  }
}
