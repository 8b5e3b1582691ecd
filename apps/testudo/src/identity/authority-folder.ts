import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { KeySpec } from '@testudo/crypto';
import { nodeCrypto } from '@testudo/crypto/node';
import {
  type CertificateAuthority,
  certificateToPem,
  createCertificateAuthority,
  loadCertificateAuthority,
  type Publication,
  privateKeyToEncryptedPem,
  privateKeyToPem,
  type SubjectAttributes,
} from '@testudo/x509';
import { z } from 'zod';
import type { PassphraseSource } from '../config/plan.ts';
import { Failure, messageOf, readableReason } from '../failure.ts';
import { day } from '../output/text.ts';
import type { CertificateFiles } from './certificate-files.ts';
import { mendGroup, type NewFile, writeGroup } from './file-group.ts';
import { PASSPHRASE_HINTS, passphraseFailure, passphraseSource, readPassphrase } from './passphrase.ts';
import { makePrivateFolder } from './private-files.ts';

/** The root of a data folder, or the intermediate below it, which then issues. */
export type AuthorityRole = 'ca' | 'intermediate';

/** The files of a CA in a data folder: `ca.pem` and `ca-key.pem`. */
export function authorityFiles(folder: string, role: AuthorityRole = 'ca'): CertificateFiles {
  return { certificate: join(folder, `${role}.pem`), key: join(folder, `${role}-key.pem`) };
}

/** What a CA issued and revoked. */
export function databaseFile(folder: string, role: AuthorityRole): string {
  return join(folder, `${role}-database.json`);
}

/** How a new CA is to be; everything has a default. */
export interface NewAuthority {
  readonly subject?: Omit<SubjectAttributes, 'commonName'> | undefined;
  readonly key?: KeySpec | undefined;
  readonly days?: number | undefined;
  /** CAs allowed below the root. */
  readonly pathLength?: number | undefined;
  /** Stands in both: whoever trusts the root trusts it for these names only. */
  readonly nameConstraints?: { readonly permitted: readonly string[]; readonly excluded: readonly string[] };
  /** Its common name: then it issues, and the root's key may be moved to a safe place. */
  readonly intermediate?: string | undefined;
  /** What certificates say about where to ask. */
  readonly publication?: Publication | undefined;
}

/** The CA that issues in a data folder. Throws a `Failure` when there is none, or when it cannot be used. */
export function openIssuingAuthority(folder: string): {
  role: AuthorityRole;
  authority: CertificateAuthority;
} {
  const role = roleIn(folder);
  const authority = loadAuthority(folder, role);
  if (authority.certificate.notAfter.getTime() < Date.now()) {
    const { certificate, key } = authorityFiles(folder, role);
    throw new Failure(
      `the CA in ${folder} expired on ${day(authority.certificate.notAfter)}: move ${certificate} and ${key} away, and a new one will be made`,
    );
  }
  return { role, authority: authority.withPublication(loadPublication(folder)) };
}

/** A CA of a data folder. Throws a `Failure`. */
export function loadAuthority(folder: string, role: AuthorityRole): CertificateAuthority {
  const { certificate, key } = authorityFiles(folder, role);
  const source = authorityPassphrase();
  try {
    return loadCertificateAuthority({
      provider: nodeCrypto,
      certificate: readFileSync(certificate),
      privateKey: readFileSync(key),
      password: source && readPassphrase(source),
    });
  } catch (error) {
    const failure = passphraseFailure(error, key, source, PASSPHRASE_HINTS.localAuthority);
    if (failure !== undefined) throw failure;
    if (error instanceof Failure) throw error;
    throw new Failure(`cannot use the CA in ${folder}: ${readableReason(error)}`, 1, error);
  }
}

/** Of the keys of a data folder's CAs, where an owner has encrypted them. */
function authorityPassphrase(): PassphraseSource | undefined {
  const { TESTUDO_CA_PASSPHRASE_FILE: file, TESTUDO_CA_PASSPHRASE: value } = process.env;
  return passphraseSource(
    file || undefined,
    value ? 'TESTUDO_CA_PASSPHRASE' : undefined,
    PASSPHRASE_HINTS.localAuthority,
  );
}

