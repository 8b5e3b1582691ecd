import { CryptoError } from '../errors.ts';
import { AEAD_NONCE_LENGTH, type Aead } from '../provider.ts';
import type { LabeledKdf } from './labeled-kdf.ts';

/** What both sides can do (RFC 9180 §5.3). */
export interface HpkeExporter {
  /** What the KEM gave (RFC 9180 §4.1). Whoever has it can decrypt everything: it is for key logs (RFC 9850 §2.3). */
  readonly sharedSecret: Uint8Array;
  /**
   * A secret for another use, bound to this context (RFC 9180 §5.3).
   * Throws {@link CryptoError} `bad-length` over 255 hash lengths.
   */
  export(exporterContext: Uint8Array, length: number): Uint8Array;
}

/** The sender's side of an encryption: messages must be opened in the order in which they are sealed. */
export interface HpkeSender extends HpkeExporter {
  /**
   * Ciphertext and tag. Throws `unsupported` in a suite that only exports, and `bad-length` when the sequence numbers, of
   * which there are 2^53 - 1, have run out.
   */
  seal(additionalData: Uint8Array, plaintext: Uint8Array): Uint8Array;
}

/** The recipient's side. */
export interface HpkeReceiver extends HpkeExporter {
  /**
   * The plaintext; undefined when it is not authentic: then the same message of the sequence is still awaited (RFC 9180
   * §5.2). Throws as {@link HpkeSender.seal}.
   */
  open(additionalData: Uint8Array, ciphertext: Uint8Array): Uint8Array | undefined;
}

/** What the key schedule gives (RFC 9180 §5.1). */
export interface ContextSecrets {
  readonly sharedSecret: Uint8Array;
  /** Undefined in a suite that only exports. */
  readonly aead: Aead | undefined;
  readonly baseNonce: Uint8Array;
  readonly exporterSecret: Uint8Array;
  readonly kdf: LabeledKdf;
}

/** Context<ROLE> of RFC 9180 §5.2, of which each role sees its half. */
export class HpkeContext implements HpkeSender, HpkeReceiver {
  readonly #secrets: ContextSecrets;
  #sequence: number;

  constructor(secrets: ContextSecrets, sequence = 0) {
    this.#secrets = secrets;
    this.#sequence = sequence;
  }

  get sharedSecret(): Uint8Array {
    return this.#secrets.sharedSecret;
  }

  seal(additionalData: Uint8Array, plaintext: Uint8Array): Uint8Array {
    const aead = this.#aead();
    const sealed = new Uint8Array(plaintext.length + aead.tagLength);
    aead.seal(this.#nonce(), additionalData, plaintext, sealed, 0);
    this.#sequence++;
    return sealed;
  }

  open(additionalData: Uint8Array, ciphertext: Uint8Array): Uint8Array | undefined {
    const plaintext = this.#aead().open(this.#nonce(), additionalData, ciphertext);
    if (plaintext !== undefined) this.#sequence++;
    return plaintext;
  }

  export(exporterContext: Uint8Array, length: number): Uint8Array {
    const { kdf, exporterSecret } = this.#secrets;
    return kdf.expand(exporterSecret, 'sec', exporterContext, length);
  }

  #aead(): Aead {
    const { aead } = this.#secrets;
    if (aead === undefined) throw new CryptoError('unsupported', 'this HPKE suite only exports');
    if (this.#sequence >= Number.MAX_SAFE_INTEGER)
      throw new CryptoError('bad-length', 'this HPKE context has no sequence numbers left');
    return aead;
  }

  /** ComputeNonce (RFC 9180 §5.2). */
  #nonce(): Uint8Array {
    const nonce = this.#secrets.baseNonce.slice();
    let rest = this.#sequence;
    for (let i = AEAD_NONCE_LENGTH - 1; rest > 0; i--) {
      nonce[i]! ^= rest % 256;
      rest = Math.floor(rest / 256);
    }
    return nonce;
  }
}
