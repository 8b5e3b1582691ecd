import {
  AEAD_NONCE_LENGTH,
  AEAD_SIZES,
  type CryptoProvider,
  HASH_LENGTH,
  type HashName,
} from '@testudo/crypto';
import type { CipherSuite13 } from '../suites/index.ts';
import { expandLabel } from './hkdf-label.ts';
import { Opener13, Sealer13 } from './record-protection.ts';

const NOTHING = new Uint8Array(0);

/**
 * The key schedule (RFC 9846 §7.1): Early Secret, then Handshake Secret, then Main Secret; each gives secrets
 * by label and transcript. The stages can only be gone through in order.
 */
export class KeySchedule {
  readonly hash: HashName;
  readonly hashLength: number;
  readonly #provider: CryptoProvider;
  readonly #suite: CipherSuite13;
  #secret: Uint8Array;
  #stage: 'early' | 'handshake' | 'main' = 'early';
  readonly #start: Start;
  readonly #hasPsk: boolean;
  /** Secrets of the early and handshake stages, which end with the handshake. */
  #derived: Uint8Array[] = [];

  /** @param psk the key to resume with, or none: then zeros stand for it. */
  constructor(provider: CryptoProvider, suite: CipherSuite13, psk?: Uint8Array) {
    this.#provider = provider;
    this.#suite = suite;
    this.hash = suite.hash;
    this.hashLength = HASH_LENGTH[suite.hash];
    this.#start = startOf(provider, suite.hash);
    this.#hasPsk = psk !== undefined;
    this.#secret = psk ? provider.hkdfExtract(suite.hash, NOTHING, psk) : this.#start.earlySecret.slice();
  }

  /** Early Secret to Handshake Secret, with the (EC)DHE secret. */
  enterHandshake(sharedSecret: Uint8Array): void {
    this.#advance('early', 'handshake', sharedSecret);
  }

  /** Handshake Secret to Main Secret. */
  enterMain(): void {
    this.#advance('handshake', 'main', new Uint8Array(this.hashLength));
  }

