import { type Codec, concat, encode } from '@testudo/codec';
import type { CryptoProvider, SignatureAlgorithm } from '@testudo/crypto';
import type { Credential } from '../certificates/credential.ts';
import { ExtensionBlock } from '../extensions/block.ts';
import {
  ecPointFormats,
  encryptThenMac,
  extendedMasterSecret,
  renegotiationInfo,
  signatureAlgorithms,
  supportedGroups,
} from '../extensions/negotiation.ts';
import { serverName, serverNamesFor } from '../extensions/server-names.ts';
import { groupById } from '../groups/index.ts';
import type { Handshake } from '../handshake/context.ts';
import { certificate12 } from '../messages/certificate.ts';
import { certificateRequest12 } from '../messages/certificate-request.ts';
import { certificateVerify } from '../messages/certificate-verify.ts';
import { type ClientHello, clientHello } from '../messages/client-hello.ts';
import { finished } from '../messages/finished.ts';
import { decodeMessage, HANDSHAKE_TYPE, type Message, type RawMessage } from '../messages/handshake-type.ts';
import {
  clientKeyExchange,
  type ServerKeyExchange,
  serverHelloDone,
  serverKeyExchange,
} from '../messages/key-exchange.ts';
import { type ServerHello, serverHello } from '../messages/server-hello.ts';
import { SIGNATURE_SCHEMES } from '../signature-schemes.ts';
import { type CipherSuite, cipherSuite } from '../suites/index.ts';
import { clientEcdhParams, type ServerEcdhParams, serverEcdhParams } from '../tls12/key-exchange/ecdhe.ts';
import { type ConnectionKeys, connectionKeys, masterSecret } from '../tls12/secrets.ts';
import type { Terms } from '../tls12/terms.ts';
import { rules12 } from '../tls12/version-rules.ts';
import { TLS12 } from '../versions.ts';
import type { TestEnd } from './end.ts';
import { SERVER_NAME } from './pki.ts';
import { Puppet } from './puppet.ts';
import type { WritableClientHello } from './puppet-client13.ts';
import type { WritableServerHello } from './puppet-server13.ts';

const EXCHANGE: Message<ServerKeyExchange> = serverKeyExchange(serverEcdhParams as Codec<unknown>, 'named');
const ANSWER = clientKeyExchange(clientEcdhParams);

/** What both sides of TLS 1.2 have in common. */
abstract class Puppet12 extends Puppet {
  readonly credential: Credential;
  suite: CipherSuite = cipherSuite(0xc02b)!;
  clientRandom!: Uint8Array;
  serverRandom!: Uint8Array;
  extended = true;
  encryptThenMac = false;
  master!: Uint8Array;
  keys!: ConnectionKeys;
  readonly share: ReturnType<NonNullable<ReturnType<typeof groupById>>['start']>;

  constructor(provider: CryptoProvider, end: TestEnd, credential: Credential) {
    super(provider, end);
    this.credential = credential;
    this.share = groupById(0x001d)!.start(provider);
  }

  protected override get ccsInTheClear(): boolean {
    return false;
  }

  protected agree(peerPoint: Uint8Array): void {
    const preMaster = this.share.finish(peerPoint);
    this.master = masterSecret(this.handshake, this.terms, preMaster);
    this.keys = connectionKeys(this.handshake, this.terms, this.master);
  }

  protected get terms(): Terms {
    return {
      rules: rules12,
      suite: this.suite,
      randoms: { client: this.clientRandom, server: this.serverRandom },
      extended: this.extended,
      encryptThenMac: this.encryptThenMac,
    };
  }

  /** As much of a handshake as the engine's functions look at. */
  protected get handshake(): Handshake {
    return {
      provider: this.provider,
      transcript: this.transcript,
      observer: undefined,
    } as unknown as Handshake;
  }

  protected makeFinished(role: 'client' | 'server', change: (data: Uint8Array) => Uint8Array): Uint8Array {
    const data = rules12.finishedData(
      this.handshake.provider,
      this.handshake.transcript,
      this.suite,
      this.master,
      role,
    );
    return this.encoded(finished, { verifyData: change(data) });
  }
}

type Signed = {
  scheme?: number;
  algorithm?: SignatureAlgorithm;
  change?: (signature: Uint8Array) => Uint8Array;
};

function sign(credential: Credential, content: Uint8Array, options: Signed) {
  const fitting = SIGNATURE_SCHEMES.find((scheme) => scheme.fits(credential.keyKind, TLS12))!;
  const signature = credential.sign(options.algorithm ?? fitting.algorithm, content) as Uint8Array;
  return { algorithm: options.scheme ?? fitting.id, signature: options.change?.(signature) ?? signature };
}

/** A TLS 1.2 server that obeys the test. */
export class PuppetServer12 extends Puppet12 {
  hello: ClientHello;

  constructor(provider: CryptoProvider, end: TestEnd, credential: Credential) {
    super(provider, end, credential);
    this.hello = decodeMessage(clientHello, this.messages[0]!);
    this.clientRandom = this.hello.random;
  }

  serverHello(change: (hello: WritableServerHello) => void = () => {}): Uint8Array {
    const value: WritableServerHello = {
      legacyVersion: TLS12,
      random: this.provider.randomBytes(32),
      legacySessionIdEcho: new Uint8Array(0),
      cipherSuite: this.suite.id,
      legacyCompressionMethod: 0,
      extensions: new ExtensionBlock('server_hello_12')
        .set(renegotiationInfo, new Uint8Array(0))
        .set(extendedMasterSecret, null),
    };
    change(value);
    this.serverRandom = value.random;
    const extensions = value.extensions as ExtensionBlock<'server_hello_12'>;
    this.extended = extensions.has(extendedMasterSecret);
    this.encryptThenMac = extensions.has(encryptThenMac);
    this.transcript.useHash(this.suite.hash);
    return this.encoded(serverHello, value as ServerHello);
  }

