import { type HpkeSender, hpkeSuite } from '@testudo/crypto';
import { type EchConfig, parseEchConfigList } from '../ech/config-list.ts';
import { echInfo } from '../ech/hpke.ts';
import type { EchKey } from '../ech/keys.ts';
import { payloadPlace } from '../ech/payload.ts';
import { encryptedClientHello, type OuterEch } from '../extensions/encrypted-client-hello.ts';
import { serverName, serverNamesFor } from '../extensions/server-names.ts';
import { clientHello } from '../messages/client-hello.ts';
import { encodeMessage } from '../messages/handshake-type.ts';
import { listOf, PUBLIC_NAME } from './ech.ts';
import type { PuppetClient13, WritableClientHello } from './puppet-client13.ts';

type Change = (hello: WritableClientHello) => void;
const nothing: Change = () => {};

/** Seals whatever the test wants into the hellos of a puppet, for a server's key. */
export class EchPuppet {
  readonly puppet: PuppetClient13;
  readonly config: EchConfig;
  readonly #sender: HpkeSender;
  readonly #enc: Uint8Array;
  readonly #random: Uint8Array;
  readonly #sessionId: Uint8Array;

  constructor(puppet: PuppetClient13, key: EchKey) {
    this.puppet = puppet;
    this.#random = puppet.provider.randomBytes(32);
    this.#sessionId = puppet.provider.randomBytes(32);
    this.config = parseEchConfigList(listOf(key))[0]!;
    const suite = hpkeSuite(puppet.provider, { kem: this.config.kem, ...this.config.cipherSuites[0]! })!;
    const { enc, context } = suite.setupSender(this.config.publicKey, echInfo(this.config.bytes));
    this.#enc = enc;
    this.#sender = context;
  }

  /** An inner hello as it should be, whole: as it is in the transcript. */
  inner(change: Change = nothing): WritableClientHello {
    const hello = this.puppet.hello();
    hello.random = this.#random;
    hello.legacySessionId = this.#sessionId;
    hello.extensions.set(encryptedClientHello, { type: 'inner' });
    change(hello);
    return hello;
  }

  /** EncodedClientHelloInner without compression: no session ID, and `padding` at the end. */
  encoded(change: Change = nothing, padding: readonly number[] = [0, 0, 0]): Uint8Array {
    const hello = this.inner((value) => {
      value.legacySessionId = new Uint8Array(0);
      change(value);
    });
    const body = encodeMessage(clientHello, hello).subarray(4);
    return Uint8Array.from([...body, ...padding]);
  }

  /** Sends an outer hello around these bytes. `ech` replaces fields of the extension before it is sealed. */
  send(encoded: Uint8Array, ech: Partial<OuterEch> = {}, change: Change = nothing): PuppetClient13 {
    return this.puppet.send(this.#outer(encoded, ech, change));
  }

  /** The same for a server that is to go on with the outer hello. */
  sendUnread(encoded: Uint8Array, ech: Partial<OuterEch> = {}): PuppetClient13 {
    const raw = this.#outer(encoded, ech, nothing);
    this.puppet.transcript.add(raw);
    return this.puppet.send(raw);
  }

  #outer(encoded: Uint8Array, ech: Partial<OuterEch>, change: Change): Uint8Array {
    const outer = this.puppet.hello();
    outer.random = this.#random;
    outer.legacySessionId = this.#sessionId;
    outer.extensions.set(serverName, serverNamesFor(PUBLIC_NAME));
    outer.extensions.set(encryptedClientHello, {
      type: 'outer',
      ...this.config.cipherSuites[0]!,
      configId: this.config.configId,
      enc: this.#enc,
      payload: new Uint8Array(encoded.length + 16),
      ...ech,
    });
    change(outer);
    const raw = encodeMessage(clientHello, outer);
    const holdsPayload = outer.extensions.get(encryptedClientHello)?.type === 'outer';
    if (ech.payload === undefined && holdsPayload)
      raw.set(this.#sender.seal(raw.subarray(4), encoded), payloadPlace(raw).at);
    return raw;
  }
}
