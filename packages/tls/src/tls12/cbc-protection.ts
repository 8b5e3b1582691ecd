import {
  type Cipher,
  type CryptoProvider,
  copySecretOffset,
  equalBytesMask,
  HASH_LENGTH,
} from '@testudo/crypto';
import { TlsError } from '../errors.ts';
import { blockLimits } from '../record/block-limits.ts';
import { RECORD_HEADER } from '../record/content-type.ts';
import {
  checkPlaintextLength,
  type Plaintext,
  putHeader,
  type RecordOpener,
  type RecordSealer,
} from '../record/protection.ts';
import type { RawRecord } from '../record/record-buffer.ts';
import type { CbcCipher } from '../suites/index.ts';
import { MAX_PADDING } from './cbc-padding.ts';
import type { RecordMac } from './record-mac.ts';
import type { DirectionKeys, Protection } from './terms.ts';
import { longestContent, type Terms } from './terms.ts';
import type { VersionRules } from './version-rules.ts';

/**
 * A block cipher and a MAC (RFC 5246 §6.2.3.2), the MAC inside or, with encrypt_then_mac (RFC 7366), outside.
 *
 * One cipher runs on from record to record, which is what versions up to TLS 1.0 want: a record's IV is the end of the
 * one before. With an IV in each record, as from TLS 1.1 on, the first block of a record is random; what it is
 * encrypted to is the IV (RFC 4346 §6.2.3.2, the second way), and who decrypts throws it away.
 */
export function cbcProtection(provider: CryptoProvider, terms: Terms, cipher: CbcCipher): Protection {
  const { rules, encryptThenMac } = terms;
  const { name, blockLength, keyLength, mac } = cipher;
  const parts = ({ mac: macKey, key, iv }: DirectionKeys, direction: 'encrypt' | 'decrypt'): Parts => ({
    provider,
    rules,
    blockLength,
    cipher: provider.cipher(name, direction, key, rules.explicitIv ? new Uint8Array(blockLength) : iv)!,
    mac: rules.recordMac(provider, mac, macKey),
    most: longestContent(terms),
  });
  return {
    macKeyLength: HASH_LENGTH[mac],
    keyLength,
    ivLength: rules.explicitIv ? 0 : blockLength,
    sealer: (keys) => new CbcSealer(parts(keys, 'encrypt'), encryptThenMac),
    opener: (keys) => {
      const own = parts(keys, 'decrypt');
      return encryptThenMac ? new EncryptThenMacOpener(own) : new MacThenEncryptOpener(own);
    },
  };
}

interface Parts {
  readonly provider: CryptoProvider;
  readonly rules: VersionRules;
  readonly blockLength: number;
  readonly cipher: Cipher;
  readonly mac: RecordMac;
  /** Bytes of content in a record. */
  readonly most: number;
}

class CbcSealer implements RecordSealer {
  sequence = 0;
  readonly chainsIvs: boolean;
  readonly #parts: Parts;
  readonly #encryptThenMac: boolean;
  readonly #ivLength: number;
  readonly #blocksPerRecord: number;
  #blocksLeft: number;

  constructor(parts: Parts, encryptThenMac: boolean) {
    this.#parts = parts;
    this.#encryptThenMac = encryptThenMac;
    this.#ivLength = parts.rules.explicitIv ? parts.blockLength : 0;
    this.chainsIvs = !parts.rules.explicitIv;
    this.#blocksLeft = blockLimits(parts.blockLength).sent;
    this.#blocksPerRecord = this.sealedLength(parts.most) / parts.blockLength;
  }

  /** Counts blocks: each of the records that are left may be as long as can be. */
  get limit(): number {
    return this.sequence + Math.floor(this.#blocksLeft / this.#blocksPerRecord);
  }

  /** The most it can be: how long the padding is depends on the content. */
  sealedLength(length: number): number {
    const { mac, blockLength } = this.#parts;
    return RECORD_HEADER + this.#ivLength + length + mac.length + blockLength;
  }

  seal(type: number, content: Uint8Array, _padding: number, out: Uint8Array, at: number): number {
    const { rules, mac } = this.#parts;
    const { version } = rules;
    const start = at + RECORD_HEADER;
    if (!this.#encryptThenMac) {
      const code = mac.compute(this.sequence++, type, version, content);
      const length = this.#encrypt(content, code, out, start);
      putHeader(out, at, type, version, length);
      return RECORD_HEADER + length;
    }
    const length = this.#encrypt(content, NOTHING, out, start);
    const code = mac.compute(this.sequence++, type, version, out.subarray(start, start + length));
    out.set(code, start + length);
    putHeader(out, at, type, version, length + mac.length);
    return RECORD_HEADER + length + mac.length;
  }

  /** IV, content, code and padding. Returns their length. */
  #encrypt(content: Uint8Array, code: Uint8Array, out: Uint8Array, at: number): number {
    const { blockLength, provider, cipher } = this.#parts;
    const ivLength = this.#ivLength;
    const unpadded = ivLength + content.length + code.length;
    const padding = blockLength - (unpadded % blockLength);
    // In place, where the cipher can do that.
    const plaintext = out.subarray(at, at + unpadded + padding);
    if (ivLength > 0) plaintext.set(provider.randomBytes(ivLength));
    plaintext.set(content, ivLength);
    plaintext.set(code, ivLength + content.length);
    plaintext.fill(padding - 1, unpadded);
    const encrypted = cipher.update(plaintext, plaintext);
    if (encrypted !== plaintext) plaintext.set(encrypted);
    this.#blocksLeft -= plaintext.length / blockLength;
    return plaintext.length;
  }
}

