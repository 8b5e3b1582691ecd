import { constants, type KeyObject, publicEncrypt, X509Certificate } from 'node:crypto';
import { opaque, struct } from '@testudo/codec';
import type { RawMessage } from '@testudo/tls';
import {
  certificate12,
  clientKeyExchange,
  connectionKeys,
  decodeMessage,
  encodeMessage,
  HANDSHAKE_TYPE,
  type Message,
  masterSecret,
  PuppetClient12,
  serverHello,
  type TestEnd,
  type WritableClientHello,
} from '#tls/testing';
import { pki, provider } from './support.ts';

/** ClientKeyExchange as RSA key transport has it. */
export const EXCHANGE: Message<unknown> = clientKeyExchange(struct({ encrypted: opaque(2) }) as never);

/** A client of RSA key transport (RFC 5246 §7.4.7.1) that encrypts whatever block the test makes. */
export class RsaClient extends PuppetClient12 {
  serverKey!: KeyObject;
  sessionId!: Uint8Array;

  constructor(end: TestEnd) {
    super(provider, end, pki.client());
  }

  override hello(): WritableClientHello {
    return { ...super.hello(), cipherSuites: [RSA_GCM] };
  }

  /** Bytes of the server's modulus. */
  get modulusLength(): number {
    return this.serverKey.asymmetricKeyDetails!.modulusLength! / 8;
  }

  /** RSAEP of a whole block, padding and all. */
  encrypt(block: Uint8Array): Uint8Array {
    return publicEncrypt({ key: this.serverKey, padding: constants.RSA_NO_PADDING }, block);
  }

  /** ClientKeyExchange with this ciphertext; our own keys come from `preMasterSecret`. */
  exchange(ciphertext: Uint8Array, preMasterSecret: Uint8Array): Uint8Array {
    const raw = encodeMessage(EXCHANGE, { encrypted: ciphertext } as never);
    this.transcript.add(raw);
    this.master = masterSecret(this.handshake, this.terms, preMasterSecret.slice());
    this.keys = connectionKeys(this.handshake, this.terms, this.master);
    return raw;
  }

  protected override onMessage(message: RawMessage): void {
    super.onMessage(message);
    if (message.type === HANDSHAKE_TYPE.server_hello)
      this.sessionId = decodeMessage(serverHello, message).legacySessionIdEcho;
    if (message.type !== HANDSHAKE_TYPE.certificate) return;
    const [leaf] = decodeMessage(certificate12, message).certificateList;
    this.serverKey = new X509Certificate(leaf!).publicKey;
  }
}

/** TLS_RSA_WITH_AES_128_GCM_SHA256. */
export const RSA_GCM = 0x009c;
