import { der, type Oid } from '@testudo/codec';
import { nodeCrypto } from '@testudo/crypto/node';
import type { Random } from '../../../fuzz/random.ts';
import type { CorpusKey, CorpusKeys } from './keys.ts';

/** A certificate before it is signed. What goes wrong with it is changed here, or in its bytes. */
export interface CertificatePlan {
  version: number;
  serial: Uint8Array;
  /** Name, DER. */
  subject: Uint8Array;
  /** Default: the subject of the one above. */
  issuer: Uint8Array | undefined;
  notBefore: Date;
  notAfter: Date;
  key: CorpusKey;
  /** Default: the key of the one above. */
  signer: CorpusKey | undefined;
  extensions: { oid: Oid; critical: boolean; value: Uint8Array }[];
  /** Changes what is signed. */
  changeTbs: ((tbs: Uint8Array) => Uint8Array) | undefined;
  /** Changes the finished certificate. */
  changeWhole: ((der: Uint8Array) => Uint8Array) | undefined;
}

/** A chain before it is signed: the root, the CAs below it, the leaf. */
export interface ChainPlan {
  readonly path: CertificatePlan[];
  /** The name that is looked for. */
  host: string;
  /** Other certificates that are sent along, signed by keys of their own. */
  readonly strangers: CertificatePlan[];
  /** Changes what is sent and what is trusted, leaf first. */
  changeSent: ((sent: Uint8Array[]) => Uint8Array[]) | undefined;
  trusted: Uint8Array | undefined;
}

/** A chain as judges get it: DER. */
export interface Chain {
  readonly host: string;
  readonly trusted: Uint8Array;
  /** The leaf first. */
  readonly sent: readonly Uint8Array[];
}

export const EXTENSION = {
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  nameConstraints: '2.5.29.30',
  authorityKeyIdentifier: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
} as const;

const DAY = 86_400_000;
/** Whole days around now: the programs look at the clock. */
const TODAY = Math.floor(Date.now() / DAY) * DAY;

export function daysFromNow(days: number): Date {
  return new Date(TODAY + days * DAY);
}

/** A chain that is good, of random length, keys and names. */
export function goodPlan(
  random: Random,
  keys: CorpusKeys,
  intermediates: number = random.below(4),
): ChainPlan {
  const tag = `${random.below(1_000_000)}`;
  const pool = [...keys.usual];
  // A key for each: the same name and key twice are the same CA.
  const nextKey = (): CorpusKey => pool.splice(random.below(pool.length), 1)[0]!;
  const host = `host${tag}.example.test`;
  const path: CertificatePlan[] = [authority(random, `Root ${tag}`, nextKey(), undefined)];
  for (let i = 0; i < intermediates; i++) {
    const room = intermediates - 1 - i + random.below(2);
    path.push(authority(random, `CA ${i} ${tag}`, nextKey(), random.below(3) === 0 ? room : undefined));
  }
  path.push(leafPlan(random, host, nextKey()));
  linkKeyIdentifiers(path);
  return { path, host, strangers: [], changeSent: undefined, trusted: undefined };
}

export function authority(
  random: Random,
  commonName: string,
  key: CorpusKey,
  pathLength: number | undefined,
): CertificatePlan {
  return {
    ...basics(random, nameOf(commonName), key),
    extensions: [
      basicConstraints(true, pathLength),
      { oid: EXTENSION.keyUsage, critical: true, value: der.namedBits([5, 6]) },
    ],
  };
}

function leafPlan(random: Random, host: string, key: CorpusKey): CertificatePlan {
  const names = [`other.${host}`, host, `*.${host}`].slice(random.below(2), 2 + random.below(2));
  return {
    ...basics(random, nameOf(host), key),
    extensions: [
      ...(random.below(2) === 0 ? [basicConstraints(false, undefined)] : []),
      { oid: EXTENSION.keyUsage, critical: true, value: der.namedBits([0]) },
      extendedKeyUsage(random.below(2) === 0 ? [SERVER] : [SERVER, CLIENT]),
      subjectAltName(names),
    ],
  };
}

export const SERVER: Oid = '1.3.6.1.5.5.7.3.1';
export const CLIENT: Oid = '1.3.6.1.5.5.7.3.2';
export const EMAIL: Oid = '1.3.6.1.5.5.7.3.4';

type PlannedExtension = CertificatePlan['extensions'][number];