/** What both orders of MAC and encryption have in common when they are undone. */
abstract class CbcOpener implements RecordOpener {
  readonly isProtected = true;
  protected readonly parts: Parts;
  protected readonly ivLength: number;
  sequence = 0;
  #blocksLeft: number;

  constructor(parts: Parts) {
    this.parts = parts;
    this.ivLength = parts.rules.explicitIv ? parts.blockLength : 0;
    this.#blocksLeft = blockLimits(parts.blockLength).received;
  }

  abstract open(record: RawRecord): Plaintext | undefined;

  /** Without the IV; undefined when these are not blocks, or not enough of them for `least` bytes and the padding. */
  protected decrypt(encrypted: Uint8Array, least: number, isOwned: boolean): Uint8Array | undefined {
    const { blockLength, cipher } = this.parts;
    if (encrypted.length % blockLength !== 0 || encrypted.length < this.ivLength + least + 1)
      return undefined;
    this.#blocksLeft -= encrypted.length / blockLength;
    if (this.#blocksLeft < 0)
      throw new TlsError('key-limit-reached', 'the peer protected more with one key than is safe (SWEET32)');
    return cipher.update(encrypted, isOwned ? encrypted : undefined).subarray(this.ivLength);
  }
}

/** RFC 5246 §6.2.3.2: nothing tells whether the padding or the MAC is wrong, neither an answer nor its time. */
class MacThenEncryptOpener extends CbcOpener {
  open({ type, bytes, isOwned = false }: RawRecord): Plaintext | undefined {
    const { mac, rules } = this.parts;
    const plaintext = this.decrypt(bytes.subarray(RECORD_HEADER), mac.length, isOwned);
    if (plaintext === undefined) return undefined;
    const padding = rules.padding(plaintext, mac.length, this.parts.blockLength);
    // The MAC stands right before the padding: from here to there, depending on what is secret.
    const last = plaintext.length - mac.length - 1;
    const first = Math.max(0, last + 1 - MAX_PADDING);
    const length = last + 1 - padding.length;
    const received = copySecretOffset(plaintext, length, mac.length, first, last);
    const version = versionOf(bytes);
    const expected = mac.computeSecretLength(
      this.sequence,
      type,
      version,
      plaintext.subarray(0, last),
      length,
    );
    if ((padding.isRight & equalBytesMask(received, expected)) === 0) return undefined;
    this.sequence++;
    checkPlaintextLength(length, this.parts.most);
    return { type, content: plaintext.subarray(0, length) };
  }
}

/** RFC 7366 §3: nothing is decrypted unless its MAC is right. */
class EncryptThenMacOpener extends CbcOpener {
  open({ type, bytes, isOwned = false }: RawRecord): Plaintext | undefined {
    const { mac, rules, provider, blockLength } = this.parts;
    const end = bytes.length - mac.length;
    if (end < RECORD_HEADER) return undefined;
    const encrypted = bytes.subarray(RECORD_HEADER, end);
    const expected = mac.compute(this.sequence, type, versionOf(bytes), encrypted);
    if (!provider.equal(bytes.subarray(end), expected)) return undefined;
    const plaintext = this.decrypt(encrypted, 0, isOwned);
    if (plaintext === undefined) return undefined;
    const padding = rules.padding(plaintext, 0, blockLength);
    if (padding.isRight === 0) return undefined;
    this.sequence++;
    const length = plaintext.length - padding.length;
    checkPlaintextLength(length, this.parts.most);
    return { type, content: plaintext.subarray(0, length) };
  }
}

/** The version as it came: a changed one fails like anything else that was changed. */
function versionOf(bytes: Uint8Array): number {
  return (bytes[1]! << 8) | bytes[2]!;
}

const NOTHING = new Uint8Array(0);
