import { type Stats, statSync } from 'node:fs';
import { join } from 'node:path';
import {
  type CertificateDatabase,
  ManagedAuthority,
  MemoryCertificateDatabase,
  type OcspSigner,
  ocspErrorResponse,
  parseOcspResponse,
} from '@testudo/x509';
import { authoritiesIn, type FolderAuthority } from './authorities.ts';
import { openDatabase, withDatabase } from './authority-database.ts';
import { databaseFile } from './authority-folder.ts';
import { endsSoon, ocspSigner } from './ocsp-signer.ts';

/** Answers OCSP requests about all CAs of a data folder, from what their databases hold at that moment. */
export class Responder {
  readonly #authorities: readonly OneResponder[];

  private constructor(authorities: readonly OneResponder[]) {
    this.#authorities = authorities;
  }

  /** @param validity seconds for which an answer counts. Throws a `Failure`. */
  static async open(folder: string, validity: number): Promise<Responder> {
    const all: OneResponder[] = [];
    for (const issuer of authoritiesIn(folder))
      all.push(new OneResponder(folder, issuer, await ocspSigner(folder, issuer), validity));
    return new Responder(all);
  }

  /** The CAs, for messages. */
  get names(): string[] {
    return this.#authorities.map(({ issuer }) => issuer.authority.certificate.subject.shown);
  }

  /** Request bytes in, response bytes out: never rejects for what the request says. */
  async answer(request: Uint8Array): Promise<Uint8Array> {
    let answer = ocspErrorResponse('unauthorized');
    for (const one of this.#authorities) {
      answer = await one.answer(request);
      if (parseOcspResponse(answer).status !== 'unauthorized') break;
    }
    return answer;
  }
}

class OneResponder {
  readonly issuer: FolderAuthority;
  readonly #folder: string;
  readonly #validity: number;
  #signer: OcspSigner;
  #database: CertificateDatabase = new MemoryCertificateDatabase();
  #version: string | undefined;
  #kept: number | undefined;

  constructor(folder: string, issuer: FolderAuthority, signer: OcspSigner, validity: number) {
    this.#folder = folder;
    this.issuer = issuer;
    this.#signer = signer;
    this.#validity = validity;
  }

  async answer(request: Uint8Array): Promise<Uint8Array> {
    try {
      if (endsSoon(this.#signer.certificate)) this.#signer = await ocspSigner(this.#folder, this.issuer);
      const managed = new ManagedAuthority(this.issuer.authority, await this.#current());
      return await managed.ocsp(request, { signer: this.#signer, validity: this.#validity });
    } catch {
      return ocspErrorResponse('internalError');
    }
  }

  /** The database is replaced as a whole when another process changes it; the gateway only writes what it issued. */
  async #current(): Promise<CertificateDatabase> {
    const kept = changedAt(join(this.#folder, 'certificates'));
    if (kept !== this.#kept) {
      await withDatabase(this.#folder, this.issuer, 'cannot read what was issued', async () => undefined);
      this.#kept = kept;
    }
    const file = databaseFile(this.#folder, this.issuer.role);
    const version = versionOf(statSync(file));
    if (version === this.#version) return this.#database;
    this.#database = await openDatabase(file);
    this.#version = version;
    return this.#database;
  }
}

/** When a file was last put into a folder, or taken out; 0 when there is none. */
function changedAt(folder: string): number {
  return statSync(folder, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

function versionOf({ ino, size, mtimeMs }: Stats): string {
  return `${ino} ${size} ${mtimeMs}`;
}
