import type { CryptoProvider } from '@testudo/crypto';
import type { Credential } from '../certificates/credential.ts';
import { ExtensionBlock } from '../extensions/block.ts';
import { type KeyShareEntry, keyShare } from '../extensions/key-share.ts';
import { signatureAlgorithms, supportedGroups, supportedVersions } from '../extensions/negotiation.ts';
import {
  bindersLength,
  PSK_DHE_KE,
  preSharedKey,
  pskKeyExchangeModes,
} from '../extensions/pre-shared-key.ts';
import { serverName, serverNamesFor } from '../extensions/server-names.ts';
import { groupById, type KeyShare } from '../groups/index.ts';
import { certificate13 } from '../messages/certificate.ts';
import { certificateVerify } from '../messages/certificate-verify.ts';
import { type ClientHello, clientHello } from '../messages/client-hello.ts';
import { finished } from '../messages/finished.ts';
import { decodeMessage, encodeMessage, HANDSHAKE_TYPE, type RawMessage } from '../messages/handshake-type.ts';
import { serverHello } from '../messages/server-hello.ts';
import type { Session } from '../sessions/session.ts';
import { SIGNATURE_SCHEMES } from '../signature-schemes.ts';
import { type CipherSuite13, cipherSuite13 } from '../suites/index.ts';
import { finishedData } from '../tls13/finished.ts';
import { KeySchedule } from '../tls13/key-schedule.ts';
import { TLS12, TLS13 } from '../versions.ts';
import type { TestEnd } from './end.ts';
import { SERVER_NAME } from './pki.ts';
import { Puppet } from './puppet.ts';
import { signedTranscript } from './puppet-server13.ts';

export type WritableClientHello = { -readonly [K in keyof ClientHello]: ClientHello[K] };

const X25519 = 0x001d;

/** A TLS 1.3 client that obeys the test. Its steps only make messages; `send` sends them. */
export class PuppetClient13 extends Puppet {
  readonly credential: Credential;
  readonly shares: KeyShare[];
  suite!: CipherSuite13;
  schedule!: KeySchedule;
  psk: Session | undefined;
  clientHandshakeSecret!: Uint8Array;
  serverHandshakeSecret!: Uint8Array;
  clientSecret!: Uint8Array;
  serverSecret!: Uint8Array;
  resumptionSecret!: Uint8Array;

  constructor(provider: CryptoProvider, end: TestEnd, credential: Credential, groups: number[] = [X25519]) {
    super(provider, end);
    this.credential = credential;
    this.shares = groups.map((id) => groupById(id)!.start(provider));
  }

  /** A ClientHello that every server of ours takes. */
  hello(): WritableClientHello {
    return {
      legacyVersion: TLS12,
      random: this.provider.randomBytes(32),
      legacySessionId: this.provider.randomBytes(32),
      cipherSuites: [0x1301, 0x1302, 0x1303],
      legacyCompressionMethods: [0],
      extensions: new ExtensionBlock('client_hello')
        .set(serverName, serverNamesFor(SERVER_NAME))
        .set(supportedGroups, [0x001d, 0x0017, 0x0018])
        .set(
          signatureAlgorithms,
          SIGNATURE_SCHEMES.map((scheme) => scheme.id),
        )
        .set(supportedVersions, [TLS13])
        .set(pskKeyExchangeModes, [PSK_DHE_KE])
        .set(keyShare, this.entries()),
    };
  }

  entries(): KeyShareEntry[] {
    return this.shares.map((own) => ({ group: own.group.id, keyExchange: own.share }));
  }

  sendHello(change: (hello: WritableClientHello) => void = () => {}): this {
    const value = this.hello();
    change(value);
    return this.send(this.encoded(clientHello, value));
  }

