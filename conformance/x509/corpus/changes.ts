import { concat, der, toHex } from '@testudo/codec';
import type { Random } from '../../../fuzz/random.ts';
import { type CorpusKeys, RSA_SHA1 } from './keys.ts';
import {
  authority,
  basicConstraints,
  type CertificatePlan,
  type ChainPlan,
  CLIENT,
  daysFromNow,
  EMAIL,
  EXTENSION,
  extendedKeyUsage,
  goodPlan,
  linkKeyIdentifiers,
  nameOf,
  removeExtension,
  SERVER,
  setExtension,
  sign,
  subjectAltName,
} from './plan.ts';
import { allTlv, parseTlv, type Tlv, writeTlv } from './tlv.ts';

/** One kind of chain: good ones, and ones in which one thing was changed. */
export interface Change {
  /** What we have to say: true for accepted. Undefined where it depends on which bit was hit. */
  readonly isGood: boolean | undefined;
  /** How many times as many of these as of others. Default 1. */
  readonly weight?: number;
  make(random: Random, keys: CorpusKeys): ChainPlan;
}

type Edit = (plan: ChainPlan, random: Random, keys: CorpusKeys) => void;

/** Changes a good chain with at least one intermediate. */
function change(isGood: boolean | undefined, edit: Edit): Change {
  return {
    isGood,
    make(random, keys) {
      const plan = goodPlan(random, keys, 1 + random.below(3));
      edit(plan, random, keys);
      return plan;
    },
  };
}

const good = (edit: Edit): Change => change(true, edit);
const bad = (edit: Edit): Change => change(false, edit);

const rootOf = ({ path }: ChainPlan): CertificatePlan => path[0]!;
const leafOf = ({ path }: ChainPlan): CertificatePlan => path.at(-1)!;
const caOf = ({ path }: ChainPlan, random: Random): CertificatePlan =>
  path[1 + random.below(path.length - 2)]!;
const anyOf = ({ path }: ChainPlan, random: Random): CertificatePlan => random.pick(path);
/** All but the root, whose bytes nobody signed for. */
const sentOf = ({ path }: ChainPlan, random: Random): CertificatePlan => random.pick(path.slice(1));

