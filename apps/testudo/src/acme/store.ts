import { createHash, createPrivateKey, generateKeyPair } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { nodeCrypto } from '@testudo/crypto/node';
import { matchesName, parsePrivateKey, peerNameOf, privateKeyToPem } from '@testudo/x509';
import type { AcmeKeyType } from '../config/acme-choices.ts';
import { Failure, readableReason } from '../failure.ts';
import { type Identity, loadIdentity } from '../identity/certificate-files.ts';
import { LockBusy, withLock } from '../identity/file-lock.ts';
import { fileNameOf } from '../identity/local-authority.ts';
import { makePrivateFolder, writeNewPrivateFile, writePrivateFile } from '../identity/private-files.ts';
import { AcmeError } from './acme-error.ts';

/** What is known of an account at a CA. */
export interface StoredAccount {
  readonly url?: string | undefined;
  readonly contact?: string | undefined;
}

/** How far the work for one certificate is. Times are milliseconds since 1970. */
export interface CertificateState {
  /** An order that is under way. */
  readonly order?: string | undefined;
  /** Attempts in a row that failed. */
  readonly failures?: number | undefined;
  /** Not to be tried again before. */
  readonly notBefore?: number | undefined;
}

/** What is kept of the work with one CA: everything is 0600, since all of it is secret or leads to a secret. */
export class AcmeStore {
  readonly folder: string;

  constructor(dataFolder: string, directory: URL) {
    // Two directories of one host are two CAs, such as one for tests.
    const mark = createHash('sha256').update(directory.href).digest('hex').slice(0, 8);
    this.folder = join(dataFolder, 'acme', `${fileNameOf(directory.hostname)}-${mark}`);
  }

  /** The account's key, PEM; made when there is none. Throws a `Failure` for one that cannot be used. */
  accountKey(): string {
    return keyIn(join(this.folder, 'account-key.pem'), this.folder);
  }

  get account(): StoredAccount {
    return readJson<StoredAccount>(join(this.folder, 'account.json')) ?? {};
  }

  set account(account: StoredAccount) {
    makePrivateFolder(this.folder);
    writePrivateFile(join(this.folder, 'account.json'), `${JSON.stringify(account, undefined, 2)}\n`);
  }

  certificate(names: readonly string[]): CertificateStore {
    return new CertificateStore(join(this.folder, 'certificates'), names);
  }
}

/** The files of one certificate: `name.pem` has key and chain, so that they change together. */
export class CertificateStore {
  readonly #folder: string;
  readonly #names: readonly string[];
  readonly #base: string;
  #state: CertificateState | undefined;

  constructor(folder: string, names: readonly string[]) {
    this.#folder = folder;
    this.#names = names;
    this.#base = join(folder, baseNameFor(names));
  }

  get file(): string {
    return `${this.#base}.pem`;
  }

  get state(): CertificateState {
    this.#state ??= readJson<CertificateState>(`${this.#base}.json`) ?? {};
    return this.#state;
  }

