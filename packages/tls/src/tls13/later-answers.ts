import type { HashName } from '@testudo/crypto';
import { MAX_CERTIFICATE_REQUESTS } from '../config/defaults.ts';
import { TlsError } from '../errors.ts';
import type { Flow } from '../flow.ts';
import type { Channel, ClientHandshake } from '../handshake/context.ts';
import { send } from '../handshake/message-flow.ts';
import type { AfterHandshake, ConnectionInfo } from '../handshake/result.ts';
import { Transcript } from '../handshake/transcript.ts';
import { certificateRequest13 } from '../messages/certificate-request.ts';
import { finished } from '../messages/finished.ts';
import { decodeMessage, type RawMessage } from '../messages/handshake-type.ts';
import { sendCredential } from './client-credential.ts';
import { finishedData } from './finished.ts';
import type { CurrentKeys, LaterAuthentication } from './later-authentication.ts';

type Constant = Omit<ClientHandshake, 'transcript' | 'channel' | 'now' | 'lookahead'>;

/** A client that may be asked for its certificate after the handshake, any number of times (RFC 9846 §4.7.2). */
export class LaterAnswers implements LaterAuthentication {
  readonly #constant: Constant;
  readonly #channel: Channel;
  readonly #hash: HashName;
  readonly #handshake: Uint8Array;
  #info: ConnectionInfo;
  #requests = 0;

  /** @param handshake its messages, to the client's Finished. */
  constructor(h: ClientHandshake, hash: HashName, handshake: Uint8Array, info: ConnectionInfo) {
    const { provider, config, observer, host, serverName, onSession } = h;
    this.#constant = {
      ...{ provider, config, observer, host, serverName, onSession },
      ...{ session: undefined, helloRequestsLeft: 0, wantsEarlyData: false },
      ...(h.certificateTypes === undefined ? {} : { certificateTypes: h.certificateTypes }),
    };
    this.#channel = h.channel;
    this.#hash = hash;
    this.#handshake = handshake;
    this.#info = info;
  }

  takes(type: number): boolean {
    return type === certificateRequest13.type;
  }

  receive(message: RawMessage, keys: CurrentKeys): Flow<AfterHandshake> | undefined {
    if (++this.#requests > MAX_CERTIFICATE_REQUESTS) {
      throw new TlsError(
        'unexpected-message',
        `more than ${MAX_CERTIFICATE_REQUESTS} certificate requests on one connection`,
      );
    }
    return keys.writeEnded() ? undefined : this.#answer(message, keys);
  }

  request(): void {
    throw new TlsError('not-connected', 'a client cannot ask for a certificate: it always gets one');
  }

  *#answer(message: RawMessage, keys: CurrentKeys): Flow<AfterHandshake> {
    const request = decodeMessage(certificateRequest13, message);
    if (request.certificateRequestContext.length === 0) {
      throw new TlsError(
        'illegal-parameter',
        'a certificate request after the handshake must have a context',
      );
    }
    const { provider, config } = this.#constant;
    // The answer goes out in one piece, however long the signature takes: nothing may come in between (RFC 9846 §4.7.2).
    const answer: Uint8Array[] = [];
    const channel = { writeHandshake: (raw: Uint8Array) => void answer.push(raw) } as Channel;
    const transcript = laterTranscript(provider, this.#hash, this.#handshake, message.raw);
    const h = { ...this.#constant, channel, transcript, now: config.now(), lookahead: undefined };
    const own = yield* sendCredential(h, request);
    send(h, finished, {
      verifyData: finishedData(provider, this.#hash, keys.write(), transcript.digest()),
    });
    if (keys.writeEnded()) return { info: undefined };
    for (const raw of answer) this.#channel.writeHandshake(raw);
    if (own !== undefined) {
      const { credential, scheme, delegated } = own;
      const { certificates: localCertificates, rawPublicKey: localRawPublicKey } = credential;
      const localDelegation = delegated && { scheme, expiresAt: delegated.expiresAt };
      const shown = { localCertificates, localRawPublicKey, clientSignatureScheme: scheme, localDelegation };
      this.#info = { ...this.#info, ...shown };
    }
    return { info: this.#info };
  }
}

/** The handshake and the request: what an answer signs (RFC 9846 §4.5, Table 2). */
export function laterTranscript(
  provider: ClientHandshake['provider'],
  hash: HashName,
  handshake: Uint8Array,
  request: Uint8Array,
): Transcript {
  const transcript = new Transcript(provider);
  transcript.add(handshake);
  transcript.add(request);
  transcript.useHash(hash);
  transcript.forgetMessages();
  return transcript;
}
