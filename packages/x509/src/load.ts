import { ascii, DecodeError, DerReader, decodeDer, decodePem, der, type PemBlock, Tag } from '@testudo/codec';
import type { CryptoProvider, PrivateKey } from '@testudo/crypto';
import { Certificate } from './certificate.ts';
import { CertificateError } from './errors.ts';
import { KeyOid } from './oids.ts';
import { decryptPkcs8, decryptTraditional, importPkcs8 } from './pkcs12/encrypted-key.ts';
import { PasswordForms } from './pkcs12/password-forms.ts';
import { type PasswordLimits, PasswordWork } from './pkcs12/password-work.ts';

/**
 * Certificates of a PEM text with one or many, in order, or of one DER certificate. Other PEM blocks are skipped.
 * Throws {@link CertificateError} `malformed`, also when there is none.
 */
export function parseCertificates(input: string | Uint8Array): Certificate[] {
  const blocks = pemBlocks(input);
  if (blocks === undefined) return [Certificate.parse(input as Uint8Array)];
  const certificates = blocks
    // RFC 7468 §5.1: parsers may take the two old labels.
    .filter(({ label }) => /^(X509 |X\.509 )?CERTIFICATE$/.test(label))
    .map(({ bytes }) => Certificate.parse(bytes));
  if (certificates.length === 0)
    throw new CertificateError('malformed', `no CERTIFICATE block in the PEM text${found(blocks)}`);
  return certificates;
}

/**
 * A private key: PKCS#8, SEC 1 (`EC PRIVATE KEY`) or PKCS#1 (`RSA PRIVATE KEY`); PEM or DER. In a PEM text with
 * several blocks, the first private key counts. Encrypted ones (PKCS#8 with PBKDF2, scrypt or 3DES, and OpenSSL's
 * old format) need a password. Throws {@link CertificateError} `malformed`, `unsupported-algorithm`, `encrypted-key`
 * when a password is missing, `wrong-password`, or `budget-exceeded` when trying it would take too long.
 */
export function parsePrivateKey(
  input: string | Uint8Array,
  provider: CryptoProvider,
  options: PrivateKeyOptions = {},
): PrivateKey {
  const blocks = pemBlocks(input);
  const decrypt = (bytes: Uint8Array): Uint8Array => {
    if (options.password === undefined) throw encryptedKey();
    return decryptPkcs8(
      bytes,
      PasswordForms.of(options.password),
      provider,
      new PasswordWork(options.limits),
    );
  };
  if (blocks === undefined) return importPkcs8(toPkcs8(input as Uint8Array, decrypt), provider);
  const block = blocks.find(({ label }) => label === 'PRIVATE KEY' || label.endsWith(' PRIVATE KEY'));
  if (block === undefined)
    throw new CertificateError('malformed', `no PRIVATE KEY block in the PEM text${found(blocks)}`);
  if (!block.headers.get('Proc-Type')?.includes('ENCRYPTED'))
    return importPkcs8(toPkcs8(block.bytes, decrypt), provider);
  if (options.password === undefined) throw encryptedKey();
  return importPkcs8(toPkcs8(decryptTraditional(block, options.password, provider), decrypt), provider);
}

export interface PrivateKeyOptions {
  /** Of an encrypted key. Default: none, an encrypted key is refused. */
  readonly password?: string | undefined;
  /** Limits on the work that a password costs. */
  readonly limits?: PasswordLimits | undefined;
}

/** Blocks of a PEM text, also one given as bytes; undefined for DER. */
function pemBlocks(input: string | Uint8Array): PemBlock[] | undefined {
  // Every DER structure here is a SEQUENCE, and `0` is its tag: a text starting so is told apart by its BEGIN line.
  const isDer =
    typeof input !== 'string' &&
    input[0] === Tag.sequence &&
    !ascii(input.subarray(0, 4096)).includes('-----BEGIN ');
  if (isDer) return undefined;
  try {
    return decodePem(typeof input === 'string' ? input : ascii(input));
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw new CertificateError('malformed', `the PEM text is malformed: ${error.message}`, undefined, error);
  }
}

/** The three structures differ in what follows the version: RFC 5208 §5, RFC 5915 §3, RFC 8017 §A.1.2. */
function toPkcs8(bytes: Uint8Array, decrypt: (encrypted: Uint8Array) => Uint8Array): Uint8Array {
  try {
    return decodeDer(bytes, (reader) => {
      const whole = new DerReader(bytes).whole(Tag.sequence);
      const inner = reader.enter(Tag.sequence);
      if (inner.peek() === Tag.sequence) return decrypt(whole);
      const version = inner.smallInteger(3);
      if (inner.peek() === Tag.sequence) return whole;
      if (inner.peek() === Tag.integer && version === 0)
        return wrap(der.sequence(der.oid(KeyOid.rsa), der.nullValue()), whole);
      if (inner.peek() === Tag.octetString && version === 1) {
        inner.octetString();
        const parameters = inner.explicit(0, (explicit) => explicit.whole());
        if (parameters === undefined)
          throw inner.error('bad-value', 'an EC PRIVATE KEY that does not name its curve');
        return wrap(der.sequence(der.oid(KeyOid.ec), parameters), whole);
      }
      throw inner.error('bad-value', 'not PKCS#8, SEC 1 or PKCS#1');
    });
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw new CertificateError('malformed', `not a private key: ${error.message}`, undefined, error);
  }
}

function wrap(algorithm: Uint8Array, key: Uint8Array): Uint8Array {
  return der.sequence(der.integer(0), algorithm, der.octetString(key));
}

function encryptedKey(): CertificateError {
  return new CertificateError(
    'encrypted-key',
    'the private key is encrypted; give its password, or decrypt it first: openssl pkey -in key.pem -out plain.pem',
  );
}

function found(blocks: readonly PemBlock[]): string {
  return blocks.length === 0
    ? '; it has no block at all'
    : `; it has ${blocks.map(({ label }) => label).join(', ')}`;
}
