import {
  bytesEqual,
  contextConstructedTag,
  contextTag,
  DecodeError,
  type DerReader,
  decodeDer,
  decodeDerString,
  Tag,
} from '@testudo/codec';
import type { CryptoProvider, PrivateKey } from '@testudo/crypto';
import { type AlgorithmIdentifier, readAlgorithm } from '../algorithm.ts';
import { Certificate } from '../certificate.ts';
import { CertificateError } from '../errors.ts';
import { decodeBer, firstValue } from './ber.ts';
import { wrongPassword } from './cbc.ts';
import { decryptPkcs8, importPkcs8 } from './encrypted-key.ts';
import { fitting, readMacData } from './integrity.ts';
import { Pkcs12Oid } from './oids.ts';
import { decryptWithPassword } from './password-encryption.ts';
import { PasswordForms } from './password-forms.ts';
import { type PasswordLimits, PasswordWork } from './password-work.ts';

export interface Pkcs12Options {
  readonly provider: CryptoProvider;
  /** Bytes are text in UTF-8, as they were typed; others are taken as Latin-1 where a text is needed. */
  readonly password: string | Uint8Array;
  /** Limits on the work that the password costs. */
  readonly limits?: PasswordLimits | undefined;
  /**
   * Whether a file without a code (MAC) over its content is refused: anybody could have changed it. Default true.
   */
  readonly requiresMac?: boolean | undefined;
  /** Whether bytes behind the structure, as copying and padding leave them, are passed over. Default false. */
  readonly allowsTrailingBytes?: boolean | undefined;
  /** How many keys are read; further ones are passed over, whatever they are. Default: all. */
  readonly maxKeys?: number | undefined;
}

/** What programs call an entry, and what ties a key to its certificate. */
export interface Pkcs12Attributes {
  readonly friendlyName: string | undefined;
  readonly localKeyId: Uint8Array | undefined;
}

export interface Pkcs12Contents {
  readonly keys: readonly (Pkcs12Attributes & { readonly privateKey: PrivateKey })[];
  readonly certificates: readonly (Pkcs12Attributes & { readonly certificate: Certificate })[];
}

/** Longest file that is read, in bytes, and most bags in it. */
export const PKCS12_LIMITS = { length: 8_388_608, bags: 4096, nesting: 4 } as const;

/**
 * Reads a PKCS#12 file (RFC 7292): keys and certificates; CRLs and secrets are skipped. Throws {@link CertificateError}:
 * `wrong-password`, `unsupported-algorithm`, `budget-exceeded` when trying the password would take too long, `malformed`.
 */
export function parsePkcs12(bytes: Uint8Array, options: Pkcs12Options): Pkcs12Contents {
  if (bytes.length > PKCS12_LIMITS.length)
    throw new CertificateError('budget-exceeded', `a PKCS#12 file of ${bytes.length} bytes`);
  try {
    return new Pkcs12Reader(options).read(bytes);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw new CertificateError('malformed', `not a PKCS#12 file: ${error.message}`, undefined, error);
  }
}

/**
 * A key of the file with its certificate and those above it, as TLS sends them: the root is left out.
 * Throws {@link CertificateError} `malformed` when no key has a certificate.
 */
export function pkcs12Identity(contents: Pkcs12Contents): {
  readonly privateKey: PrivateKey;
  readonly certificateChain: readonly Certificate[];
} {
  const certificates = contents.certificates.map(({ certificate }) => certificate);
  for (const { privateKey } of contents.keys) {
    const leaf = certificates.find(({ spki }) => bytesEqual(spki, privateKey.publicKey.spki));
    if (leaf === undefined) continue;
    const chain = [leaf];
    for (let last = leaf; !last.isSelfIssued; last = chain.at(-1)!) {
      const above = certificates.find(
        (other) => other.subject.equals(last.issuer) && !chain.includes(other) && !other.isSelfIssued,
      );
      if (above === undefined) break;
      chain.push(above);
    }
    return { privateKey, certificateChain: chain };
  }
  throw new CertificateError('malformed', 'the PKCS#12 file holds no key with its certificate');
}

class Pkcs12Reader {
  readonly #options: Pkcs12Options;
  readonly #work: PasswordWork;
  #password: PasswordForms;
  readonly #keys: (Pkcs12Attributes & { privateKey: PrivateKey })[] = [];
  readonly #certificates: (Pkcs12Attributes & { certificate: Certificate })[] = [];
  #bags = 0;

  constructor(options: Pkcs12Options) {
    this.#options = options;
    this.#work = new PasswordWork(options.limits);
    this.#password = PasswordForms.of(options.password);
  }

