import type { PrivateKey } from '@testudo/crypto';
import { nodeCrypto } from '@testudo/crypto/node';
import { CertificateError, parsePrivateKey } from '@testudo/x509';
import type { PassphraseSource } from '../config/plan.ts';
import { EXIT, Failure, messageOf } from '../failure.ts';
import { firstLineOf, readPasswordFile } from './password.ts';

/** How to say where the passphrase is, in the place that names the key. */
export const PASSPHRASE_HINTS = {
  configuration: 'passphraseFile: or passphraseEnv:',
  flags: '--passphrase-file or --passphrase-env',
  localAuthority: 'TESTUDO_CA_PASSPHRASE_FILE or TESTUDO_CA_PASSPHRASE in the environment',
} as const;

/** Of what a user has said in two options, at most one. Throws a `Failure`. */
export function passphraseSource(
  file: string | undefined,
  name: string | undefined,
  hint: string,
): PassphraseSource | undefined {
  if (file !== undefined && name !== undefined)
    throw new Failure(`a passphrase comes from one place: give one of ${hint}`, EXIT.usage);
  if (file !== undefined) return { kind: 'file', file };
  return name === undefined ? undefined : { kind: 'environment', name };
}

/** The passphrase. Throws a `Failure` when there is none. */
export function readPassphrase(source: PassphraseSource): string {
  if (source.kind === 'file') return firstLineOf(readPasswordFile(source.file), source.file);
  const value = process.env[source.name];
  if (value !== undefined && value !== '') return value;
  throw new Failure(
    `${source.name}: this variable of the environment is ${value === undefined ? 'not set' : 'empty'}: it should hold a passphrase`,
    EXIT.usage,
  );
}

/**
 * The private key in what was read from `file`. Throws a `Failure` for one that is encrypted and has no passphrase, or
 * another one, and a {@link CertificateError} for any other.
 * @param hint how the passphrase can be given.
 */
export function openPrivateKey(
  content: Uint8Array,
  file: string,
  source: PassphraseSource | undefined,
  hint: string,
): PrivateKey {
  const password = source && readPassphrase(source);
  try {
    return parsePrivateKey(content, nodeCrypto, { password });
  } catch (error) {
    throw passphraseFailure(error, file, source, hint) ?? error;
  }
}

/** What a user can do about an encrypted key that does not open; undefined for any other error. */
export function passphraseFailure(
  error: unknown,
  file: string,
  source: PassphraseSource | undefined,
  hint: string,
): Failure | undefined {
  if (!(error instanceof CertificateError)) return undefined;
  if (error.code === 'encrypted-key')
    return new Failure(
      `${file}: the private key is encrypted: give its passphrase with ${hint}, or decrypt it first: openssl pkey -in ${file} -out plain.pem`,
      1,
      error,
    );
  if (error.code !== 'wrong-password' || source === undefined) return undefined;
  const where = source.kind === 'file' ? source.file : `the variable ${source.name}`;
  return new Failure(
    `${file}: the passphrase in ${where} does not open this private key: it is the wrong one, or the key was altered`,
    1,
    messageOf(error),
  );
}