export const CHANGES: Readonly<Record<string, Change>> = {
  good: { isGood: true, make: (random, keys) => goodPlan(random, keys) },
  'good, in no order': good((plan, random) => {
    plan.changeSent = ([leaf, ...others]) => [leaf!, ...shuffled(others, random)];
  }),
  'good, with strangers': good((plan, random, keys) => {
    for (let i = 0; i < 3; i++)
      plan.strangers.push(authority(random, `Stranger ${i}`, random.pick(keys.usual), undefined));
  }),
  'good, with its root': good((plan) => {
    plan.changeSent = (sent) => [...sent, sign(rootOf(plan), rootOf(plan))];
  }),
  'good, without key identifiers': good(({ path }) => {
    for (const one of path) {
      removeExtension(one, EXTENSION.subjectKeyIdentifier);
      removeExtension(one, EXTENSION.authorityKeyIdentifier);
    }
  }),
  'good, constrained': good((plan, random) =>
    setExtension(caOf(plan, random), constraints(['example.test'], [])),
  ),
  'good, an unknown extension that is not critical': good((plan, random) =>
    anyOf(plan, random).extensions.push(unknownExtension(false)),
  ),
  'good, purposes in CAs': good((plan, random) =>
    setExtension(caOf(plan, random), extendedKeyUsage([CLIENT, SERVER])),
  ),
  'good, RSA': good((plan, random, keys) => {
    caOf(plan, random).key = keys.rsa;
    linkKeyIdentifiers(plan.path);
  }),
  'issuer in other letters': good((plan, random) => {
    const [above, below] = neighbours(plan, random);
    const text = commonNameOf(above.subject);
    below.issuer = nameOf(random.below(2) === 0 ? text.toUpperCase() : `  ${text.replaceAll(' ', '  ')} `);
  }),
  'issuer in another string type': good((plan, random) => {
    const [above, below] = neighbours(plan, random);
    below.issuer = nameOf(commonNameOf(above.subject), der.printableString);
  }),
  'a cross-signed CA comes first': good((plan, random, keys) => {
    const ca = plan.path[1]!;
    const other = authority(random, 'Elsewhere', random.pick(keys.usual), undefined);
    const cross: CertificatePlan = { ...ca, issuer: other.subject, signer: other.key };
    cross.extensions = ca.extensions.filter(({ oid }) => oid !== EXTENSION.authorityKeyIdentifier);
    plan.changeSent = ([leaf, ...others]) => [leaf!, sign(cross, other), ...others];
  }),

  'issuer of another name': bad((plan, random) => {
    sentOf(plan, random).issuer = nameOf('Nobody');
  }),
  'names swapped': bad((plan, random) => {
    const [above, below] = neighbours(plan, random);
    [above.subject, below.subject] = [below.subject, above.subject];
    below.issuer = below.subject;
  }),
  'another root of the same name': bad((plan, _random, keys) => {
    const root = rootOf(plan);
    const other = { ...root, key: keys.usual.find((key) => key !== root.key && key !== plan.path[1]!.key)! };
    linkKeyIdentifiers([other]);
    plan.trusted = sign(other, other);
  }),
  'a CA is missing': bad((plan) => {
    plan.changeSent = (sent) => sent.slice(0, -1);
  }),
  'for another host': bad((plan) => {
    plan.host = 'example.org';
  }),
  'for a host below': bad((plan) => {
    setExtension(leafOf(plan), subjectAltName([`*.${plan.host}`]));
    plan.host = `a.b.${plan.host}`;
  }),
  'only a common name': bad((plan) => removeExtension(leafOf(plan), EXTENSION.subjectAltName)),
  'leaf expired': bad((plan) => expire(leafOf(plan))),
  'CA expired': bad((plan, random) => expire(caOf(plan, random))),
  'root expired': bad((plan) => expire(rootOf(plan))),
  'leaf not yet valid': bad((plan) => begin(leafOf(plan))),
  'CA not yet valid': bad((plan, random) => begin(caOf(plan, random))),
  'CA is none': bad((plan, random) => setExtension(caOf(plan, random), basicConstraints(false, undefined))),
  'CA without basicConstraints': bad((plan, random) =>
    removeExtension(caOf(plan, random), EXTENSION.basicConstraints),
  ),
  'CA may not sign certificates': bad((plan, random) =>
    setExtension(caOf(plan, random), {
      oid: EXTENSION.keyUsage,
      critical: true,
      value: der.namedBits([0, 6]),
    }),
  ),
  'path too long': bad((plan) => setExtension(rootOf(plan), basicConstraints(true, plan.path.length - 3))),
  'leaf for clients': bad((plan) => setExtension(leafOf(plan), extendedKeyUsage([CLIENT]))),
  'leaf for any purpose': bad((plan) => setExtension(leafOf(plan), extendedKeyUsage(['2.5.29.37.0']))),
  'CA for mail': bad((plan, random) => setExtension(caOf(plan, random), extendedKeyUsage([EMAIL]))),
  'leaf may only agree on keys': bad((plan) =>
    setExtension(leafOf(plan), { oid: EXTENSION.keyUsage, critical: true, value: der.namedBits([4]) }),
  ),
  'not permitted': bad((plan, random) => setExtension(caOf(plan, random), constraints(['example.org'], []))),
  excluded: bad((plan, random) => setExtension(caOf(plan, random), constraints([], ['example.test']))),
  'an unknown critical extension in the leaf': bad((plan) =>
    leafOf(plan).extensions.push(unknownExtension(true)),
  ),
  'an unknown critical extension in a CA': bad((plan, random) =>
    caOf(plan, random).extensions.push(unknownExtension(true)),
  ),
  'SHA-1': bad((plan, random, keys) => {
    const [above, below] = neighbours(plan, random);
    above.key = keys.rsa;
    below.signer = { ...keys.rsa, ...RSA_SHA1 };
    linkKeyIdentifiers(plan.path);
  }),
  'RSA of 1024 bits': bad((plan, random, keys) => {
    sentOf(plan, random).key = keys.shortRsa;
    linkKeyIdentifiers(plan.path);
  }),

  'extension doubled': bad((plan, random) => {
    const one = sentOf(plan, random);
    one.extensions.push(random.pick(one.extensions));
  }),
  'serial number negative': lenient((one) => {
    one.serial = Uint8Array.of(0x80, 1);
  }),
  'serial number zero': lenient((one) => {
    one.serial = Uint8Array.of(0);
  }),
  'serial number of 21 bytes': lenient((one) => {
    one.serial = new Uint8Array(21).fill(0x11);
  }),
  'extensions in version 1': bad((plan, random) => {
    sentOf(plan, random).version = 0;
  }),
  'version 4': bad((plan, random) => {
    sentOf(plan, random).version = 3;
  }),
  'two signature algorithms': bad((plan, random) => {
    sentOf(plan, random).changeWhole = (whole) => {
      const tlv = parseTlv(whole);
      const isEd25519 = toHex(tlv.children![1]!.children![0]!.content) === '2b6570';
      tlv.children![1]!.children = [parseTlv(der.oid(isEd25519 ? '1.3.101.113' : '1.3.101.112'))];
      return writeTlv(tlv);
    };
  }),
  'bytes behind': bad((plan, random) => {
    sentOf(plan, random).changeWhole = (whole) => concat(whole, Uint8Array.of(0));
  }),
  'signature bit flipped': bad((plan, random) => {
    const bit = random.below(8 * 16);
    sentOf(plan, random).changeWhole = (whole) => {
      const copy = whole.slice();
      copy[copy.length - 1 - (bit >> 3)]! ^= 1 << (bit & 7);
      return copy;
    };
  }),
  'bit flipped': bad((plan, random) => {
    const place = random.below(1 << 30);
    sentOf(plan, random).changeWhole = (whole) => flipped(whole, place);
  }),
  'bit flipped, and signed again': {
    ...change(undefined, (plan, random) => {
      const place = random.below(1 << 30);
      sentOf(plan, random).changeTbs = (tbs) => flipped(tbs, place);
    }),
    weight: 5,
  },

  'BER: a length with needless bytes': ber((tlv, random) => {
    random.pick(allTlv(tlv)).length = 'padded';
  }),
  'BER: no length': ber((tlv, random) => {
    random.pick(allTlv(tlv).filter(({ children }) => children !== undefined)).length = 'indefinite';
  }),
  'BER: another TRUE': bad((plan, random) => {
    sentOf(plan, random).changeTbs = (tbs) => {
      const tlv = parseTlv(tbs);
      random.pick(allTlv(tlv).filter(({ tag }) => tag === 1)).content = Uint8Array.of(1);
      return writeTlv(tlv);
    };
  }),
  'BER: a serial number with needless bytes': bad((plan, random) => {
    const one = sentOf(plan, random);
    one.serial = concat(Uint8Array.of(0, 0), one.serial);
  }),
  'BER: time without seconds': bad((plan, random) => {
    sentOf(plan, random).changeTbs = (tbs) => {
      const tlv = parseTlv(tbs);
      const time = allTlv(tlv).find(({ tag }) => tag === 0x17)!;
      time.content = concat(time.content.subarray(0, 10), Uint8Array.of(0x5a));
      return writeTlv(tlv);
    };
  }),
};

