import { concat, utf8 } from '@testudo/codec';
import { CryptoError } from '../errors.ts';
import { AEAD_NONCE_LENGTH, AEAD_SIZES, type CryptoProvider, HASH_LENGTH } from '../provider.ts';
import { AEADS, KDFS } from './algorithms.ts';
import { HpkeContext, type HpkeReceiver, type HpkeSender } from './context.ts';
import { type Dhkem, dhkem, type HpkeKeyPair } from './dhkem.ts';
import { labeledKdf, NOTHING, uint16 } from './labeled-kdf.ts';

/** The three numbers that name a suite (RFC 9180 §7, and the HpkeSymmetricCipherSuite of RFC 9849 §4). */
export interface HpkeSuiteId {
  readonly kem: number;
  readonly kdf: number;
  readonly aead: number;
}

/** A key that both know beforehand, with the name by which they know it (RFC 9180 §5.1.2). */
export interface HpkePsk {
  /** 32 bytes or more. */
  readonly key: Uint8Array;
  /** One byte or more. */
  readonly id: Uint8Array;
}

/**
 * Hybrid public key encryption (RFC 9180), base and PSK mode. The modes in which a sender's key authenticates it (§5.1.3,
 * §5.1.4) are not here.
 */
export interface HpkeSuite {
  readonly id: HpkeSuiteId;
  /** Lengths in bytes of a public key, which is that of `enc` too, and of a private key. */
  readonly publicKeyLength: number;
  readonly privateKeyLength: number;
  /** What sealing adds to a plaintext, in bytes; 0 in a suite that only exports. */
  readonly tagLength: number;
  generateKeyPair(): HpkeKeyPair;
  /** RFC 9180 §7.1.3. Throws {@link CryptoError} `bad-length` when the input is shorter than a private key. */
  deriveKeyPair(inputKey: Uint8Array): HpkeKeyPair;
  /** From {@link HpkeKeyPair.exportPrivate}. Throws `bad-key`. */
  importPrivate(privateKey: Uint8Array): HpkeKeyPair;
  /** Encryption to a public key. Throws `bad-key` on a key that is none, or a PSK too short. */
  setupSender(
    publicKey: Uint8Array,
    info: Uint8Array,
    psk?: HpkePsk,
  ): { readonly enc: Uint8Array; readonly context: HpkeSender };
  /** Decryption of what was encrypted with this `enc`. Throws `bad-key` on an `enc` that is no key. */
  setupReceiver(key: HpkeKeyPair, enc: Uint8Array, info: Uint8Array, psk?: HpkePsk): HpkeReceiver;
}

/** Undefined when the provider lacks a part of it, or nobody knows one of the numbers. */
export function hpkeSuite(provider: CryptoProvider, id: HpkeSuiteId): HpkeSuite | undefined {
  const kem = dhkem(provider, id.kem);
  if (kem === undefined || !KDFS.has(id.kdf) || !AEADS.has(id.aead)) return undefined;
  const aeadName = AEADS.get(id.aead);
  if (aeadName && provider.aead(aeadName, new Uint8Array(AEAD_SIZES[aeadName].key)) === undefined)
    return undefined;
  return new Suite(provider, { kem: id.kem, kdf: id.kdf, aead: id.aead }, kem);
}

class Suite implements HpkeSuite {
  readonly id: HpkeSuiteId;
  readonly publicKeyLength: number;
  readonly privateKeyLength: number;
  readonly tagLength: number;
  readonly #provider: CryptoProvider;
  readonly #kem: Dhkem;

  constructor(provider: CryptoProvider, id: HpkeSuiteId, kem: Dhkem) {
    const aead = AEADS.get(id.aead);
    this.id = id;
    this.publicKeyLength = kem.publicKeyLength;
    this.privateKeyLength = kem.privateKeyLength;
    this.tagLength = aead === undefined ? 0 : AEAD_SIZES[aead].tag;
    this.#provider = provider;
    this.#kem = kem;
  }

  generateKeyPair(): HpkeKeyPair {
    return this.#kem.generate();
  }

  deriveKeyPair(inputKey: Uint8Array): HpkeKeyPair {
    return this.#kem.derive(inputKey);
  }

  importPrivate(privateKey: Uint8Array): HpkeKeyPair {
    return this.#kem.fromPrivate(privateKey);
  }

  setupSender(
    publicKey: Uint8Array,
    info: Uint8Array,
    psk?: HpkePsk,
  ): { readonly enc: Uint8Array; readonly context: HpkeSender } {
    const { enc, sharedSecret } = this.#kem.encapsulate(publicKey);
    return { enc, context: this.#context(sharedSecret, info, psk) };
  }

  setupReceiver(key: HpkeKeyPair, enc: Uint8Array, info: Uint8Array, psk?: HpkePsk): HpkeReceiver {
    return this.#context(this.#kem.decapsulate(enc, key), info, psk);
  }

  /** KeySchedule (RFC 9180 §5.1). */
  #context(sharedSecret: Uint8Array, info: Uint8Array, psk: HpkePsk | undefined): HpkeContext {
    if (psk !== undefined && (psk.key.length < 32 || psk.id.length === 0))
      throw new CryptoError('bad-key', 'an HPKE PSK needs a key of at least 32 bytes, and an id');
    const hash = KDFS.get(this.id.kdf)!;
    const { kem, kdf: kdfId, aead: aeadId } = this.id;
    const suiteId = concat(utf8('HPKE'), uint16(kem), uint16(kdfId), uint16(aeadId));
    const kdf = labeledKdf(this.#provider, hash, suiteId);

    const pskIdHash = kdf.extract(NOTHING, 'psk_id_hash', psk?.id ?? NOTHING);
    const infoHash = kdf.extract(NOTHING, 'info_hash', info);
    const scheduleContext = concat(Uint8Array.of(psk === undefined ? BASE : PSK), pskIdHash, infoHash);
    const secret = kdf.extract(sharedSecret, 'secret', psk?.key ?? NOTHING);
    const exporterSecret = kdf.expand(secret, 'exp', scheduleContext, HASH_LENGTH[hash]);

    const name = AEADS.get(aeadId);
    if (name === undefined)
      return new HpkeContext({ sharedSecret, aead: undefined, baseNonce: NOTHING, exporterSecret, kdf });
    const key = kdf.expand(secret, 'key', scheduleContext, AEAD_SIZES[name].key);
    const baseNonce = kdf.expand(secret, 'base_nonce', scheduleContext, AEAD_NONCE_LENGTH);
    const aead = this.#provider.aead(name, key);
    return new HpkeContext({ sharedSecret, aead, baseNonce, exporterSecret, kdf });
  }
}

/** Modes (RFC 9180 §5). */
const BASE = 0;
const PSK = 1;
