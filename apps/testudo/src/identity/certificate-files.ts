import { readFileSync } from 'node:fs';
import { bytesEqual } from '@testudo/codec';
import {
  type Certificate,
  CertificateError,
  certificateToPem,
  generalNameText,
  parseCertificates,
  privateKeyToPem,
} from '@testudo/x509';
import type { PassphraseSource } from '../config/plan.ts';
import { Failure, messageOf, systemReason } from '../failure.ts';
import { withoutByteOrderMark } from './byte-order-mark.ts';
import { openPrivateKey, PASSPHRASE_HINTS } from './passphrase.ts';

export interface CertificateFiles {
  /** PEM: the certificate, then the intermediates. */
  readonly certificate: string;
  /** PEM: PKCS#8, SEC 1 or PKCS#1. */
  readonly key: string;
  /** Of an encrypted key. */
  readonly passphrase?: PassphraseSource | undefined;
}

/** A certificate with its key, checked, in the form that a secure context takes. */
export interface Identity {
  readonly files: CertificateFiles;
  /** The leaf first. */
  readonly chain: readonly Certificate[];
  readonly certificatePem: string;
  readonly keyPem: string;
}

/** Reads a certificate and its key. Throws a `Failure` that names the file and what is wrong with it. */
export function loadIdentity(
  files: CertificateFiles,
  passphraseHint: string = PASSPHRASE_HINTS.configuration,
): Identity {
  const chain = loadCertificates(files.certificate);
  const key = reading(files.key, 'private key', (content) =>
    openPrivateKey(content, files.key, files.passphrase, passphraseHint),
  );
  const leaf = chain[0]!;
  if (!bytesEqual(leaf.spki, key.publicKey.spki)) {
    const own = chain.findIndex(({ spki }) => bytesEqual(spki, key.publicKey.spki));
    if (own !== -1)
      throw new Failure(
        `${files.certificate}: the certificates are in the wrong order: the one for the key ${files.key} has to come first, then the intermediates`,
      );
    throw new Failure(
      `${files.key}: this key does not belong to the certificate in ${files.certificate}: give the key it was issued for`,
    );
  }
  return {
    files,
    chain,
    certificatePem: certificateToPem(...chain),
    keyPem: privateKeyToPem(key),
  };
}

/** Certificates of a PEM or DER file. Throws a `Failure`. */
export function loadCertificates(file: string): Certificate[] {
  return reading(file, 'certificate', parseCertificates);
}

/** The DNS names and addresses in a certificate, as texts. */
export function namesIn(certificate: Certificate): string[] {
  return (certificate.extensions.subjectAltName ?? [])
    .filter(({ kind }) => kind === 'dns' || kind === 'ip')
    .map((name) => generalNameText(name).replace(/^(DNS|IP):/, ''));
}

function reading<T>(file: string, what: string, parse: (content: Uint8Array) => T): T {
  let content: Uint8Array;
  try {
    content = withoutByteOrderMark(readFileSync(file));
  } catch (error) {
    throw new Failure(`${file}: cannot read the ${what}: ${systemReason(error)}`, 1, error);
  }
  try {
    return parse(content);
  } catch (error) {
    if (error instanceof Failure) throw error;
    const reason = error instanceof CertificateError ? error.message : messageOf(error);
    throw new Failure(`${file}: cannot use the ${what}: ${reason}`, 1, error);
  }
}
