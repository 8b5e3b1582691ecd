import { concat, utf8 } from '@testudo/codec';
import type { CryptoProvider, SignatureAlgorithm } from '@testudo/crypto';
import type { Credential } from '../certificates/credential.ts';
import { ExtensionBlock } from '../extensions/block.ts';
import { keyShare } from '../extensions/key-share.ts';
import { signatureAlgorithms, supportedVersions } from '../extensions/negotiation.ts';
import { type Group, groupById } from '../groups/index.ts';
import { certificate13 } from '../messages/certificate.ts';
import { certificateRequest13 } from '../messages/certificate-request.ts';
import { certificateVerify } from '../messages/certificate-verify.ts';
import { type ClientHello, clientHello } from '../messages/client-hello.ts';
import { encryptedExtensions } from '../messages/encrypted-extensions.ts';
import { finished } from '../messages/finished.ts';
import { decodeMessage, HANDSHAKE_TYPE, type RawMessage } from '../messages/handshake-type.ts';
import { type NewSessionTicket13, newSessionTicket13 } from '../messages/new-session-ticket.ts';
import { RETRY_RANDOM, type ServerHello, serverHello } from '../messages/server-hello.ts';
import { SIGNATURE_SCHEMES } from '../signature-schemes.ts';
import { type CipherSuite13, cipherSuite13 } from '../suites/index.ts';
import { finishedData } from '../tls13/finished.ts';
import { KeySchedule } from '../tls13/key-schedule.ts';
import { TLS12, TLS13 } from '../versions.ts';
import type { TestEnd } from './end.ts';
import { Puppet } from './puppet.ts';

type Writable<T> = { -readonly [K in keyof T]: T[K] };
export type WritableServerHello = Writable<ServerHello>;

const NOTHING = new Uint8Array(0);

/** A TLS 1.3 server that obeys the test. Its steps only make messages; `send` sends them. */
export class PuppetServer13 extends Puppet {
  readonly credential: Credential;
  suite: CipherSuite13;
  hello!: ClientHello;
  group!: Group;
  schedule!: KeySchedule;
  psk: Uint8Array | undefined;
  clientHandshakeSecret!: Uint8Array;
  serverHandshakeSecret!: Uint8Array;
  clientSecret!: Uint8Array;
  serverSecret!: Uint8Array;

  constructor(provider: CryptoProvider, end: TestEnd, credential: Credential, suiteId = 0x1301) {
    super(provider, end);
    this.credential = credential;
    this.suite = cipherSuite13(suiteId)!;
    this.hello = decodeMessage(clientHello, this.messages[0]!);
  }

  protected onMessage(message: RawMessage): void {
    if (message.type === HANDSHAKE_TYPE.client_hello) this.hello = decodeMessage(clientHello, message);
    if (message.type === HANDSHAKE_TYPE.finished) this.opener = this.schedule.opener(this.clientSecret);
  }

  /** A ServerHello that answers the client's first share; `change` may spoil it. Keys change with it. */
  sendServerHello(change: (hello: WritableServerHello) => void = () => {}): this {
    const entry = this.hello.extensions.get(keyShare)![0]!;
    this.group = groupById(entry.group)!;
    const { share, secret } = this.group.respond(this.provider, entry.keyExchange);
    const value: WritableServerHello = {
      legacyVersion: TLS12,
      random: this.provider.randomBytes(32),
      legacySessionIdEcho: this.hello.legacySessionId,
      cipherSuite: this.suite.id,
      legacyCompressionMethod: 0,
      extensions: new ExtensionBlock('server_hello')
        .set(supportedVersions, TLS13)
        .set(keyShare, { group: this.group.id, keyExchange: share }),
    };
    change(value);
    this.transcript.useHash(this.suite.hash);
    const record = this.sealed(22, this.encoded(serverHello, value));
    this.#enterHandshake(secret);
    return this.bytes(record);
  }

  /** A HelloRetryRequest for `group`, or as `change` has it. The transcript is as it must be afterwards. */
  sendRetry(group: number, change: (hello: WritableServerHello) => void = () => {}): this {
    const value: WritableServerHello = {
      legacyVersion: TLS12,
      random: RETRY_RANDOM,
      legacySessionIdEcho: this.hello.legacySessionId,
      cipherSuite: this.suite.id,
      legacyCompressionMethod: 0,
      extensions: new ExtensionBlock('hello_retry_request')
        .set(supportedVersions, TLS13)
        .set(keyShare, group),
    };
    change(value);
    this.transcript.replaceClientHello(this.suite.hash);
    return this.send(this.encoded(serverHello, value));
  }

  encryptedExtensions(
    change: (block: ExtensionBlock<'encrypted_extensions'>) => void = () => {},
  ): Uint8Array {
    const extensions = new ExtensionBlock('encrypted_extensions');
    change(extensions);
    return this.encoded(encryptedExtensions, { extensions });
  }

