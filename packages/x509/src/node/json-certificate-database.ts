import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fromBase64, toBase64 } from '@testudo/codec';
import {
  type CertificateRecord,
  type CrlState,
  MemoryCertificateDatabase,
  serialKey,
} from '../authority/database.ts';
import { Certificate } from '../certificate.ts';
import { REVOCATION_REASONS, type RevocationReason } from '../revocation/reasons.ts';

/**
 * A CA's database in one JSON file, for some ten thousands of certificates. Each change writes the whole file beside
 * the old one and then takes its place, so that a crash leaves either. One process at a time.
 */
export class JsonCertificateDatabase extends MemoryCertificateDatabase {
  readonly #path: string;
  #writing: Promise<void> = Promise.resolve();

  private constructor(path: string) {
    super();
    this.#path = path;
  }

  /** Opens a file, or begins a new one. Rejects with an `Error` that says what is wrong with it. */
  static async open(path: string): Promise<JsonCertificateDatabase> {
    const database = new JsonCertificateDatabase(path);
    const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    });
    if (text !== undefined) database.#load(text);
    return database;
  }

  override async add(record: CertificateRecord): Promise<void> {
    await super.add(record);
    await this.#save(() => this.records.delete(serialKey(record.certificate.serialNumber)));
  }

  override async update(record: CertificateRecord): Promise<void> {
    const key = serialKey(record.certificate.serialNumber);
    const before = this.records.get(key);
    await super.update(record);
    await this.#save(() => before && this.records.set(key, before));
  }

  override async setCrlState(state: CrlState): Promise<void> {
    const before = this.state;
    await super.setCrlState(state);
    await this.#save(() => {
      this.state = before;
    });
  }

  /** One write after the other; a write that fails is undone in memory, too. */
  async #save(undo: () => void): Promise<void> {
    const write = this.#writing.then(() => replaceFile(this.#path, this.#text()));
    this.#writing = write.catch(() => undefined);
    try {
      await write;
    } catch (error) {
      undo();
      throw error;
    }
  }

  #text(): string {
    const { number, base } = this.state;
    const stored: StoredDatabase = {
      version: 1,
      crl: {
        number: String(number),
        base: base && { number: String(base.number), thisUpdate: base.thisUpdate.toISOString() },
      },
      certificates: [...this.records.entries()].map(([serial, record]) => store(serial, record)),
    };
    return `${JSON.stringify(stored, null, 1)}\n`;
  }

  #load(text: string): void {
    try {
      const stored = JSON.parse(text) as StoredDatabase;
      if (stored.version !== 1) throw new Error(`unknown version ${stored.version}`);
      const { number, base } = stored.crl;
      this.state = {
        number: BigInt(number),
        base: base && { number: BigInt(base.number), thisUpdate: toDate(base.thisUpdate) },
      };
      for (const one of stored.certificates) {
        const record = restore(one);
        this.records.set(serialKey(record.certificate.serialNumber), record);
      }
    } catch (error) {
      throw new Error(`${this.#path} is not the database of a CA: ${(error as Error).message}`);
    }
  }
}

interface StoredDatabase {
  readonly version: 1;
  readonly crl: {
    readonly number: string;
    readonly base?: { readonly number: string; readonly thisUpdate: string } | undefined;
  };
  readonly certificates: readonly StoredCertificate[];
}

/** The first four are for people who look into the file. */
interface StoredCertificate {
  readonly serialNumber: string;
  readonly subject: string;
  readonly notAfter: string;
  readonly status: 'valid' | 'revoked';
  readonly revokedAt?: string | undefined;
  readonly reason?: RevocationReason | undefined;
  readonly invalidityDate?: string | undefined;
  readonly releasedAt?: string | undefined;
  /** DER, base64. */
  readonly certificate: string;
}

function store(
  serialNumber: string,
  { certificate, revocation, releasedAt }: CertificateRecord,
): StoredCertificate {
  return {
    serialNumber,
    subject: certificate.subject.toString(),
    notAfter: certificate.notAfter.toISOString(),
    status: revocation === undefined ? 'valid' : 'revoked',
    revokedAt: revocation?.at.toISOString(),
    reason: revocation?.reason,
    invalidityDate: revocation?.invalidityDate?.toISOString(),
    releasedAt: releasedAt?.toISOString(),
    certificate: toBase64(certificate.der),
  };
}

function restore(stored: StoredCertificate): CertificateRecord {
  const certificate = Certificate.parse(fromBase64(stored.certificate));
  const releasedAt = stored.releasedAt === undefined ? undefined : toDate(stored.releasedAt);
  if (stored.status !== 'revoked') return { certificate, releasedAt };
  const reason = stored.reason ?? 'unspecified';
  if (!Object.hasOwn(REVOCATION_REASONS, reason)) throw new Error(`"${reason}" is not a revocation reason`);
  const invalidityDate = stored.invalidityDate === undefined ? undefined : toDate(stored.invalidityDate);
  return { certificate, revocation: { at: toDate(stored.revokedAt ?? ''), reason, invalidityDate } };
}

function toDate(text: string): Date {
  const date = new Date(text);
  if (Number.isNaN(+date)) throw new Error(`"${text}" is not a time`);
  return date;
}

/** Written, flushed, and only then in place; readable by its owner alone. */
async function replaceFile(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const beside = `${path}.new`;
  const file = await open(beside, 'w', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(beside, path);
}
