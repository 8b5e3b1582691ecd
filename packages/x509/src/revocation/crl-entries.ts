import { bytesEqual, DecodeError, DerReader, decodeDer, Tag } from '@testudo/codec';
import type { DistinguishedName } from '../distinguished-name.ts';
import { CertificateError } from '../errors.ts';
import { Extensions, readExtension } from '../extensions.ts';
import { readGeneralName } from '../general-name.ts';
import { parseExtension } from '../parse-der.ts';
import { DerScanner } from './der-scanner.ts';
import { RevocationOid } from './oids.ts';
import { type RevocationReason, readReason } from './reasons.ts';

/** One revoked certificate of a list (RFC 5280 §5.3). */
export interface RevokedEntry {
  /** Two's complement, big-endian, as in the certificate. */
  readonly serialNumber: Uint8Array;
  readonly revocationDate: Date;
  readonly reason: RevocationReason | undefined;
  /** When the key is thought to have been lost. */
  readonly invalidityDate: Date | undefined;
  /** Who issued the certificate: another than the list's issuer in indirect lists only. */
  readonly issuer: readonly DistinguishedName[];
}

/**
 * The entries of a CRL. A list may have millions, so none of them becomes an object until it is asked for: the first
 * search walks over all of them once, which also checks their form, and builds a table of 8 to 16 bytes for each.
 */
export class RevokedEntries implements Iterable<RevokedEntry> {
  readonly #content: Uint8Array;
  readonly #issuer: DistinguishedName;
  readonly #isIndirect: boolean;
  #index: EntryIndex | undefined;

  /** @param content what stands inside `revokedCertificates`. */
  constructor(content: Uint8Array, issuer: DistinguishedName, isIndirect: boolean) {
    this.#content = content;
    this.#issuer = issuer;
    this.#isIndirect = isIndirect;
  }

  /** How many there are. Throws {@link CertificateError} `malformed`, or `unknown-critical-extension`. */
  get count(): number {
    return this.#indexed().count;
  }

