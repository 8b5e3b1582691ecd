import { readFileSync, statSync } from 'node:fs';
import { ascii, DecodeError, decodeDer, decodePem, type PemBlock, Tag } from '@testudo/codec';
import type { PrivateKey, PublicKey } from '@testudo/crypto';
import { nodeCrypto } from '@testudo/crypto/node';
import {
  Certificate,
  CertificateError,
  CertificateRevocationList,
  CertificationRequest,
  type Pkcs12Contents,
  parsePkcs12,
  parsePrivateKey,
} from '@testudo/x509';
import { EXIT, Failure, systemReason } from '../failure.ts';

/** One thing in a file of certificates, keys and lists. */
export type IdentityItem =
  | { readonly kind: 'certificate'; readonly certificate: Certificate }
  | { readonly kind: 'request'; readonly request: CertificationRequest }
  | { readonly kind: 'crl'; readonly crl: CertificateRevocationList }
  | { readonly kind: 'private-key'; readonly key: PrivateKey; readonly encrypted: boolean }
  | { readonly kind: 'public-key'; readonly key: PublicKey }
  | { readonly kind: 'pkcs12'; readonly contents: Pkcs12Contents }
  /** A PEM block that is none of these, or cannot be read. */
  | { readonly kind: 'other'; readonly label: string; readonly problem: string | undefined };

/** Asks for the password of what is encrypted. */
export type AskPassword = () => Promise<string>;

/** Longest file that is read, in bytes: CRLs can be large. */
const LONGEST = 64 * 1024 * 1024;
/** PEM blocks that are looked at. */
const MOST_BLOCKS = 1000;

/** What is in a file, PEM or DER. Throws a `Failure` when it is nothing of the kind. */
export async function readIdentityFile(file: string, askPassword: AskPassword): Promise<IdentityItem[]> {
  const bytes = readBytes(file);
  try {
    if (!ascii(bytes.subarray(0, 65_536)).includes('-----BEGIN ')) return [await readDer(bytes, askPassword)];
    const blocks = decodePem(ascii(bytes));
    const items: IdentityItem[] = [];
    for (const block of blocks.slice(0, MOST_BLOCKS))
      items.push(await readBlock(block, bytes, blocks.length, askPassword));
    return items;
  } catch (error) {
    if (!(error instanceof CertificateError) && !(error instanceof DecodeError)) throw error;
    throw new Failure(`${file}: ${error.message}`, EXIT.refused, error);
  }
}

function readBytes(file: string): Uint8Array {
  try {
    const { size } = statSync(file);
    if (size > LONGEST) throw new Failure(`${file}: ${size} bytes are too many for a certificate or list`);
    return new Uint8Array(readFileSync(file));
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw new Failure(`${file}: cannot read it: ${systemReason(error)}`, EXIT.refused, error);
  }
}

async function readBlock(
  block: PemBlock,
  whole: Uint8Array,
  count: number,
  askPassword: AskPassword,
): Promise<IdentityItem> {
  const { label, bytes } = block;
  try {
    if (/^(X509 |X\.509 )?CERTIFICATE$/.test(label))
      return { kind: 'certificate', certificate: Certificate.parse(bytes) };
    if (/^(NEW )?CERTIFICATE REQUEST$/.test(label))
      return { kind: 'request', request: CertificationRequest.parse(bytes) };
    if (label === 'X509 CRL') return { kind: 'crl', crl: CertificateRevocationList.parse(bytes) };
    if (label === 'PUBLIC KEY') return { kind: 'public-key', key: nodeCrypto.importPublicKey(bytes) };
    if (label.endsWith('PRIVATE KEY')) return await readPrivateKey(block, whole, count, askPassword);
    return { kind: 'other', label, problem: undefined };
  } catch (error) {
    // A wrong password is for the whole run; what cannot be read is told in its place among the others.
    if (error instanceof Failure || (error instanceof CertificateError && error.code === 'wrong-password'))
      throw error;
    if (count === 1 && error instanceof CertificateError) throw error;
    return { kind: 'other', label, problem: (error as Error).message };
  }
}

/** OpenSSL's old encryption stands in the block's headers, so that the text itself is read again. */
async function readPrivateKey(
  { bytes, headers }: PemBlock,
  whole: Uint8Array,
  count: number,
  askPassword: AskPassword,
): Promise<IdentityItem> {
  const isOld = headers.get('Proc-Type')?.includes('ENCRYPTED') === true;
  if (isOld && count > 1)
    throw new CertificateError(
      'encrypted-key',
      'a key in OpenSSL\u2019s old encryption: put it in a file of its own',
    );
  return readKey(isOld ? whole : bytes, askPassword);
}

async function readKey(input: Uint8Array, askPassword: AskPassword): Promise<IdentityItem> {
  try {
    return { kind: 'private-key', key: parsePrivateKey(input, nodeCrypto), encrypted: false };
  } catch (error) {
    if (!(error instanceof CertificateError) || error.code !== 'encrypted-key') throw error;
    const password = await askPassword();
    return { kind: 'private-key', key: parsePrivateKey(input, nodeCrypto, { password }), encrypted: true };
  }
}

/** DER does not say what it is: what it can be read as, in the order of how often one meets it. */
async function readDer(bytes: Uint8Array, askPassword: AskPassword): Promise<IdentityItem> {
  const kinds: readonly (() => IdentityItem | Promise<IdentityItem>)[] = [
    () => ({ kind: 'certificate', certificate: Certificate.parse(bytes) }),
    () => ({ kind: 'crl', crl: CertificateRevocationList.parse(bytes) }),
    () => ({ kind: 'request', request: CertificationRequest.parse(bytes) }),
    () => readKey(bytes, isEncryptedKey(bytes) ? askPassword : notAKey),
    () => ({ kind: 'public-key', key: nodeCrypto.importPublicKey(bytes) }),
    () => readPkcs12(bytes, askPassword),
  ];
  let first: Error | undefined;
  for (const read of kinds) {
    try {
      return await read();
    } catch (error) {
      if (error instanceof Failure) throw error;
      // With a password it was recognized: whatever is wrong then is wrong with it.
      const code = error instanceof CertificateError ? error.code : undefined;
      if (code === 'wrong-password' || code === 'budget-exceeded') throw error;
      first ??= error as Error;
    }
  }
  throw new CertificateError(
    'malformed',
    `neither a certificate, request, CRL, key nor PKCS#12 file, in PEM or DER (${first?.message}); is it the right file?`,
  );
}

/** EncryptedPrivateKeyInfo (RFC 5958 §3): nobody is asked for a password of what is none. */
function isEncryptedKey(bytes: Uint8Array): boolean {
  try {
    return decodeDer(bytes, (reader) =>
      reader.sequence((info) => {
        info.whole(Tag.sequence);
        return info.octetString().length > 0;
      }),
    );
  } catch {
    return false;
  }
}

function notAKey(): never {
  throw new CertificateError('malformed', 'not a private key');
}

/** Many are made without a password, some with an empty one; both open with the empty one. */
async function readPkcs12(bytes: Uint8Array, askPassword: AskPassword): Promise<IdentityItem> {
  try {
    return { kind: 'pkcs12', contents: parsePkcs12(bytes, { provider: nodeCrypto, password: '' }) };
  } catch (error) {
    if (!(error instanceof CertificateError) || error.code !== 'wrong-password') throw error;
  }
  const password = await askPassword();
  return { kind: 'pkcs12', contents: parsePkcs12(bytes, { provider: nodeCrypto, password }) };
}
