import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { nodeCrypto } from '@testudo/crypto/node';
import {
  type Certificate,
  type CertificateAuthority,
  certificateToPem,
  matchesName,
  parseCertificates,
  parsePrivateKey,
  peerNameOf,
  privateKeyToPem,
} from '@testudo/x509';
import { Failure, messageOf, readableReason } from '../failure.ts';
import {
  type AuthorityRole,
  authorityFiles,
  createAuthorities,
  hasAuthority,
  type NewAuthority,
  openIssuingAuthority,
} from './authority-folder.ts';
import type { CertificateFiles } from './certificate-files.ts';
import { makePrivateFolder, writeNewPrivateFile, writePublicFile } from './private-files.ts';

export { authorityFiles } from './authority-folder.ts';

/** Days before its end at which a certificate of the local CA is issued again. */
const RENEW_BEFORE = 14;
const DAY = 86_400_000;

/** The CA in a data folder, and the files it keeps there. */
export class LocalAuthority {
  readonly folder: string;
  /** The one that issues. */
  readonly authority: CertificateAuthority;
  /** Whether an intermediate issues. */
  readonly role: AuthorityRole;

  private constructor(
    folder: string,
    { authority, role }: { authority: CertificateAuthority; role: AuthorityRole },
  ) {
    this.folder = folder;
    this.authority = authority;
    this.role = role;
  }

  /** Opens the CA of a data folder. Throws a `Failure` when there is none, or when it cannot be used. */
  static open(folder: string): LocalAuthority {
    return new LocalAuthority(folder, openIssuingAuthority(folder));
  }

  /** Makes a CA. Throws a `Failure` when there is one already: its key is never overwritten. */
  static create(
    folder: string,
    commonName: string = localName('CA'),
    request: NewAuthority = {},
  ): LocalAuthority {
    return new LocalAuthority(folder, createAuthorities(folder, commonName, request));
  }

  /** The CA of a data folder, made if there is none. */
  static openOrCreate(folder: string): { local: LocalAuthority; isNew: boolean } {
    if (hasAuthority(folder)) return { local: LocalAuthority.open(folder), isNew: false };
    return { local: LocalAuthority.create(folder), isNew: true };
  }

  /** The root's certificate: what clients have to trust. */
  get certificateFile(): string {
    return authorityFiles(this.folder).certificate;
  }

  /**
   * The files of a server certificate for `names`, issued anew when there is none, when the CA is another one, or
   * when it is about to expire. Its key stays the same.
   */
  certificateFor(names: readonly string[]): CertificateFiles {
    const base = join(this.folder, 'certificates', fileNameFor(names));
    const files = { certificate: `${base}.pem`, key: `${base}-key.pem` };
    if (!this.#isUsable(files, names)) this.#issue(files, names);
    return files;
  }

  #isUsable(files: CertificateFiles, names: readonly string[]): boolean {
    if (!existsSync(files.certificate) || !existsSync(files.key)) return false;
    try {
      const [leaf] = parseCertificates(readFileSync(files.certificate)) as [Certificate];
      const issuer = this.authority.certificate;
      return (
        leaf.notAfter.getTime() - Date.now() > RENEW_BEFORE * DAY &&
        leaf.issuer.equals(issuer.subject) &&
        signedBy(leaf, issuer) &&
        names.every((name) => isFor(leaf, name))
      );
    } catch {
      return false;
    }
  }

  #issue(files: CertificateFiles, names: readonly string[]): void {
    makePrivateFolder(join(this.folder, 'certificates'));
    let publicKey: ReturnType<typeof parsePrivateKey>['publicKey'] | undefined;
    try {
      if (existsSync(files.key)) publicKey = parsePrivateKey(readFileSync(files.key), nodeCrypto).publicKey;
    } catch (error) {
      throw new Failure(
        `cannot use ${files.key}: ${readableReason(error)}. Move it away, and a new one will be made.`,
        1,
        error,
      );
    }
    let issued: ReturnType<CertificateAuthority['issue']>;
    try {
      issued = this.authority.issue({ purpose: 'server', names, publicKey });
    } catch (error) {
      throw new Failure(`cannot issue a certificate for ${names.join(', ')}: ${messageOf(error)}`, 1, error);
    }
    if (issued.privateKey !== undefined) writeNewPrivateFile(files.key, privateKeyToPem(issued.privateKey));
    writePublicFile(files.certificate, certificateToPem(...issued.certificateChain));
  }
}

/** One file for each set of names: listeners with different ones do not take each other's away. */
function fileNameFor(names: readonly string[]): string {
  const [first, ...others] = names as [string, ...string[]];
  if (others.length === 0) return fileNameOf(first);
  const mark = createHash('sha256').update(JSON.stringify(names.toSorted())).digest('hex').slice(0, 8);
  return `${fileNameOf(first)}+${others.length}-${mark}`;
}

/** A name as a file's: wildcards and colons written out, nothing that leads elsewhere. */
export function fileNameOf(name: string): string {
  const safe = name.replace(/^\*/, '_wildcard').replace(/[^\p{L}\p{N}@._-]/gu, '_');
  return safe.replace(/^\.+/, '_').slice(0, 100);
}

/**
 * A name that no other CA has: programs that keep roots, and people who look at their lists, go by names. Where and when
 * it was made is for people, the last part for two of one day.
 */
export function localName(what: 'CA' | 'intermediate'): string {
  const birth = `${new Date().toISOString().slice(0, 10)} ${randomBytes(3).toString('hex')}`;
  // A common name has 64 characters at most (RFC 5280 §A.1).
  const host = hostname().slice(0, 64 - `Testudo local ${what} ( ${birth})`.length);
  return `Testudo local ${what} (${host} ${birth})`;
}

function isFor(leaf: Certificate, name: string): boolean {
  if (!name.startsWith('*.')) return matchesName(leaf, peerNameOf(name));
  return (leaf.extensions.subjectAltName ?? []).some(
    (presented) => presented.kind === 'dns' && presented.value.toLowerCase() === name.toLowerCase(),
  );
}

/** Two CAs may have the same name: the identifiers of their keys differ. */
function signedBy(leaf: Certificate, issuer: Certificate): boolean {
  const wanted = leaf.extensions.authorityKeyIdentifier?.keyIdentifier;
  const own = issuer.extensions.subjectKeyIdentifier;
  return wanted !== undefined && own !== undefined && Buffer.compare(wanted, own) === 0;
}