  certificateRequest(
    change: (block: ExtensionBlock<'certificate_request'>) => void = () => {},
    context: Uint8Array = NOTHING,
  ): Uint8Array {
    const extensions = new ExtensionBlock('certificate_request').set(
      signatureAlgorithms,
      SIGNATURE_SCHEMES.filter((scheme) => scheme.tls13).map((scheme) => scheme.id),
    );
    change(extensions);
    return this.encoded(certificateRequest13, { certificateRequestContext: context, extensions });
  }

  certificate(
    options: {
      chain?: readonly Uint8Array[];
      context?: Uint8Array;
      extensions?: (block: ExtensionBlock<'certificate'>, index: number) => void;
    } = {},
  ): Uint8Array {
    const chain = options.chain ?? this.credential.certificates;
    return this.encoded(certificate13, {
      certificateRequestContext: options.context ?? NOTHING,
      certificateList: chain.map((certData, index) => {
        const extensions = new ExtensionBlock('certificate');
        options.extensions?.(extensions, index);
        return { certData, extensions };
      }),
    });
  }

  /** Signed with the credential's key; everything can be wrong about it. */
  certificateVerify(
    options: {
      scheme?: number;
      algorithm?: SignatureAlgorithm;
      role?: 'client' | 'server';
      credential?: Credential;
      transcriptHash?: Uint8Array;
      change?: (signature: Uint8Array) => Uint8Array;
    } = {},
  ): Uint8Array {
    return this.encoded(certificateVerify, signedTranscript(this, { role: 'server', ...options }));
  }

  finished(change: (verifyData: Uint8Array) => Uint8Array = (data) => data): Uint8Array {
    const digest = this.transcript.digest();
    const data = finishedData(this.provider, this.suite.hash, this.serverHandshakeSecret, digest);
    const raw = this.encoded(finished, { verifyData: change(data) });
    this.schedule.enterMain();
    this.clientSecret = this.schedule.derive('c ap traffic', this.transcript.digest());
    this.serverSecret = this.schedule.derive('s ap traffic', this.transcript.digest());
    return raw;
  }

  /** From here on the puppet sends under the application key. */
  enterApplication(): this {
    this.sealer = this.schedule.sealer(this.serverSecret);
    return this;
  }

  /** The whole handshake as it should be, up to and with the message named. */
  upTo(
    last:
      | 'server_hello'
      | 'encrypted_extensions'
      | 'certificate'
      | 'certificate_verify'
      | 'finished'
      | 'done',
  ): this {
    this.sendServerHello();
    if (last === 'server_hello') return this;
    this.send(this.encryptedExtensions());
    if (last === 'encrypted_extensions') return this;
    this.send(this.certificate());
    if (last === 'certificate') return this;
    this.send(this.certificateVerify());
    if (last === 'certificate_verify') return this;
    this.send(this.finished());
    return last === 'finished' ? this : this.enterApplication();
  }

  ticket(change: Partial<NewSessionTicket13> = {}): Uint8Array {
    return this.encoded(newSessionTicket13, {
      ticketLifetime: 3600,
      ticketAgeAdd: 1,
      ticketNonce: Uint8Array.of(0),
      ticket: Uint8Array.of(1, 2, 3, 4),
      extensions: new ExtensionBlock('new_session_ticket'),
      ...change,
    });
  }

  #enterHandshake(secret: Uint8Array): void {
    this.schedule = new KeySchedule(this.provider, this.suite, this.psk);
    this.schedule.enterHandshake(secret);
    const digest = this.transcript.digest();
    this.clientHandshakeSecret = this.schedule.derive('c hs traffic', digest);
    this.serverHandshakeSecret = this.schedule.derive('s hs traffic', digest);
    this.sealer = this.schedule.sealer(this.serverHandshakeSecret);
    this.opener = this.schedule.opener(this.clientHandshakeSecret, { plaintextAlerts: true });
  }
}

/** A CertificateVerify over the puppet's transcript, or over something else. */
export function signedTranscript(
  puppet: Puppet & { readonly credential: Credential },
  options: {
    scheme?: number;
    algorithm?: SignatureAlgorithm;
    role: 'client' | 'server';
    credential?: Credential;
    transcriptHash?: Uint8Array;
    change?: (signature: Uint8Array) => Uint8Array;
  },
): { algorithm: number; signature: Uint8Array } {
  const own = options.credential ?? puppet.credential;
  const fitting = SIGNATURE_SCHEMES.find((scheme) => scheme.tls13 && scheme.fits(own.keyKind, TLS13))!;
  const content = concat(
    new Uint8Array(64).fill(0x20),
    utf8(`TLS 1.3, ${options.role} CertificateVerify\0`),
    options.transcriptHash ?? puppet.transcript.digest(),
  );
  const signature = own.sign(options.algorithm ?? fitting.algorithm, content) as Uint8Array;
  return { algorithm: options.scheme ?? fitting.id, signature: options.change?.(signature) ?? signature };
}
