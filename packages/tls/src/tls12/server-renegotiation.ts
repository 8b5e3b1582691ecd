import type { ServerTerms } from '../config/config.ts';
import { TlsError } from '../errors.ts';
import { supportedVersions } from '../extensions/negotiation.ts';
import type { Flow } from '../flow.ts';
import type { PreviousHandshake, ServerHandshake } from '../handshake/context.ts';
import { receiveRaw } from '../handshake/message-flow.ts';
import type { AfterHandshake, HandshakeResult } from '../handshake/result.ts';
import { Transcript } from '../handshake/transcript.ts';
import { hostName } from '../hello/client-hello-info.ts';
import { type ClientHello, checkLegacyVersion, clientHello } from '../messages/client-hello.ts';
import { HANDSHAKE_TYPE, type RawMessage } from '../messages/handshake-type.ts';
import { type Version, versionName } from '../versions.ts';
import { peerMayBegin, type Renegotiation } from './renegotiation.ts';
import type { VersionRules } from './version-rules.ts';

/** A server's handshake from ClientHello on. */
type Continuation = (h: ServerHandshake, rules: VersionRules, received: ClientHello) => Flow<HandshakeResult>;

type Constant = Pick<ServerHandshake, 'provider' | 'channel' | 'config' | 'observer'>;

const REQUIRED = 'require';

type Asked = { readonly certificate: 'no' | 'request' | 'require' };
const STRICTNESS = { no: 0, request: 1, require: 2 } as const;

/** A server's renegotiation: with a ClientHello that it asked for by HelloRequest, or that came by itself (RFC 5746 §3.7). */
export class ServerRenegotiation implements Renegotiation {
  readonly #constant: Constant;
  readonly #rules: VersionRules;
  readonly #previous: PreviousHandshake;
  readonly #goOn: Continuation;
  /** A HelloRequest is not answered yet. */
  #asked: Asked | undefined;

  constructor(h: ServerHandshake, rules: VersionRules, previous: PreviousHandshake, goOn: Continuation) {
    // Not the handshake itself: it holds on to the transcript.
    const { provider, channel, config, observer } = h;
    this.#constant = { provider, channel, config, observer };
    this.#rules = rules;
    this.#previous = previous;
    this.#goOn = goOn;
  }

  /** ClientHello. */
  answer(message: RawMessage): Flow<AfterHandshake> | undefined {
    const asked = this.#asked;
    this.#asked = undefined;
    if (asked === undefined && !peerMayBegin(this.#previous)) return undefined;
    return this.#renegotiate(message, asked?.certificate ?? 'no');
  }

  /** Sends a HelloRequest; a client may pass it over, so nothing waits for the answer. */
  begin(): undefined {
    this.#ask({ certificate: 'no' });
  }

  requestCertificate(required: boolean): void {
    if (this.#constant.config.features.takes.length === 0) {
      throw new TlsError('bad-option', 'a server that asks for client certificates needs verifyCertificate');
    }
    const certificate = required ? REQUIRED : 'request';
    this.#ask({ certificate });
  }

  declined(): void {
    this.#asked = undefined;
  }

  #ask(asked: Asked): void {
    // One is enough: the client answers it, or it will not (RFC 5246 §7.4.1.1).
    if (this.#asked === undefined)
      this.#constant.channel.writeHandshake(Uint8Array.of(HANDSHAKE_TYPE.hello_request, 0, 0, 0));
    // One answer for all that was asked: whoever demands a certificate gets no less.
    if (this.#asked === undefined || STRICTNESS[asked.certificate] > STRICTNESS[this.#asked.certificate])
      this.#asked = asked;
  }

  *#renegotiate(message: RawMessage, asked: Asked['certificate']): Flow<HandshakeResult> {
    const h = this.#handshake(message, asked);
    const { value: hello, raw } = yield* receiveRaw(h, clientHello);
    h.clientHello = raw;
    h.channel.requestedName = hostName(hello);
    checkLegacyVersion(hello);
    checkVersion(hello, this.#rules.version);
    if (!hello.legacyCompressionMethods.includes(0))
      throw new TlsError('illegal-parameter', 'ClientHello asks for compression');
    return yield* this.#goOn(h, this.#rules, hello);
  }

  #handshake(message: RawMessage, asked: Asked['certificate']): ServerHandshake {
    const { config, provider } = this.#constant;
    const isKnown = this.#previous.peerCertificates.length > 0;
    // A client that has shown its certificate shows it again.
    const wanted = asked === 'no' && isKnown ? 'require' : asked;
    return {
      ...this.#constant,
      config: wanted === 'no' ? config : asking(config, wanted),
      transcript: new Transcript(provider),
      now: config.now(),
      lookahead: message,
      helloRequestsLeft: 0,
      wantsCertificate: asked !== 'no',
      renegotiates: this.#previous,
    };
  }
}

function asking(config: ServerTerms, wanted: 'request' | 'require'): ServerTerms {
  const own = config.clientCertificate;
  return { ...config, clientCertificate: own === 'require' ? own : wanted };
}

/** The version stays as it is, whatever else the client has learnt since (RFC 9846 §4.2.2). */
function checkVersion({ extensions, legacyVersion }: ClientHello, version: Version): void {
  const offered = extensions.get(supportedVersions);
  if (offered?.includes(version) ?? legacyVersion >= version) return;
  throw new TlsError('no-common-version', `a renegotiation that does not offer ${versionName(version)}`);
}
