import { toHex } from '@testudo/codec';
import type { Certificate } from '../certificate.ts';
import type { RevocationReason } from '../revocation/reasons.ts';

/** What a CA remembers of a certificate that it issued. */
export interface CertificateRecord {
  readonly certificate: Certificate;
  readonly revocation?: CertificateRevocation | undefined;
  /** When a hold was lifted: the next delta CRL says so. */
  readonly releasedAt?: Date | undefined;
}

export interface CertificateRevocation {
  readonly at: Date;
  readonly reason: RevocationReason;
  /** When the key is thought to have been lost. */
  readonly invalidityDate?: Date | undefined;
}

/** The lists that a CA has published. */
export interface CrlState {
  /** Number of the last list, complete or delta; 0 before the first. */
  readonly number: bigint;
  /** The last complete list. */
  readonly base?: { readonly number: bigint; readonly thisUpdate: Date } | undefined;
}

/** Where a CA keeps what it issued. Keys are serial numbers as {@link serialKey} writes them. */
export interface CertificateDatabase {
  /** Rejects when the serial number is taken. */
  add(record: CertificateRecord): Promise<void>;
  get(serialKey: string): Promise<CertificateRecord | undefined>;
  /** Replaces what is known about a certificate. Rejects when it is not there. */
  update(record: CertificateRecord): Promise<void>;
  /** All of them, in the order of issue. */
  all(): AsyncIterable<CertificateRecord>;
  crlState(): Promise<CrlState>;
  setCrlState(state: CrlState): Promise<void>;
}

/** A serial number as a key: hexadecimal, two's complement. */
export function serialKey(serialNumber: Uint8Array): string {
  return toHex(serialNumber);
}

/** Keeps everything in memory: for tests, and below a database that writes files. */
export class MemoryCertificateDatabase implements CertificateDatabase {
  protected readonly records: Map<string, CertificateRecord> = new Map();
  protected state: CrlState = { number: 0n };

  async add(record: CertificateRecord): Promise<void> {
    const key = serialKey(record.certificate.serialNumber);
    if (this.records.has(key)) throw new Error(`the serial number ${key} is already taken`);
    this.records.set(key, record);
  }

  async get(key: string): Promise<CertificateRecord | undefined> {
    return this.records.get(key);
  }

  async update(record: CertificateRecord): Promise<void> {
    const key = serialKey(record.certificate.serialNumber);
    if (!this.records.has(key)) throw new Error(`no certificate has the serial number ${key}`);
    this.records.set(key, record);
  }

  async *all(): AsyncIterable<CertificateRecord> {
    yield* [...this.records.values()];
  }

  async crlState(): Promise<CrlState> {
    return this.state;
  }

  async setCrlState(state: CrlState): Promise<void> {
    this.state = state;
  }
}