/** A change that RFC 5280 forbids and nothing rests on: the default profile lets it pass. */
function lenient(edit: (one: CertificatePlan) => void): Change {
  return good((plan, random) => edit(sentOf(plan, random)));
}

/** What is signed is changed from DER to BER: the signature covers the changed bytes. */
function ber(edit: (tlv: Tlv, random: Random) => void): Change {
  return bad((plan, random) => {
    sentOf(plan, random).changeTbs = (tbs) => {
      const tlv = parseTlv(tbs);
      edit(tlv, random);
      return writeTlv(tlv);
    };
  });
}

/** A certificate and the one that it issued. */
function neighbours({ path }: ChainPlan, random: Random): [above: CertificatePlan, below: CertificatePlan] {
  const i = random.below(path.length - 1);
  return [path[i]!, path[i + 1]!];
}

function expire(plan: CertificatePlan): void {
  plan.notBefore = daysFromNow(-400);
  plan.notAfter = daysFromNow(-1);
}

function begin(plan: CertificatePlan): void {
  plan.notBefore = daysFromNow(2);
  plan.notAfter = daysFromNow(100);
}

function constraints(
  permitted: readonly string[],
  excluded: readonly string[],
): CertificatePlan['extensions'][number] {
  const subtrees = (number: number, names: readonly string[]): Uint8Array | undefined =>
    names.length === 0
      ? undefined
      : der.explicit(number, ...names.map((name) => der.sequence(der.implicit(2, der.ia5String(name)))));
  return {
    oid: EXTENSION.nameConstraints,
    critical: true,
    value: der.sequence(subtrees(0, permitted), subtrees(1, excluded)),
  };
}

function unknownExtension(critical: boolean): CertificatePlan['extensions'][number] {
  return { oid: '1.3.6.1.4.1.55555.1', critical, value: der.nullValue() };
}

function commonNameOf(name: Uint8Array): string {
  const attribute = parseTlv(name).children!.at(-1)!.children![0]!.children![1]!;
  return new TextDecoder().decode(attribute.content);
}

function flipped(bytes: Uint8Array, place: number): Uint8Array {
  const copy = bytes.slice();
  const bit = place % (8 * copy.length);
  copy[bit >> 3]! ^= 1 << (bit & 7);
  return copy;
}

function shuffled<T>(items: readonly T[], random: Random): T[] {
  const left = [...items];
  return items.map(() => left.splice(random.below(left.length), 1)[0]!);
}