  /** Throws a `Failure` when it cannot be written; it counts all the same while the program runs. */
  set state(state: CertificateState) {
    this.#state = state;
    makePrivateFolder(this.#folder);
    writePrivateFile(`${this.#base}.json`, `${JSON.stringify(state, undefined, 2)}\n`);
  }

  /**
   * The key of the certificate to come, PEM: kept, so that an order that was begun can be finished. One of another type gives
   * way, unless it has been named to the CA. Throws a `Failure`.
   */
  async nextKey(type: AcmeKeyType, isNamed: boolean = false): Promise<string> {
    const file = `${this.#base}.next.key`;
    if (existsSync(file)) {
      const kept = readKey(file);
      if (isNamed || isOfType(kept, type)) return kept;
    }
    const pem = await newKey(type);
    makePrivateFolder(this.#folder);
    // Nobody has a certificate for it yet: this one may be overwritten.
    writePrivateFile(file, pem);
    return pem;
  }

  /** Puts a new certificate in the place of the old one, as a whole. */
  install(chainPem: string, keyPem: string): void {
    makePrivateFolder(this.#folder);
    writePrivateFile(this.file, `${keyPem.trimEnd()}\n${chainPem.trimEnd()}\n`);
    rmSync(`${this.#base}.next.key`, { force: true });
  }

  /**
   * Does what no other process may do meanwhile: several may share a folder. What they have noted is read again. Rejects
   * with an {@link AcmeError} `busy` when one takes long.
   */
  async exclusively<T>(work: () => Promise<T>): Promise<T> {
    makePrivateFolder(this.#folder);
    try {
      return await withLock(this.file, () => {
        this.#state = undefined;
        return work();
      });
    } catch (error) {
      if (!(error instanceof LockBusy)) throw error;
      throw new AcmeError('busy', error.message, { cause: error });
    }
  }

  /** The certificate; undefined when there is none. Throws a `Failure` for one that cannot be used. */
  load(): Identity | undefined {
    return existsSync(this.file) ? loadPair(this.file) : undefined;
  }

  /** Another certificate that fits at least one of the names: better than none while there is no own. */
  loadSubstitute(): Identity | undefined {
    for (const file of pemFiles(this.#folder)) {
      try {
        const identity = loadPair(join(this.#folder, file));
        const [leaf] = identity.chain;
        if (+leaf!.notAfter > Date.now() && this.#names.some((name) => matchesName(leaf!, peerNameOf(name))))
          return identity;
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
      }
    }
    return undefined;
  }
}

function loadPair(file: string): Identity {
  return loadIdentity({ certificate: file, key: file });
}

function pemFiles(folder: string): string[] {
  try {
    return readdirSync(folder).filter((file) => file.endsWith('.pem'));
  } catch {
    return [];
  }
}

function keyIn(file: string, folder: string): string {
  if (!existsSync(file)) {
    makePrivateFolder(folder);
    const key = nodeCrypto.generateKey({ type: 'ec', curve: 'secp256r1' });
    writeNewPrivateFile(file, privateKeyToPem(key));
  }
  return readKey(file);
}

function readKey(file: string): string {
  try {
    const pem = readFileSync(file, 'utf8');
    parsePrivateKey(pem, nodeCrypto);
    return pem;
  } catch (error) {
    throw new Failure(
      `${file}: cannot use the private key: ${readableReason(error)}. Move it away for a new one.`,
      1,
      error,
    );
  }
}

function isOfType(pem: string, type: AcmeKeyType): boolean {
  const { asymmetricKeyType, asymmetricKeyDetails } = createPrivateKey(pem);
  if (type.startsWith('rsa'))
    return asymmetricKeyType === 'rsa' && asymmetricKeyDetails?.modulusLength === Number(type.slice(3));
  return asymmetricKeyDetails?.namedCurve === (type === 'p384' ? 'secp384r1' : 'prime256v1');
}

/** RSA keys take long to find: meanwhile others are served. */
async function newKey(type: AcmeKeyType): Promise<string> {
  const { privateKey } = type.startsWith('rsa')
    ? await generate('rsa', { modulusLength: Number(type.slice(3)) })
    : await generate('ec', { namedCurve: type === 'p384' ? 'P-384' : 'P-256' });
  return privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
}

const generate = promisify(generateKeyPair);

/** What is damaged is forgotten: nothing in it cannot be found out again. */
function readJson<T>(file: string): T | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(file, 'utf8'));
    return typeof value === 'object' && value !== null ? (value as T) : undefined;
  } catch {
    return undefined;
  }
}

/** One file for each set of names. */
function baseNameFor(names: readonly string[]): string {
  const [first, ...others] = names as [string, ...string[]];
  if (others.length === 0) return fileNameOf(first);
  const mark = createHash('sha256').update(JSON.stringify(names.toSorted())).digest('hex').slice(0, 8);
  return `${fileNameOf(first)}+${others.length}-${mark}`;
}
