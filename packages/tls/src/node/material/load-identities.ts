import { createPrivateKey, X509Certificate } from 'node:crypto';
import { bytesEqual } from '@testudo/codec';
import type { PrivateKey } from '@testudo/crypto';
import { systemCrypto } from '@testudo/crypto/openssl';
import { type Certificate, CertificateError, parsePrivateKey } from '@testudo/x509';
import type { SecureContextOptions } from '../context/context-options.ts';
import { checkString, checkTextOrBytes } from '../errors/arguments.ts';
import { opensslError } from '../errors/openssl-errors.ts';
import { certificateIn, trustedCertificateIn } from './certificate-block.ts';
import { bytesOf, isUnreadable, PemError, PemReader } from './openssl-pem.ts';

type Pem = string | NodeJS.ArrayBufferView;

/** A key with its certificate, and those that were given along with it. */
export interface OwnIdentity {
  readonly leaf: Certificate;
  /** DER; what to send after the leaf. Empty: what can be found among the CAs. */
  readonly others: readonly Uint8Array[];
  readonly privateKey: PrivateKey;
}

/**
 * The options `cert` and `key`, as OpenSSL takes them: there is one place for each kind of key, and what comes later
 * replaces what was there. A certificate without its key, or the other way round, is of no use and no error.
 * Throws for what cannot be read, or does not belong together.
 */
export function loadIdentities(options: SecureContextOptions): Places {
  const places = new Places();
  for (const input of dense(options.cert)) {
    checkTextOrBytes('options.cert', input);
    const { leaf, others } = loadChain(input as Pem);
    places.setChain(leaf, others);
  }
  const isList = Array.isArray(options.key);
  for (const input of listOf(options.key) as (Pem | KeyWithPassphrase | undefined)[]) {
    const pair = isList ? (input as KeyWithPassphrase | null | undefined) : undefined;
    const pem = pair?.pem !== undefined ? pair.pem : (input as Pem);
    const passphrase = pair?.passphrase !== undefined ? pair.passphrase : options.passphrase;
    checkTextOrBytes('options.key', pem);
    if (passphrase !== undefined && passphrase !== null) checkString('options.passphrase', passphrase);
    if (!places.setKey(loadKey(pem, passphrase)))
      throw opensslError('key values mismatch', undefined, 'x509 certificate routines');
  }
  return places;
}

/** The certificates of `ca`: what is none is passed over. Undefined when the option was not given. */
export function loadAuthorities(ca: SecureContextOptions['ca']): Certificate[] | undefined {
  return ca ? dense(ca).flatMap(loadTrusted) : undefined;
}

/**
 * All certificates of a PEM text, without those that only OpenSSL understands. Throws OpenSSL's error for a block that
 * cannot be read.
 */
export function loadEach(input: Pem): Certificate[] {
  const found: Certificate[] = [];
  const reader = new PemReader(input);
  try {
    for (let block = reader.next(CERTIFICATE); block !== undefined; block = reader.next(CERTIFICATE)) {
      const one = readable(block);
      if (one !== undefined) found.push(one.certificate);
    }
  } catch (error) {
    if (!isUnreadable(error)) throw error;
    const reason = error instanceof PemError ? error.message : 'ASN1 lib';
    throw opensslError(reason, error, 'PEM routines');
  }
  return found;
}

/** Keys and chains by the kind of key. */
export class Places {
  readonly #places = new Map<string, { chain?: Omit<OwnIdentity, 'privateKey'>; privateKey?: PrivateKey }>();

  setChain(leaf: Certificate, others: readonly Uint8Array[]): void {
    this.#at(kindOf(leaf)).chain = { leaf, others };
  }

  /** False where the certificate in this place belongs to another key. */
  setKey(privateKey: PrivateKey): boolean {
    const place = this.#at(privateKey.kind.type);
    if (place.chain !== undefined && !hasKey(place.chain.leaf, privateKey)) return false;
    place.privateKey = privateKey;
    return true;
  }

  set({ leaf, others, privateKey }: OwnIdentity): void {
    this.#places.set(kindOf(leaf), { chain: { leaf, others }, privateKey });
  }

  get identities(): readonly OwnIdentity[] {
    return [...this.#places.values()].flatMap(({ chain, privateKey }) =>
      chain !== undefined && privateKey !== undefined ? [{ ...chain, privateKey }] : [],
    );
  }

