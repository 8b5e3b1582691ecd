import { bytesEqual, type Oid } from '@testudo/codec';
import { Certificate } from './certificate.ts';

/** A verdict that was reached, with what it depends on. */
export interface RememberedPath {
  readonly path: readonly Certificate[];
  readonly policies: readonly Oid[];
}

/** What a verdict depends on besides the certificates and the time: compared one by one, by identity. */
export type VerificationSettings = readonly unknown[];

interface Entry extends RememberedPath {
  /** Everything that was there to build with, the leaf first. */
  readonly chain: readonly Certificate[];
  readonly settings: VerificationSettings;
  /** Milliseconds since 1970: the time in which every certificate of the path is valid, both ends included. */
  readonly from: number;
  readonly until: number;
}

/** Longest certificate that is remembered, in bytes: with the number of entries it bounds the memory. */
const MOST_BYTES = 8192;
/** Longest chain that is remembered. */
const MOST_CERTIFICATES = 16;

/**
 * Remembers chains that were found valid, so that those of peers met often cost a comparison of their bytes. Keyed by the
 * content of all certificates given, trust store, profile, purpose and demands; valid while every certificate of the path is.
 * Names and revocation are looked at each time. Only what was verified gets in, so strangers cannot fill it with junk.
 */
export class VerificationCache {
  readonly #maximum: number;
  /** By the end of the leaf's signature, which is as good as random; the least recently used first. */
  readonly #entries: Map<string, Entry[]> = new Map();
  readonly #certificates: Map<string, Certificate> = new Map();

  /** @param options.maximum leaves that are remembered. Default 500. */
  constructor(options: { readonly maximum?: number | undefined } = {}) {
    this.#maximum = options.maximum ?? 500;
  }

  /** How many leaves are remembered. */
  get size(): number {
    return this.#entries.size;
  }

  clear(): void {
    this.#entries.clear();
    this.#certificates.clear();
  }

  /**
   * As {@link Certificate.parse}, but gives a certificate that was verified before when it has the same bytes: what
   * was parsed of it then need not be parsed again.
   */
  parse(der: Uint8Array): Certificate {
    const known = this.#certificates.get(keyOf(der));
    return known !== undefined && bytesEqual(known.der, der) ? known : Certificate.parse(der);
  }

  /** @internal */
  find(chain: readonly Certificate[], settings: VerificationSettings, at: Date): RememberedPath | undefined {
    const key = keyOf(chain[0]!.der);
    const entries = this.#entries.get(key);
    const entry = entries?.find((one) => isSameList(one.settings, settings) && isSameChain(one.chain, chain));
    if (entry === undefined) return undefined;
    const time = at.getTime();
    if (!(time >= entry.from && time <= entry.until)) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, entries!);
    return entry;
  }

  /** @internal */
  remember(chain: readonly Certificate[], settings: VerificationSettings, found: RememberedPath): void {
    if (chain.length > MOST_CERTIFICATES || chain.some(({ der }) => der.length > MOST_BYTES)) return;
    const entry: Entry = {
      // Their bytes may be views on a buffer that is larger by far, or that will be used again.
      chain: chain.map((certificate) => this.#keep(certificate)),
      path: found.path.map((certificate, i) =>
        i === found.path.length - 1 ? certificate : this.#keep(certificate),
      ),
      policies: found.policies,
      settings,
      from: Math.max(...found.path.map(({ notBefore }) => notBefore.getTime())),
      // notAfter is the last second that counts, all of it.
      until: Math.min(...found.path.map(({ notAfter }) => notAfter.getTime())) + 999,
    };
    const key = keyOf(chain[0]!.der);
    const others = this.#entries.get(key)?.filter((one) => !isSameList(one.settings, settings)) ?? [];
    this.#entries.delete(key);
    // The same leaf for some purposes or with some trust stores: more are not met.
    this.#entries.set(key, [...others.slice(-3), entry]);
    dropOldest(this.#entries, this.#maximum);
  }

  /** The certificate with bytes of its own, the same for all entries. */
  #keep(certificate: Certificate): Certificate {
    const key = keyOf(certificate.der);
    const known = this.#certificates.get(key);
    const own = known?.equals(certificate) ? known : Certificate.parse(certificate.der.slice());
    this.#certificates.delete(key);
    this.#certificates.set(key, own);
    dropOldest(this.#certificates, 4 * this.#maximum);
    return own;
  }
}

/** The last bytes of a certificate belong to its signature. They only lead to the bytes that are compared. */
function keyOf(der: Uint8Array): string {
  return String.fromCharCode(...der.subarray(-16));
}

function isSameChain(a: readonly Certificate[], b: readonly Certificate[]): boolean {
  return (
    a.length === b.length && a.every((certificate, i) => certificate === b[i] || certificate.equals(b[i]!))
  );
}

function isSameList(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((value, i) => value === b[i]);
}

function dropOldest(map: Map<string, unknown>, maximum: number): void {
  for (const key of map.keys()) {
    if (map.size <= maximum) return;
    map.delete(key);
  }
}
