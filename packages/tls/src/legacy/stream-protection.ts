import { type Cipher, type CryptoProvider, HASH_LENGTH } from '@testudo/crypto';
import { TlsError } from '../errors.ts';
import { RC4_RECORD_LIMIT } from '../record/block-limits.ts';
import { RECORD_HEADER } from '../record/content-type.ts';
import {
  checkPlaintextLength,
  type Plaintext,
  putHeader,
  type RecordOpener,
  type RecordSealer,
} from '../record/protection.ts';
import type { RawRecord } from '../record/record-buffer.ts';
import type { StreamCipher } from '../suites/index.ts';
import type { RecordMac } from '../tls12/record-mac.ts';
import type { DirectionKeys, Protection } from '../tls12/terms.ts';
import { longestContent, type Terms } from '../tls12/terms.ts';

/** GenericStreamCipher (RFC 5246 §6.2.3.1): content and MAC under one stream, RC4's or none at all. */
export function streamProtection(
  provider: CryptoProvider,
  terms: Terms,
  { name, keyLength, mac }: StreamCipher,
): Protection {
  const { rules } = terms;
  const parts = (keys: DirectionKeys, direction: 'encrypt' | 'decrypt'): Parts => ({
    provider,
    version: rules.version,
    most: longestContent(terms),
    recordLimit: name === 'null' ? 2 ** 48 : RC4_RECORD_LIMIT,
    mac: rules.recordMac(provider, mac, keys.mac),
    cipher: name === 'null' ? PLAIN : provider.cipher(name, direction, keys.key, new Uint8Array(0))!,
  });
  return {
    macKeyLength: HASH_LENGTH[mac],
    keyLength,
    ivLength: 0,
    sealer: (keys) => new StreamSealer(parts(keys, 'encrypt')),
    opener: (keys) => new StreamOpener(parts(keys, 'decrypt')),
  };
}

interface Parts {
  readonly provider: CryptoProvider;
  readonly version: number;
  /** Bytes of content in a record. */
  readonly most: number;
  readonly recordLimit: number;
  readonly mac: RecordMac;
  readonly cipher: Cipher;
}

/** Whoever listens reads it. A copy, since what is opened must not change when the transport reuses its memory. */
const PLAIN: Cipher = { update: (data) => new Uint8Array(data) };

class StreamSealer implements RecordSealer {
  sequence = 0;
  readonly limit: number;
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.limit = parts.recordLimit;
  }

  sealedLength(length: number): number {
    return RECORD_HEADER + length + this.#parts.mac.length;
  }

  seal(type: number, content: Uint8Array, _padding: number, out: Uint8Array, at: number): number {
    const { version, mac, cipher } = this.#parts;
    const length = content.length + mac.length;
    const plaintext = new Uint8Array(length);
    plaintext.set(content);
    plaintext.set(mac.compute(this.sequence++, type, version, content), content.length);
    putHeader(out, at, type, version, length);
    out.set(cipher.update(plaintext), at + RECORD_HEADER);
    return RECORD_HEADER + length;
  }
}

class StreamOpener implements RecordOpener {
  readonly isProtected = true;
  readonly #parts: Parts;
  sequence = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  open({ type, bytes }: RawRecord): Plaintext | undefined {
    const { provider, mac, most, recordLimit, cipher } = this.#parts;
    if (this.sequence >= recordLimit)
      throw new TlsError('key-limit-reached', 'the peer protected more with one RC4 key than is safe');
    const length = bytes.length - RECORD_HEADER - mac.length;
    if (length < 0) return undefined;
    const plaintext = cipher.update(bytes.subarray(RECORD_HEADER));
    const content = plaintext.subarray(0, length);
    const version = (bytes[1]! << 8) | bytes[2]!;
    const expected = mac.compute(this.sequence, type, version, content);
    if (!provider.equal(plaintext.subarray(length), expected)) return undefined;
    this.sequence++;
    checkPlaintextLength(length, most);
    return { type, content };
  }
}
