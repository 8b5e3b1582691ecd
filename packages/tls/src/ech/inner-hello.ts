import { bytesEqual } from '@testudo/codec';
import type { HpkeSender } from '@testudo/crypto';
import { HASH_LENGTH } from '@testudo/crypto';
import { TlsError } from '../errors.ts';
import type { ExtensionBlock } from '../extensions/block.ts';
import { encryptedClientHello } from '../extensions/encrypted-client-hello.ts';
import { earlyData, type OfferedPsks, preSharedKey } from '../extensions/pre-shared-key.ts';
import type { ClientHandshake } from '../handshake/context.ts';
import type { Offer } from '../handshake/offer.ts';
import { Transcript } from '../handshake/transcript.ts';
import { padHello } from '../hello/client-hello-shape.ts';
import { type ClientHello, clientHello } from '../messages/client-hello.ts';
import { encodeMessage, HANDSHAKE_HEADER } from '../messages/handshake-type.ts';
import type { ServerHello } from '../messages/server-hello.ts';
import { cipherSuite13 } from '../suites/index.ts';
import type { EchOffer } from './chosen-config.ts';
import type { EchHooks } from './client-hooks.ts';
import { CONFIRMATION_LENGTH, echConfirmation, IN_SERVER_HELLO } from './confirmation.ts';
import { encodeInner } from './encoded-inner.ts';
import { echInfo } from './hpke.ts';
import { logEch } from './key-log.ts';
import { payloadPlace } from './payload.ts';
import { copyRepeated, gatherRepeated, REPEATED } from './repeated-extensions.ts';

/** The inner hello's side: encrypts each of its hellos into an outer one, and knows when the server has read it. */
export class InnerHello implements EchHooks {
  readonly #ech: EchOffer;
  readonly #outer: ClientHandshake;
  readonly #outerOffer: Offer;
  readonly #sender: HpkeSender;
  #enc: Uint8Array;
  #random: Uint8Array | undefined;
  #transcript: Transcript;

  /** `transcript` is that of the inner hellos. The outer offer is changed with each hello. */
  constructor(ech: EchOffer, transcript: Transcript, outer: ClientHandshake, outerOffer: Offer) {
    this.#ech = ech;
    this.#outer = outer;
    this.#outerOffer = outerOffer;
    this.#transcript = transcript;
    const { enc, context } = ech.suite.setupSender(ech.config.publicKey, echInfo(ech.config.bytes));
    this.#enc = enc;
    this.#sender = context;
  }

  arrange({ extensions }: ClientHello): void {
    gatherRepeated(extensions);
  }

  /** RFC 9849 §6.1.1: the outer hello with the inner one encrypted in it. */
  wrap(offer: Offer, raw: Uint8Array): Uint8Array {
    this.#outer.observer?.innerHello?.('sent', raw);
    const encoded = encodeInner(raw, REPEATED, this.#ech.config.maximumNameLength);
    const { hello } = this.#outerOffer;
    const { extensions } = hello;
    copyRepeated(offer.hello.extensions, extensions);
    // Both or neither: a server that reads the outer hello must know what to pass over (RFC 9849 §6.1).
    if (!offer.hello.extensions.has(earlyData)) extensions.delete(earlyData);
    const { kdf, aead } = this.#ech.suite.id;
    const payload = new Uint8Array(encoded.length + this.#ech.suite.tagLength);
    const { configId } = this.#ech.config;
    extensions.set(encryptedClientHello, { type: 'outer', kdf, aead, configId, enc: this.#enc, payload });
    extensions.delete(preSharedKey);
    if (offer.psks.length > 0) extensions.set(preSharedKey, this.#greasePsks(offer));
    padHello(this.#outer.config, hello);
    const outer = encodeMessage(clientHello, hello);
    const sealed = this.#sender.seal(outer.subarray(HANDSHAKE_HEADER), encoded);
    outer.set(sealed, payloadPlace(outer).at);
    // A server that asks the outer hello to come again gets this extension unchanged.
    payload.set(sealed);
    this.#enc = NOTHING;
    if (this.#random === undefined) {
      this.#outer.transcript.add(outer);
      logEch(this.#outer, hello.random, this.#ech.config, this.#sender);
    }
    this.#random ??= offer.hello.random;
    return outer;
  }

  /** Whether the server's first answer shows that it read the inner hello (RFC 9849 §6.1.4); not in the transcript yet. */
  isConfirmedBy(answer: ServerHello, raw: Uint8Array): boolean {
    const transcript = new Transcript(this.#outer.provider);
    transcript.add(this.#transcript.messages());
    const { place } = answer.extensions;
    const suite = cipherSuite13(answer.cipherSuite);
    if (suite === undefined || place === 'server_hello_12') return false;
    if (place === 'server_hello') {
      transcript.add(raw);
      return this.#isConfirmation('ServerHello', answer, transcript, raw, IN_SERVER_HELLO);
    }
    const { extensions } = answer as ServerHello<'hello_retry_request'>;
    const confirmation = extensions.get(encryptedClientHello);
    if (confirmation === undefined) return false;
    transcript.replaceClientHello(suite.hash);
    transcript.add(raw);
    const at = confirmation.byteOffset - raw.byteOffset;
    return this.#isConfirmation('HelloRetryRequest', answer, transcript, raw, at);
  }

  checkSecondAnswer(answer: ServerHello, raw: Uint8Array): void {
    const is13 =
      answer.extensions.place === 'server_hello' && cipherSuite13(answer.cipherSuite) !== undefined;
    if (is13 && this.#isConfirmation('ServerHello', answer, this.#transcript, raw, IN_SERVER_HELLO)) return;
    throw new TlsError(
      'illegal-parameter',
      'the server decrypted the first hello, but not the second (RFC 9849 §6.1.5)',
    );
  }

  learn(extensions: ExtensionBlock<'encrypted_extensions'>): void {
    if (!extensions.has(encryptedClientHello)) return;
    throw new TlsError(
      'unsolicited-extension',
      'the server decrypted the hello, but also sent configurations to try again with (RFC 9849 §5)',
    );
  }

  #isConfirmation(
    message: 'ServerHello' | 'HelloRetryRequest',
    answer: ServerHello,
    transcript: Transcript,
    raw: Uint8Array,
    at: number,
  ): boolean {
    const { hash } = cipherSuite13(answer.cipherSuite)!;
    const confirmed = { message, raw, at, random: this.#random! };
    const expected = echConfirmation(this.#outer.provider, hash, transcript.messages(), confirmed);
    return bytesEqual(raw.subarray(at, at + CONFIRMATION_LENGTH), expected);
  }

  /** As long as the real ones, so that the server's choice of one looks right to all (RFC 9849 §6.1.2). */
  #greasePsks({ psks }: Offer): OfferedPsks {
    const { provider } = this.#outer;
    return {
      identities: psks.map(({ identity }) => ({
        identity: provider.randomBytes(identity.length),
        obfuscatedTicketAge: provider.randomBytes(4).reduce((value, byte) => value * 256 + byte, 0),
      })),
      binders: psks.map(({ hash }) => provider.randomBytes(HASH_LENGTH[hash])),
    };
  }
}

const NOTHING = new Uint8Array(0);
