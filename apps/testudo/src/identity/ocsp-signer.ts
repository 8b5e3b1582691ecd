import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { bytesEqual } from '@testudo/codec';
import type { PrivateKey } from '@testudo/crypto';
import { nodeCrypto } from '@testudo/crypto/node';
import {
  type Certificate,
  certificateToPem,
  type OcspSigner,
  parseCertificates,
  parsePrivateKey,
  privateKeyToPem,
} from '@testudo/x509';
import { Failure, readableReason } from '../failure.ts';
import type { FolderAuthority } from './authorities.ts';
import { isIssuedBy, keep, withDatabase } from './authority-database.ts';
import { writeNewPrivateFile, writePublicFile } from './private-files.ts';

/** Milliseconds before its end at which a responder's certificate, which is good for 30 days, is issued again. */
const RENEW_BEFORE = 7 * 86_400_000;

/**
 * A responder to which a CA of the folder delegates: `ca-ocsp.pem` and `ca-ocsp-key.pem`, made when they are missing and
 * renewed with the same key. Throws a `Failure`.
 */
export async function ocspSigner(folder: string, issuer: FolderAuthority): Promise<OcspSigner> {
  const file = join(folder, `${issuer.role}-ocsp.pem`);
  const keyFile = join(folder, `${issuer.role}-ocsp-key.pem`);
  const known = loadKey(keyFile);
  const certificate = loadCertificate(file);
  if (known !== undefined && certificate !== undefined && isGood(certificate, known, issuer))
    return { certificate, privateKey: known };
  const issued = await withDatabase(
    folder,
    issuer,
    'cannot issue the responder\u2019s certificate',
    (managed) =>
      keep(
        managed,
        managed.authority.issue({
          ...{ purpose: 'ocsp-responder', commonName: 'OCSP responder' },
          publicKey: known?.publicKey,
        }),
        'ocsp-responder',
      ),
  );
  const privateKey = known ?? issued.privateKey!;
  if (known === undefined) writeNewPrivateFile(keyFile, privateKeyToPem(privateKey));
  writePublicFile(file, certificateToPem(issued.certificate));
  return { certificate: issued.certificate, privateKey };
}

/** Whether it must be issued again. */
export function endsSoon({ notAfter }: Certificate): boolean {
  return notAfter.getTime() - Date.now() < RENEW_BEFORE;
}

function isGood(certificate: Certificate, key: PrivateKey, { authority }: FolderAuthority): boolean {
  return (
    !endsSoon(certificate) &&
    bytesEqual(certificate.spki, key.publicKey.spki) &&
    isIssuedBy(certificate, authority.certificate)
  );
}

function loadKey(file: string): PrivateKey | undefined {
  if (!existsSync(file)) return undefined;
  try {
    return parsePrivateKey(readFileSync(file), nodeCrypto);
  } catch (error) {
    throw new Failure(
      `cannot use ${file}: ${readableReason(error)}. Move it away, and a new one will be made.`,
      1,
      error,
    );
  }
}

/** One that cannot be read is issued anew. */
function loadCertificate(file: string): Certificate | undefined {
  try {
    return parseCertificates(readFileSync(file))[0];
  } catch {
    return undefined;
  }
}