  /** Derive-Secret(., label, transcript) of the stage the schedule is in (RFC 9846 §7.1). */
  derive(label: SecretLabel, transcriptHash: Uint8Array): Uint8Array {
    if (STAGES[label] !== this.#stage) throw new Error(`${label} belongs to the ${STAGES[label]} stage`);
    const secret = this.#expand(this.#secret, label, transcriptHash);
    if (this.#stage !== 'main') this.#derived.push(secret);
    return secret;
  }

  /** The key of a binder (RFC 9846 §4.3.11.2). */
  binderKey(label: BinderLabel): Uint8Array {
    return this.derive(label, this.#start.emptyHash);
  }

  /** Protection for records that we send, under a traffic secret (RFC 9846 §7.3). */
  sealer(trafficSecret: Uint8Array): Sealer13 {
    const { aead, iv } = this.#protection(trafficSecret);
    return new Sealer13(aead, iv);
  }

  /** Its removal from records that we get. */
  opener(
    trafficSecret: Uint8Array,
    options: { plaintextAlerts: boolean } = { plaintextAlerts: false },
  ): Opener13 {
    const { aead, iv } = this.#protection(trafficSecret);
    return new Opener13(aead, iv, options);
  }

  /** application_traffic_secret_N+1 (RFC 9846 §7.2). */
  nextTrafficSecret(trafficSecret: Uint8Array): Uint8Array {
    return this.#expand(trafficSecret, 'traffic upd', NOTHING);
  }

  /** The PSK of one ticket (RFC 9846 §4.7.1). */
  resumptionPsk(resumptionMainSecret: Uint8Array, ticketNonce: Uint8Array): Uint8Array {
    return this.#expand(resumptionMainSecret, 'resumption', ticketNonce);
  }

  /** TLS-Exporter (RFC 9846 §7.5). `length` in bytes, at most 255 hash lengths. */
  exporter(exporterMainSecret: Uint8Array, label: string, context: Uint8Array, length: number): Uint8Array {
    const derived = this.#expand(exporterMainSecret, label, this.#start.emptyHash);
    const contextHash = this.#provider.digest(this.hash, context);
    return expandLabel(this.#provider, this.hash, derived, 'exporter', contextHash, length);
  }

  /** Forgets the stages' secrets and what was derived before the main stage; application secrets live on. */
  wipe(): void {
    this.#secret.fill(0);
    this.#secret = NOTHING;
    for (const secret of this.#derived) secret.fill(0);
    this.#derived = [];
  }

  /** Derive-Secret(., "derived", "") as salt of the next HKDF-Extract (RFC 9846 §7.1). */
  #advance(from: 'early' | 'handshake', to: 'handshake' | 'main', input: Uint8Array): void {
    if (this.#stage !== from) throw new Error(`the key schedule is in its ${this.#stage} stage, not ${from}`);
    const { salt: knownSalt, emptyHash } = this.#start;
    const isKnown = from === 'early' && !this.#hasPsk;
    const salt = isKnown ? knownSalt : this.#expand(this.#secret, 'derived', emptyHash);
    this.#secret.fill(0);
    this.#secret = this.#provider.hkdfExtract(this.hash, salt, input);
    this.#stage = to;
  }

  #expand(secret: Uint8Array, label: string, context: Uint8Array): Uint8Array {
    return expandLabel(this.#provider, this.hash, secret, label, context, this.hashLength);
  }

  /** The key and the IV under a traffic secret (RFC 9846 §7.3). */
  trafficKeys(secret: Uint8Array): { key: Uint8Array; iv: Uint8Array } {
    const provider = this.#provider;
    const keyLength = AEAD_SIZES[this.#suite.cipher.name].key;
    const key = expandLabel(provider, this.hash, secret, 'key', NOTHING, keyLength);
    const iv = expandLabel(provider, this.hash, secret, 'iv', NOTHING, AEAD_NONCE_LENGTH);
    return { key, iv };
  }

  #protection(secret: Uint8Array): {
    aead: NonNullable<ReturnType<CryptoProvider['aead']>>;
    iv: Uint8Array;
  } {
    const { key, iv } = this.trafficKeys(secret);
    const aead = this.#provider.aead(this.#suite.cipher.name, key)!;
    key.fill(0);
    return { aead, iv };
  }
}

/** What every handshake with a hash begins with (RFC 9846 §7.1). None of it is secret. */
interface Start {
  /** Transcript-Hash of nothing. */
  readonly emptyHash: Uint8Array;
  /** The Early Secret where there is no PSK. */
  readonly earlySecret: Uint8Array;
  /** What the Early Secret without PSK gives as salt to the Handshake Secret. */
  readonly salt: Uint8Array;
}

const starts = new Map<HashName, Start>();

function startOf(provider: CryptoProvider, hash: HashName): Start {
  const known = starts.get(hash);
  if (known !== undefined) return known;
  const emptyHash = provider.digest(hash, NOTHING);
  const length = HASH_LENGTH[hash];
  const earlySecret = provider.hkdfExtract(hash, NOTHING, new Uint8Array(length));
  const salt = expandLabel(provider, hash, earlySecret, 'derived', emptyHash, length);
  const start = { emptyHash, earlySecret, salt };
  starts.set(hash, start);
  return start;
}

/** Labels of RFC 9846 §7.1, each with the stage whose secret it is derived from. */
const STAGES = {
  'ext binder': 'early',
  'imp binder': 'early',
  'res binder': 'early',
  'c e traffic': 'early',
  'e exp master': 'early',
  'c hs traffic': 'handshake',
  's hs traffic': 'handshake',
  'c ap traffic': 'main',
  's ap traffic': 'main',
  'exp master': 'main',
  'res master': 'main',
} as const;

export type SecretLabel = keyof typeof STAGES;
export type BinderLabel = 'res binder' | 'ext binder' | 'imp binder';