  /** With PSKs: the first is used when the server takes one. `spoil` changes the binders. */
  sendHelloWithPsk(
    session: Session,
    options: {
      change?: (hello: WritableClientHello) => void;
      spoil?: (binder: Uint8Array) => void;
      identities?: readonly Uint8Array[];
    } = {},
  ): this {
    const suite = cipherSuite13(session.cipherSuite)!;
    const identities = options.identities ?? [session.ticket];
    const length = suite.hash === 'sha384' ? 48 : 32;
    const offered = {
      identities: identities.map((identity) => ({ identity, obfuscatedTicketAge: 0 })),
      binders: identities.map(() => new Uint8Array(length)),
    };
    const value = this.hello();
    value.extensions.set(preSharedKey, offered);
    options.change?.(value);
    const raw = encodeMessage(clientHello, value);
    const schedule = new KeySchedule(this.provider, suite, session.secret);
    const covered = raw.subarray(0, raw.length - bindersLength(offered.binders));
    const hash = this.provider.digest(suite.hash, covered);
    const binder = finishedData(this.provider, suite.hash, schedule.binderKey('res binder'), hash);
    options.spoil?.(binder);
    identities.forEach((_, index) => {
      raw.set(binder, covered.length + 2 + index * (1 + length) + 1);
    });
    this.psk = session;
    this.transcript.add(raw);
    return this.send(raw);
  }

  protected onMessage(message: RawMessage): void {
    if (message.type === HANDSHAKE_TYPE.server_hello) this.#onServerHello(message);
    if (message.type !== HANDSHAKE_TYPE.finished) return;
    this.schedule.enterMain();
    const digest = this.transcript.digest();
    this.clientSecret = this.schedule.derive('c ap traffic', digest);
    this.serverSecret = this.schedule.derive('s ap traffic', digest);
    this.opener = this.schedule.opener(this.serverSecret);
  }

  certificate(
    chain: readonly Uint8Array[] = this.credential.certificates,
    context = new Uint8Array(0),
  ): Uint8Array {
    return this.encoded(certificate13, {
      certificateRequestContext: context,
      certificateList: chain.map((certData) => ({ certData, extensions: new ExtensionBlock('certificate') })),
    });
  }

  certificateVerify(options: Partial<Parameters<typeof signedTranscript>[1]> = {}): Uint8Array {
    return this.encoded(certificateVerify, signedTranscript(this, { role: 'client', ...options }));
  }

  finished(change: (verifyData: Uint8Array) => Uint8Array = (data) => data): Uint8Array {
    const digest = this.transcript.digest();
    const data = finishedData(this.provider, this.suite.hash, this.clientHandshakeSecret, digest);
    const raw = this.encoded(finished, { verifyData: change(data) });
    this.resumptionSecret = this.schedule.derive('res master', this.transcript.digest());
    return raw;
  }

  enterApplication(): this {
    this.sealer = this.schedule.sealer(this.clientSecret);
    return this;
  }

  /** A whole handshake as it should be. */
  complete(): this {
    return this.sendHello().send(this.finished()).enterApplication();
  }

  #onServerHello(message: RawMessage): void {
    const hello = decodeMessage(serverHello, message);
    this.suite = cipherSuite13(hello.cipherSuite)!;
    if (hello.extensions.place !== 'server_hello') return;
    const entry = (hello.extensions as ExtensionBlock<'server_hello'>).get(keyShare)!;
    const accepted = (hello.extensions as ExtensionBlock<'server_hello'>).has(preSharedKey);
    const secret = this.shares.find((own) => own.group.id === entry.group)!.finish(entry.keyExchange);
    this.transcript.useHash(this.suite.hash);
    this.schedule = new KeySchedule(this.provider, this.suite, accepted ? this.psk!.secret : undefined);
    this.schedule.enterHandshake(secret);
    const digest = this.transcript.digest();
    this.clientHandshakeSecret = this.schedule.derive('c hs traffic', digest);
    this.serverHandshakeSecret = this.schedule.derive('s hs traffic', digest);
    this.sealer = this.schedule.sealer(this.clientHandshakeSecret);
    this.opener = this.schedule.opener(this.serverHandshakeSecret);
  }
}
