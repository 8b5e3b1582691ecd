import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { nodeCrypto } from '@testudo/crypto/node';
import {
  AuthorityError,
  type Certificate,
  type CertificateAuthority,
  type CertificateDatabase,
  CertificateError,
  type CertificatePurpose,
  type IssuedCertificate,
  ManagedAuthority,
  parseCertificates,
  serialKey,
  signatureAlgorithmOf,
  TrustStore,
  verifyCertificate,
} from '@testudo/x509';
import { JsonCertificateDatabase } from '@testudo/x509/node';
import { Failure, readableReason, systemReason } from '../failure.ts';
import { type AuthorityRole, databaseFile } from './authority-folder.ts';
import { withLock } from './file-lock.ts';

/**
 * A CA of a data folder with what it remembers, for one change: no other process changes it meanwhile. What cannot be done
 * becomes a `Failure` that begins with `what`.
 */
export async function withDatabase<T>(
  folder: string,
  { role, authority }: { readonly role: AuthorityRole; readonly authority: CertificateAuthority },
  what: string,
  work: (managed: ManagedAuthority) => Promise<T>,
): Promise<T> {
  const file = databaseFile(folder, role);
  return withLock(file, async () => {
    const database = await openDatabase(file);
    try {
      await adopt(database, authority.certificate, folder);
      return await work(new ManagedAuthority(authority, database));
    } catch (error) {
      // A disk that is full, or may not be written.
      const { syscall, path = file } = error as NodeJS.ErrnoException;
      if (syscall !== undefined) throw new Failure(`${what}: ${path}: ${systemReason(error)}`, 1, error);
      const isExpected =
        error instanceof CertificateError || error instanceof AuthorityError || error instanceof RangeError;
      if (!isExpected) throw error;
      throw new Failure(`${what}: ${error.message}`, 1, error);
    }
  });
}

/** The database of a CA. Throws a `Failure`. */
export async function openDatabase(file: string): Promise<JsonCertificateDatabase> {
  try {
    return await JsonCertificateDatabase.open(file);
  } catch (error) {
    throw new Failure(`cannot use ${file}: ${readableReason(error)}`, 1, error);
  }
}

/** A certificate that this CA issued is remembered from now on, if it was not before. */
export async function remember(database: CertificateDatabase, certificate: Certificate): Promise<void> {
  if ((await database.get(serialKey(certificate.serialNumber))) === undefined)
    await database.add({ certificate });
}

/** Whether this very CA signed the certificate; whether that is valid now does not matter. */
export function isIssuedBy(certificate: Certificate, issuer: Certificate): boolean {
  if (!certificate.issuer.equals(issuer.subject)) return false;
  const { tbs, signature, signatureAlgorithm } = certificate;
  const verdict = signatureAlgorithmOf(signatureAlgorithm);
  return (
    verdict.kind === 'supported' &&
    nodeCrypto.verify(verdict.algorithm, issuer.publicKey(nodeCrypto), tbs, signature)
  );
}

/**
 * Remembers a new certificate, unless it would not verify: a CA that is limited to names can sign others, but nobody takes
 * them. Throws {@link CertificateError}.
 */
export async function keep(
  { authority, database }: ManagedAuthority,
  issued: IssuedCertificate,
  purpose: CertificatePurpose | 'any',
): Promise<IssuedCertificate> {
  verifyCertificate({
    provider: nodeCrypto,
    chain: [issued.certificate],
    trust: new TrustStore([authority.certificate]),
    at: new Date(),
    purpose: purpose === 'ocsp-responder' ? 'ocspSigning' : purpose,
  });
  await database.add({ certificate: issued.certificate });
  return issued;
}

/** The certificates that the gateway keeps are the CA's, too, but it issues them on its own. */
async function adopt(database: CertificateDatabase, issuer: Certificate, folder: string): Promise<void> {
  for (const certificate of kept(join(folder, 'certificates')))
    if (
      (await database.get(serialKey(certificate.serialNumber))) === undefined &&
      isIssuedBy(certificate, issuer)
    )
      await database.add({ certificate });
}

/** The leaf of each file; what is none is left alone. */
function kept(folder: string): Certificate[] {
  let names: string[];
  try {
    names = readdirSync(folder).filter((name) => name.endsWith('.pem') && !name.endsWith('-key.pem'));
  } catch {
    return [];
  }
  return names.flatMap((name) => {
    try {
      return parseCertificates(readFileSync(join(folder, name))).slice(0, 1);
    } catch {
      return [];
    }
  });
}