  /** PFX */
  read(bytes: Uint8Array): Pkcs12Contents {
    const { provider, password, requiresMac = true, allowsTrailingBytes = false } = this.#options;
    const [content, mac] = decodeBer(allowsTrailingBytes ? firstValue(bytes) : bytes, (reader) =>
      reader.sequence((pfx) => {
        const offset = pfx.offset;
        if (pfx.smallInteger(255) !== 3) throw pfx.error('bad-value', 'not version 3', offset);
        const safe = readContentInfo(pfx);
        if (safe.data === undefined)
          throw pfx.error('bad-value', 'a file that is signed, not protected by a password', offset);
        return [safe.data, pfx.remaining > 0 ? readMacData(pfx) : undefined] as const;
      }),
    );
    if (mac === undefined && requiresMac)
      throw new CertificateError('malformed', 'the PKCS#12 file has no code (MAC) that protects its content');
    const candidates = PasswordForms.candidates(password);
    const fit =
      mac === undefined ? candidates.at(-1) : fitting(mac, content, candidates, provider, this.#work);
    if (fit === undefined) throw wrongPassword();
    this.#password = fit;
    const safes = decodeBer(content, (reader) => reader.sequenceOf(readContentInfo, Tag.sequence, 64));
    for (const safe of safes) this.#readSafe(safe);
    return { keys: this.#keys, certificates: this.#certificates };
  }

  #readSafe({ data, encrypted }: ContentInfo): void {
    const { provider } = this.#options;
    if (data === undefined && encrypted === undefined)
      throw new CertificateError(
        'unsupported-algorithm',
        'the PKCS#12 file is encrypted with a public key, not with a password, which is not supported',
      );
    const plain =
      data ??
      decryptWithPassword(encrypted!.algorithm, encrypted!.ciphertext, this.#password, provider, this.#work);
    decodeBer(plain, (reader) => this.#readBags(reader, PKCS12_LIMITS.nesting));
  }

  /** SafeContents */
  #readBags(reader: DerReader, nesting: number): void {
    if (nesting === 0) throw reader.error('bad-value', 'bags nested too deep');
    reader.sequenceOf((item) => {
      if (++this.#bags > PKCS12_LIMITS.bags) throw item.error('bad-length', 'too many bags');
      item.sequence((bag) => this.#readBag(bag, nesting));
    });
  }

  #readBag(bag: DerReader, nesting: number): void {
    const { provider, maxKeys = Number.POSITIVE_INFINITY } = this.#options;
    const type = bag.oid();
    const value = bag.explicit(0, (inner) => inner.whole());
    if (value === undefined) throw bag.error('truncated', 'an empty bag');
    const attributes = readAttributes(bag);
    const isKey = type === Pkcs12Oid.keyBag || type === Pkcs12Oid.shroudedKeyBag;
    if (isKey && this.#keys.length >= maxKeys) return;
    switch (type) {
      case Pkcs12Oid.keyBag:
        this.#keys.push({ ...attributes, privateKey: importPkcs8(value, provider) });
        return;
      case Pkcs12Oid.shroudedKeyBag: {
        const pkcs8 = decryptPkcs8(value, this.#password, provider, this.#work);
        this.#keys.push({ ...attributes, privateKey: importPkcs8(pkcs8, provider) });
        pkcs8.fill(0);
        return;
      }
      case Pkcs12Oid.certBag: {
        const bytes = decodeDer(value, readCertificateBag);
        if (bytes !== undefined)
          this.#certificates.push({ ...attributes, certificate: Certificate.parse(bytes) });
        return;
      }
      case Pkcs12Oid.safeContentsBag:
        decodeDer(value, (inner) => this.#readBags(inner, nesting - 1));
    }
  }
}

interface ContentInfo {
  readonly data?: Uint8Array;
  readonly encrypted?: { readonly algorithm: AlgorithmIdentifier; readonly ciphertext: Uint8Array };
}

function readContentInfo(reader: DerReader): ContentInfo {
  return reader.sequence((info): ContentInfo => {
    const offset = info.offset;
    const type = info.oid();
    const content = info.explicit(0, (inner) => inner.whole());
    if (content === undefined) throw info.error('truncated', 'a ContentInfo without content');
    if (type === Pkcs12Oid.data) return { data: decodeDer(content, (inner) => inner.octetString()) };
    if (type === Pkcs12Oid.encryptedData) return { encrypted: decodeDer(content, readEncryptedData) };
    // Whole files that are signed, and contents that are encrypted to a key: nobody makes them.
    if (type.startsWith('1.2.840.113549.1.7.')) return {};
    throw info.error('bad-value', `a content of type ${type}`, offset);
  });
}

/** EncryptedData (RFC 5652 §8). */
function readEncryptedData(reader: DerReader): {
  algorithm: AlgorithmIdentifier;
  ciphertext: Uint8Array;
} {
  return reader.sequence((data) => {
    data.smallInteger(2);
    return data.sequence((info) => {
      info.oid();
      const algorithm = readAlgorithm(info);
      if (info.peek() !== contextConstructedTag(0))
        return { algorithm, ciphertext: info.octetString(contextTag(0)) };
      // BER: a string of one part.
      return { algorithm, ciphertext: info.read(contextConstructedTag(0), (part) => part.octetString()) };
    });
  });
}

/** The certificate's DER; undefined for an SDSI certificate, which nobody has. */
function readCertificateBag(reader: DerReader): Uint8Array | undefined {
  return reader.sequence((bag) => {
    const type = bag.oid();
    const value = bag.explicit(0, (inner) => inner.whole());
    if (value === undefined) throw bag.error('truncated', 'an empty bag');
    return type === Pkcs12Oid.x509Certificate ? decodeDer(value, (inner) => inner.octetString()) : undefined;
  });
}

function readAttributes(bag: DerReader): Pkcs12Attributes {
  let friendlyName: string | undefined;
  let localKeyId: Uint8Array | undefined;
  if (bag.remaining > 0)
    bag.sequenceOf(
      (item) =>
        item.sequence((attribute) => {
          const type = attribute.oid();
          const values = attribute.sequenceOf((value) => value.element(), Tag.set, 16);
          const first = values[0];
          if (first === undefined) return;
          if (type === Pkcs12Oid.friendlyName) friendlyName = decodeDerString(first.tag, first.content);
          if (type === Pkcs12Oid.localKeyId && first.tag === Tag.octetString) localKeyId = first.content;
        }),
      Tag.set,
      32,
    );
  return { friendlyName, localKeyId };
}
