import type { HashName } from '@testudo/crypto';
import { MAX_WAITING_CERTIFICATE_REQUESTS } from '../config/defaults.ts';
import { TlsError } from '../errors.ts';
import { postHandshakeAuth } from '../extensions/negotiation.ts';
import type { Flow } from '../flow.ts';
import type { ServerHandshake } from '../handshake/context.ts';
import { receive } from '../handshake/message-flow.ts';
import { type AuthenticatedPeer, isIdentified } from '../handshake/peer.ts';
import type { AfterHandshake, ConnectionInfo } from '../handshake/result.ts';
import { certificate13 } from '../messages/certificate.ts';
import { certificateRequest13 } from '../messages/certificate-request.ts';
import type { ClientHello } from '../messages/client-hello.ts';
import { compressedCertificate } from '../messages/compressed-certificate.ts';
import { finished } from '../messages/finished.ts';
import { encodeMessage, type RawMessage } from '../messages/handshake-type.ts';
import type { AcceptedPsk } from './accepted-psk.ts';
import { authenticateClient, certificateRequestExtensions } from './client-authentication.ts';
import { finishedData, verifyFinished } from './finished.ts';
import { laterTranscript } from './later-answers.ts';
import type { CurrentKeys, LaterAuthentication } from './later-authentication.ts';

/**
 * Whether a client's certificate can be asked for later: it offers that, and this server can judge it. Who was known by an
 * external key must not be asked (RFC 9846 §4.4.2).
 */
export function takesLaterRequests(
  h: ServerHandshake,
  hello: ClientHello,
  psk: AcceptedPsk | undefined,
): boolean {
  if (psk !== undefined && psk.session === undefined) return false;
  return hello.extensions.has(postHandshakeAuth) && h.config.features.takes.length > 0;
}

/** A request; it is sent when the one before is answered. */
interface Request {
  readonly required: boolean;
  readonly context: Uint8Array;
  readonly raw: Uint8Array;
}

/** A server that may ask for the client's certificate after the handshake, any number of times (RFC 9846 §4.7.2). */
export class LaterRequests implements LaterAuthentication {
  readonly #constant: Pick<
    ServerHandshake,
    'provider' | 'channel' | 'config' | 'observer' | 'certificateTypes'
  >;
  readonly #hash: HashName;
  readonly #handshake: Uint8Array;
  #info: ConnectionInfo;
  readonly #requests: Request[] = [];

  /** @param handshake its messages, to the client's Finished. */
  constructor(h: ServerHandshake, hash: HashName, handshake: Uint8Array, info: ConnectionInfo) {
    const { provider, channel, config, observer } = h;
    const types = h.certificateTypes === undefined ? {} : { certificateTypes: h.certificateTypes };
    this.#constant = { provider, channel, config, observer, ...types };
    this.#hash = hash;
    this.#handshake = handshake;
    this.#info = info;
  }

  takes(type: number): boolean {
    if (this.#requests.length === 0) return false;
    return type === certificate13.type || type === compressedCertificate.type;
  }

  request(required: boolean): void {
    if (this.#requests.length >= MAX_WAITING_CERTIFICATE_REQUESTS) {
      throw new TlsError('not-connected', 'the client has not answered the previous certificate requests');
    }
    // Unique, and not to be guessed (RFC 9846 §4.4.2).
    const context = this.#constant.provider.randomBytes(16);
    const extensions = certificateRequestExtensions(this.#handshakeWith(required, new Uint8Array(0)));
    const raw = encodeMessage(certificateRequest13, { certificateRequestContext: context, extensions });
    this.#requests.push({ required, context, raw });
    if (this.#requests.length === 1) this.#constant.channel.writeHandshake(raw);
  }

  *receive(message: RawMessage, keys: CurrentKeys): Flow<AfterHandshake> {
    const { required, context, raw } = this.#requests[0]!;
    const h = this.#handshakeWith(required, raw);
    h.lookahead = message;
    const client = yield* authenticateClient(h, context);
    const { provider } = h;
    const expected = finishedData(provider, this.#hash, keys.read(), h.transcript.digest());
    const { verifyData } = yield* receive(h, finished);
    verifyFinished(provider, verifyData, expected);
    this.#requests.shift();
    const next = this.#requests[0];
    if (next !== undefined && !keys.writeEnded()) h.channel.writeHandshake(next.raw);
    if (isIdentified(client)) this.#info = authenticated(this.#info, client, h);
    return { info: this.#info };
  }

  #handshakeWith(required: boolean, request: Uint8Array): ServerHandshake {
    const { provider, config } = this.#constant;
    return {
      ...this.#constant,
      config: { ...config, clientCertificate: required ? 'require' : 'request' },
      transcript: laterTranscript(provider, this.#hash, this.#handshake, request),
      now: config.now(),
      lookahead: undefined,
      helloRequestsLeft: 0,
    };
  }
}

/** What is known now of the client: nothing of what another certificate came with. */
function authenticated(
  info: ConnectionInfo,
  client: AuthenticatedPeer,
  { negotiated }: ServerHandshake,
): ConnectionInfo {
  return {
    ...info,
    clientSignatureScheme: client.scheme,
    peerCertificates: client.certificates,
    peerCertificateHash: client.certificateHash,
    peerRawPublicKey: client.rawPublicKey,
    authorizationError: client.error,
    verifiedPath: client.path,
    ocspResponse: client.ocspResponse,
    ocspResponses: client.ocspResponses,
    signedCertificateTimestamps: client.signedCertificateTimestamps,
    peerDelegation: negotiated?.delegationReceived,
  };
}