export function basicConstraints(ca: boolean, pathLength: number | undefined): PlannedExtension {
  const limit = pathLength === undefined ? undefined : der.integer(pathLength);
  const value = der.sequence(ca ? der.boolean(true) : undefined, limit);
  return { oid: EXTENSION.basicConstraints, critical: true, value };
}

export function extendedKeyUsage(purposes: readonly Oid[]): PlannedExtension {
  return { oid: EXTENSION.extendedKeyUsage, critical: false, value: der.sequence(...purposes.map(der.oid)) };
}

export function subjectAltName(names: readonly string[]): PlannedExtension {
  const value = der.sequence(...names.map((name) => der.implicit(2, der.ia5String(name))));
  return { oid: EXTENSION.subjectAltName, critical: false, value };
}

export function nameOf(commonName: string, text: (value: string) => Uint8Array = der.utf8String): Uint8Array {
  return der.sequence(
    der.setOf(der.sequence(der.oid('2.5.4.10'), text('Corpus'))),
    der.setOf(der.sequence(der.oid('2.5.4.3'), text(commonName))),
  );
}

/** Puts `extension` in the place of the one of its kind, or at the end. */
export function setExtension(plan: CertificatePlan, extension: PlannedExtension): void {
  removeExtension(plan, extension.oid);
  plan.extensions.push(extension);
}

export function removeExtension(plan: CertificatePlan, oid: Oid): void {
  plan.extensions = plan.extensions.filter((one) => one.oid !== oid);
}

export function linkKeyIdentifiers(path: readonly CertificatePlan[]): void {
  for (const [i, plan] of path.entries()) {
    const issuer = path[Math.max(i - 1, 0)]!;
    setExtension(plan, {
      oid: EXTENSION.subjectKeyIdentifier,
      critical: false,
      value: der.octetString(keyIdentifier(plan.key)),
    });
    setExtension(plan, {
      oid: EXTENSION.authorityKeyIdentifier,
      critical: false,
      value: der.sequence(der.implicit(0, der.octetString(keyIdentifier(issuer.key)))),
    });
  }
}

function keyIdentifier({ privateKey }: CorpusKey): Uint8Array {
  return nodeCrypto.digest('sha1', privateKey.publicKey.spki);
}

function basics(random: Random, subject: Uint8Array, key: CorpusKey): Omit<CertificatePlan, 'extensions'> {
  const serial = random.bytes(1 + random.below(16));
  serial[0] = (serial[0]! & 0x7f) | 1;
  return {
    version: 2,
    serial,
    subject,
    issuer: undefined,
    notBefore: daysFromNow(-1 - random.below(300)),
    // Also beyond 2049, where the type of the time changes.
    notAfter: daysFromNow(random.pick([2, 90, 3650, 12_000])),
    key,
    signer: undefined,
    changeTbs: undefined,
    changeWhole: undefined,
  };
}

/** Signs a plan from the root down. */
export function issue(plan: ChainPlan): Chain {
  const path = plan.path.map((one, i) => sign(one, plan.path[Math.max(i - 1, 0)]!));
  const strangers = plan.strangers.map((one) => sign(one, one));
  const sent = [...path.slice(1).reverse(), ...strangers];
  return {
    host: plan.host,
    trusted: plan.trusted ?? path[0]!,
    sent: plan.changeSent?.(sent) ?? sent,
  };
}

export function sign(plan: CertificatePlan, issuer: CertificatePlan): Uint8Array {
  const signer = plan.signer ?? issuer.key;
  const extensions = plan.extensions.map(({ oid, critical, value }) =>
    der.sequence(der.oid(oid), critical ? der.boolean(true) : undefined, der.octetString(value)),
  );
  const tbs = der.sequence(
    plan.version === 0 ? undefined : der.explicit(0, der.integer(plan.version)),
    der.element(2, plan.serial),
    signer.identifier,
    plan.issuer ?? issuer.subject,
    der.sequence(der.time(plan.notBefore), der.time(plan.notAfter)),
    plan.subject,
    plan.key.privateKey.publicKey.spki,
    extensions.length === 0 ? undefined : der.explicit(3, der.sequence(...extensions)),
  );
  const signed = plan.changeTbs?.(tbs) ?? tbs;
  const signature = nodeCrypto.sign(signer.algorithm, signer.privateKey, signed);
  const whole = der.sequence(signed, signer.identifier, der.bitString(signature));
  return plan.changeWhole?.(whole) ?? whole;
}