  /** The entry for a certificate; the gravest when there are several. Throws as {@link count}. */
  find(serialNumber: Uint8Array, issuer: DistinguishedName): RevokedEntry | undefined {
    const index = this.#indexed();
    let gravest: RevokedEntry | undefined;
    for (const at of index.matches(serialNumber)) {
      const issuers = index.issuersAt(at) ?? [this.#issuer];
      if (!issuers.some((name) => name.equals(issuer))) continue;
      const entry = readEntry(this.#content, at, issuers);
      if (gravest === undefined || weightOf(entry) > weightOf(gravest)) gravest = entry;
    }
    return gravest;
  }

  /** One after the other, each made as it is asked for. Throws as {@link count}. */
  *[Symbol.iterator](): IterableIterator<RevokedEntry> {
    const index = this.#indexed();
    const scanner = new DerScanner(this.#content);
    while (!scanner.isAtEnd) {
      const at = scanner.at;
      scanner.skip(Tag.sequence);
      yield readEntry(this.#content, at, index.issuersAt(at) ?? [this.#issuer]);
    }
  }

  #indexed(): EntryIndex {
    try {
      this.#index ??= new EntryIndex(this.#content, this.#isIndirect);
      return this.#index;
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      throw new CertificateError('malformed', `a CRL's entries are malformed: ${error.message}`);
    }
  }
}

/** Slots looked at for one serial number: far more than chance needs, a bound for what is made on purpose. */
const MOST_PROBES = 1000;

/** An open hash table of offsets by serial number, and the places where the issuer changes (RFC 5280 §5.3.3). */
class EntryIndex {
  count = 0;
  readonly #content: Uint8Array;
  readonly #slots: Uint32Array;
  readonly #seed: number = Math.floor(Math.random() * 2 ** 32);
  readonly #issuers: { readonly at: number; readonly names: readonly DistinguishedName[] }[] = [];

  constructor(content: Uint8Array, isIndirect: boolean) {
    this.#content = content;
    const scanner = new DerScanner(content);
    while (!scanner.isAtEnd) {
      this.#check(scanner, isIndirect);
      this.count++;
    }
    this.#slots = new Uint32Array(2 ** Math.ceil(Math.log2(2 * this.count + 2)));
    const again = new DerScanner(content);
    while (!again.isAtEnd) {
      const at = again.at;
      const end = again.enter(Tag.sequence);
      const serialEnd = again.skip(Tag.integer);
      this.#insert(at, content.subarray(again.contentAt, serialEnd), isIndirect);
      again.at = end;
    }
  }

  /** Offsets of the entries with this serial number. */
  *matches(serialNumber: Uint8Array): Generator<number> {
    let slot = this.#slotOf(serialNumber);
    for (let probes = 0; probes < MOST_PROBES; probes++) {
      const stored = this.#slots[slot]!;
      if (stored === 0) return;
      if (bytesEqual(this.#serialAt(stored - 1), serialNumber)) yield stored - 1;
      slot = (slot + 1) % this.#slots.length;
    }
  }

  /** Issuers of the entry at an offset; undefined: the list's own. */
  issuersAt(at: number): readonly DistinguishedName[] | undefined {
    let low = 0;
    let high = this.#issuers.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#issuers[middle]!.at <= at) low = middle + 1;
      else high = middle;
    }
    return this.#issuers[low - 1]?.names;
  }

  #insert(at: number, serial: Uint8Array, isIndirect: boolean): void {
    let slot = this.#slotOf(serial);
    for (let probes = 0; this.#slots[slot] !== 0; probes++) {
      const other = this.#slots[slot]! - 1;
      if (!isIndirect && bytesEqual(this.#serialAt(other), serial)) {
        if (this.#weightAt(at) > this.#weightAt(other)) this.#slots[slot] = at + 1;
        return;
      }
      if (probes === MOST_PROBES)
        throw new DecodeError('bad-value', 'a serial number appears too often in a CRL', at);
      slot = (slot + 1) % this.#slots.length;
    }
    this.#slots[slot] = at + 1;
  }

  /** Of two entries for one certificate the graver counts: what can be taken back weighs less. */
  #weightAt(at: number): number {
    return weightOf(readEntry(this.#content, at, []));
  }

  #serialAt(at: number): Uint8Array {
    const scanner = new DerScanner(this.#content, at);
    scanner.enter(Tag.sequence);
    const end = scanner.skip(Tag.integer);
    return this.#content.subarray(scanner.contentAt, end);
  }

  #slotOf(serial: Uint8Array): number {
    let hash = this.#seed;
    for (const byte of serial) hash = Math.imul(hash ^ byte, 0x0100_0193);
    hash ^= hash >>> 15;
    return (hash >>> 0) % this.#slots.length;
  }

  /** Form of one entry: a serial number, a time, and extensions of which the critical ones are known. */
  #check(scanner: DerScanner, isIndirect: boolean): void {
    const at = scanner.at;
    const end = scanner.enter(Tag.sequence);
    scanner.skipInteger();
    scanner.skipTime();
    if (scanner.at < end) {
      const extensionsEnd = scanner.enter(Tag.sequence, end);
      if (scanner.at === extensionsEnd) throw scanner.error('bad-length', 'an empty list of extensions');
      while (scanner.at < extensionsEnd) this.#checkExtension(scanner, extensionsEnd, at, isIndirect);
    }
    scanner.expectAt(end);
  }

  #checkExtension(scanner: DerScanner, end: number, entryAt: number, isIndirect: boolean): void {
    const extensionEnd = scanner.enter(Tag.sequence, end);
    const oidEnd = scanner.skip(Tag.oid, extensionEnd);
    const last = knownExtension(this.#content.subarray(scanner.contentAt, oidEnd));
    const isCritical = scanner.peek() === Tag.boolean && scanner.skipTrue(extensionEnd);
    if (isCritical && last === undefined)
      throw new CertificateError(
        'unknown-critical-extension',
        'an entry of the CRL has a critical extension that is not supported',
      );
    const valueEnd = scanner.skip(Tag.octetString, extensionEnd);
    const value = this.#content.subarray(scanner.contentAt, valueEnd);
    if (last === CERTIFICATE_ISSUER) {
      if (!isIndirect)
        throw scanner.error('bad-value', 'a certificate issuer in a list that is not indirect');
      this.#issuers.push({ at: entryAt, names: readCertificateIssuer(value) });
    }
    scanner.expectAt(extensionEnd);
  }
}

function weightOf({ reason }: RevokedEntry): number {
  return reason === 'removeFromCRL' ? 0 : reason === 'certificateHold' ? 1 : 2;
}

const CERTIFICATE_ISSUER = 29;

/** The last arc of an extension 2.5.29.* that is understood: reason, hold instruction, invalidity date, issuer. */
function knownExtension(oid: Uint8Array): number | undefined {
  const [first, second, last] = oid;
  if (oid.length !== 3 || first !== 0x55 || second !== 0x1d) return undefined;
  return last === 21 || last === 23 || last === 24 || last === CERTIFICATE_ISSUER ? last : undefined;
}

function readCertificateIssuer(value: Uint8Array): DistinguishedName[] {
  return decodeDer(value, (reader) => {
    const names = reader.sequenceOf((item) => readGeneralName(item), Tag.sequence, 16);
    const directory = names.flatMap((name) => (name.kind === 'directory' ? [name.name] : []));
    if (directory.length === 0) throw reader.error('bad-value', 'a certificate issuer without a name');
    return directory;
  });
}

function readEntry(content: Uint8Array, at: number, issuer: readonly DistinguishedName[]): RevokedEntry {
  try {
    const [serialNumber, revocationDate, extensions] = new DerReader(content.subarray(at)).sequence(
      (entry) => [
        entry.integerBytes(),
        entry.time(),
        new Extensions(entry.remaining > 0 ? entry.sequenceOf(readExtension) : []),
      ],
    );
    const reason = parseExtension(extensions.get(RevocationOid.reasonCode), 'reasonCode', (reader) =>
      readReason(reader),
    );
    const invalidityDate = parseExtension(
      extensions.get(RevocationOid.invalidityDate),
      'invalidityDate',
      (reader) => reader.time(),
    );
    return { serialNumber, revocationDate, reason, invalidityDate, issuer };
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw new CertificateError('malformed', `an entry of a CRL is malformed: ${error.message}`);
  }
}