  #at(kind: string): { chain?: Omit<OwnIdentity, 'privateKey'>; privateKey?: PrivateKey } {
    const known = this.#places.get(kind);
    if (known !== undefined) return known;
    const place = {};
    this.#places.set(kind, place);
    return place;
  }
}

interface KeyWithPassphrase {
  readonly pem?: Pem;
  readonly passphrase?: string;
}

/** However each of the two writes it. */
export function hasKey(certificate: Certificate, { publicKey }: PrivateKey): boolean {
  try {
    return bytesEqual(certificate.publicKey(systemCrypto()).spki, publicKey.spki);
  } catch (error) {
    if (error instanceof CertificateError) return false;
    throw error;
  }
}

function kindOf(leaf: Certificate): string {
  try {
    return leaf.publicKey(systemCrypto()).kind.type;
  } catch (error) {
    // Of no use without a key, which cannot be read either.
    if (error instanceof CertificateError) return 'unknown';
    throw error;
  }
}

function loadChain(input: Pem): Omit<OwnIdentity, 'privateKey'> {
  const reader = new PemReader(input);
  const first = reader.next(TRUSTED);
  if (first === undefined) throw new PemError('no start line');
  const { certificate: leaf } = trustedCertificateIn(first);
  const others: Uint8Array[] = [];
  for (let block = reader.next(CERTIFICATE); block !== undefined; block = reader.next(CERTIFICATE)) {
    others.push(certificateIn(block).der);
  }
  return { leaf, others };
}

/** As OpenSSL, it ends where something under the right label cannot be read. */
function loadTrusted(input: unknown): Certificate[] {
  checkTextOrBytes('options.ca', input);
  const found: Certificate[] = [];
  const reader = new PemReader(input as Pem);
  try {
    for (let block = reader.next(TRUSTED); block !== undefined; block = reader.next(TRUSTED)) {
      const one = readable(block);
      if (one?.isRejected === false) found.push(one.certificate);
    }
  } catch (error) {
    if (!isUnreadable(error)) throw error;
  }
  return found;
}

/** Undefined for what only OpenSSL understands: a CA that we cannot read is one that we do not trust. */
function readable(block: Uint8Array): ReturnType<typeof trustedCertificateIn> | undefined {
  try {
    const read = trustedCertificateIn(block);
    // Names are parsed on first use.
    return read.certificate.subject.key === '' ? undefined : read;
  } catch (error) {
    if (!isUnreadable(error) || !isCertificateForNode(block)) throw error;
    return undefined;
  }
}

function isCertificateForNode(der: Uint8Array): boolean {
  try {
    return new X509Certificate(der).raw.length > 0;
  } catch {
    return false;
  }
}

/** What `-----BEGIN …-----` may say. RFC 7468 §5.1 has another old one, which OpenSSL does not know. */
const CERTIFICATE = ['CERTIFICATE', 'X509 CERTIFICATE'];
const TRUSTED = [...CERTIFICATE, 'TRUSTED CERTIFICATE'];

/**
 * Older versions of Node leave errors of something else in OpenSSL's queue, such as a context whose `ecdhCurve` is unknown, and
 * then take them for one of this key. A failure empties the queue.
 */
function afterOthers<T>(act: () => T): T {
  try {
    return act();
  } catch {
    return act();
  }
}

/** By way of OpenSSL, which finds the key among other blocks, in all forms of before PKCS#8, and decrypts it. */
function loadKey(pem: Pem, passphrase: string | undefined): PrivateKey {
  const input = { key: bytesOf(pem), format: 'pem', passphrase: passphrase ?? '' } as const;
  const key = afterOthers(() => createPrivateKey(input));
  const pkcs8 = key.export({ format: 'der', type: 'pkcs8' });
  try {
    return parsePrivateKey(pkcs8, systemCrypto());
  } finally {
    pkcs8.fill(0);
  }
}

/** As Node's `forEach`, which knows no holes. */
function dense(value: unknown): readonly unknown[] {
  return listOf(value).filter(() => true);
}

function listOf(value: unknown): readonly unknown[] {
  if (!value) return [];
  return Array.isArray(value) ? value : [value];
}