/** Which CA issues. Throws a `Failure` when there is none, or when a file of it is missing. */
function roleIn(folder: string): AuthorityRole {
  mendGroup(authorityFiles(folder).certificate);
  for (const role of ['intermediate', 'ca'] as const) {
    const { certificate, key } = authorityFiles(folder, role);
    const needed =
      role === 'intermediate' ? [certificate, key, authorityFiles(folder).certificate] : [certificate, key];
    const missing = needed.filter((file) => !existsSync(file));
    if (missing.length === 0) return role;
    if (existsSync(key) || (existsSync(certificate) && (role === 'ca' || missing[0] === key))) {
      throw new Failure(
        `the CA in ${folder} is incomplete: ${missing[0]} is missing. Put it back, or move the other file away to make a new CA.`,
      );
    }
  }
  throw new Failure(`there is no CA in ${folder}: make one with: testudo ca init --data ${folder}`);
}

/** Makes a root and, if asked for, an intermediate. Throws a `Failure`; nothing that exists is overwritten. */
export function createAuthorities(
  folder: string,
  commonName: string,
  request: NewAuthority,
): { role: AuthorityRole; authority: CertificateAuthority } {
  refuseExisting(folder);
  const { root, intermediate } = makeAuthorities(commonName, request);
  makePrivateFolder(join(folder, 'certificates'));
  // Of a CA that was here before.
  rmSync(publicationFile(folder), { force: true });
  writeGroup([
    ...(request.publication === undefined ? [] : [publicationOf(folder, request.publication)]),
    ...(intermediate === undefined ? [] : filesOf(folder, 'intermediate', intermediate)),
    ...filesOf(folder, 'ca', root),
  ]);
  const issuing = (intermediate ?? root).withPublication(request.publication ?? {});
  return { role: intermediate === undefined ? 'ca' : 'intermediate', authority: issuing };
}

/** Whether there is a CA, whole or not, after what a process that was ended left behind is gone. Throws a `Failure`. */
export function hasAuthority(folder: string): boolean {
  const { certificate, key } = authorityFiles(folder);
  mendGroup(certificate);
  return existsSync(certificate) || existsSync(key);
}

function refuseExisting(folder: string): void {
  mendGroup(authorityFiles(folder).certificate);
  for (const role of ['ca', 'intermediate'] as const) {
    const { certificate, key } = authorityFiles(folder, role);
    if (existsSync(certificate) && !existsSync(key))
      throw new Failure(
        `${certificate} exists, but its key is missing: put ${key} back, or move the certificate away`,
      );
    if (existsSync(key))
      throw new Failure(`there is already a CA in ${folder}, and its key is never overwritten`);
  }
}

function makeAuthorities(
  commonName: string,
  request: NewAuthority,
): { root: CertificateAuthority; intermediate: CertificateAuthority | undefined } {
  const { subject, key, days, pathLength, nameConstraints } = request;
  const limits = nameConstraints === undefined ? {} : { nameConstraints };
  const isAlone = request.intermediate === undefined;
  try {
    const root = createCertificateAuthority({
      ...{ provider: nodeCrypto, commonName, subject, key, days, pathLength },
      ...limits,
    });
    const intermediate = isAlone
      ? undefined
      : root.issueAuthority({ ...limits, commonName: request.intermediate!, subject, key, days });
    return { root, intermediate };
  } catch (error) {
    throw new Failure(`cannot make a CA called "${commonName}": ${messageOf(error)}`, 1, error);
  }
}

/** The key first: whoever finds the certificate also finds its key. */
function filesOf(
  folder: string,
  role: AuthorityRole,
  { certificate, privateKey }: CertificateAuthority,
): NewFile[] {
  const files = authorityFiles(folder, role);
  const passphrase = authorityPassphrase();
  const keyPem =
    passphrase === undefined
      ? privateKeyToPem(privateKey)
      : privateKeyToEncryptedPem(privateKey, readPassphrase(passphrase), nodeCrypto);
  return [
    { file: files.key, content: keyPem, isSecret: true },
    { file: files.certificate, content: certificateToPem(certificate), isSecret: false },
  ];
}

function publicationOf(folder: string, publication: Publication): NewFile {
  const content = `${JSON.stringify(publication, null, 2)}\n`;
  return { file: publicationFile(folder), content, isSecret: false };
}

/** Where the issuing CA's lists and responder are, for the certificates that it will issue. */
export function publicationFile(folder: string): string {
  return join(folder, 'publication.json');
}

const urls = z.array(z.string().regex(/^http:\/\/[!-~]+$/)).optional();
const publicationSchema = z.strictObject({ ocsp: urls, crl: urls, deltaCrl: urls, issuer: urls });

function loadPublication(folder: string): Publication {
  const file = publicationFile(folder);
  if (!existsSync(file)) return {};
  try {
    return publicationSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch (error) {
    throw new Failure(
      `cannot use ${file}: it must be JSON with lists of http: addresses under ocsp, crl, deltaCrl and issuer; mend it, or move it away`,
      1,
      error,
    );
  }
}