  certificate(chain: readonly Uint8Array[] = this.credential.certificates): Uint8Array {
    return this.encoded(certificate12, { certificateList: chain });
  }

  keyExchange(
    options: Signed & { params?: Partial<ServerEcdhParams>; signed?: Uint8Array } = {},
  ): Uint8Array {
    const params = { namedCurve: 0x001d, point: this.share.share, ...options.params };
    const encodedParams = encode(serverEcdhParams, params);
    const content = options.signed ?? concat(this.clientRandom, this.serverRandom, encodedParams);
    const signed = sign(this.credential, content, options);
    return this.encoded(EXCHANGE, { params, encodedParams, signed });
  }

  certificateRequest(certificateTypes: readonly number[] = [1, 64]): Uint8Array {
    return this.encoded(certificateRequest12, {
      certificateTypes,
      supportedSignatureAlgorithms: SIGNATURE_SCHEMES.map((scheme) => scheme.id),
      certificateAuthorities: [],
    });
  }

  helloDone(): Uint8Array {
    return this.encoded(serverHelloDone, true);
  }

  finished(change: (data: Uint8Array) => Uint8Array = (data) => data): Uint8Array {
    return this.makeFinished('server', change);
  }

  /** The handshake as it should be up to and with this message. */
  upTo(
    last: 'server_hello' | 'certificate' | 'server_key_exchange' | 'server_hello_done' | 'ccs' | 'done',
  ): this {
    this.send(this.serverHello());
    if (last === 'server_hello') return this;
    this.send(this.certificate());
    if (last === 'certificate') return this;
    this.send(this.keyExchange());
    if (last === 'server_key_exchange') return this;
    this.send(this.helloDone());
    if (last === 'server_hello_done') return this;
    this.changeKeys();
    return last === 'ccs' ? this : this.send(this.finished());
  }

  /** ChangeCipherSpec, and the keys with it. */
  changeKeys(): this {
    this.changeCipherSpec();
    this.sealer = this.keys.serverSealer();
    return this;
  }

  protected onMessage(message: RawMessage): void {
    if (message.type !== HANDSHAKE_TYPE.client_key_exchange) return;
    this.agree(decodeMessage(ANSWER, message).point);
  }

  protected override onChangeCipherSpec(): void {
    // Before there are keys, it is one for middleboxes.
    if (this.keys !== undefined) this.opener = this.keys.clientOpener();
  }
}

/** A TLS 1.2 client that obeys the test. */
export class PuppetClient12 extends Puppet12 {
  serverPoint!: Uint8Array;

  hello(): WritableClientHello {
    return {
      legacyVersion: TLS12,
      random: this.provider.randomBytes(32),
      legacySessionId: new Uint8Array(0),
      cipherSuites: [0xc02b, 0xc02c, 0xc02f],
      legacyCompressionMethods: [0],
      extensions: new ExtensionBlock('client_hello')
        .set(serverName, serverNamesFor(SERVER_NAME))
        .set(supportedGroups, [0x001d, 0x0017])
        .set(ecPointFormats, [0])
        .set(
          signatureAlgorithms,
          SIGNATURE_SCHEMES.map((scheme) => scheme.id),
        )
        .set(extendedMasterSecret, null)
        .set(renegotiationInfo, new Uint8Array(0)),
    };
  }

  sendHello(change: (hello: WritableClientHello) => void = () => {}): this {
    const value = this.hello();
    change(value);
    this.clientRandom = value.random;
    return this.send(this.encoded(clientHello, value));
  }

  certificate(chain: readonly Uint8Array[] = this.credential.certificates): Uint8Array {
    return this.encoded(certificate12, { certificateList: chain });
  }

  keyExchange(point: Uint8Array = this.share.share): Uint8Array {
    const raw = this.encoded(ANSWER, { point });
    this.agree(this.serverPoint);
    return raw;
  }

  certificateVerify(options: Signed & { content?: Uint8Array } = {}): Uint8Array {
    const content = options.content ?? this.transcript.messages();
    return this.encoded(certificateVerify, sign(this.credential, content, options));
  }

  finished(change: (data: Uint8Array) => Uint8Array = (data) => data): Uint8Array {
    return this.makeFinished('client', change);
  }

  changeKeys(): this {
    this.changeCipherSpec();
    this.sealer = this.keys.clientSealer();
    return this;
  }

  complete(): this {
    this.sendHello();
    this.send(this.keyExchange());
    return this.changeKeys().send(this.finished());
  }

  protected onMessage(message: RawMessage): void {
    if (message.type === HANDSHAKE_TYPE.server_hello) {
      const hello = decodeMessage(serverHello, message) as ServerHello<'server_hello_12'>;
      this.serverRandom = hello.random;
      this.suite = cipherSuite(hello.cipherSuite)!;
      this.extended = hello.extensions.has(extendedMasterSecret);
      this.encryptThenMac = hello.extensions.has(encryptThenMac);
      this.transcript.useHash(this.suite.hash);
    }
    if (message.type === HANDSHAKE_TYPE.server_key_exchange && this.suite.keyExchange === 'ECDHE')
      this.serverPoint = (decodeMessage(EXCHANGE, message).params as ServerEcdhParams).point;
  }

  protected override onChangeCipherSpec(): void {
    this.opener = this.keys.serverOpener();
  }
}
