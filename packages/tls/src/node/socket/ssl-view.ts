import type { TLSSocket as NodeTlsSocket } from 'node:tls';
import type { CertificateVerifier } from '../../certificates/verdict.ts';
import type { ConnectionInfo } from '../../handshake/result.ts';
import type { NodeTlsError } from '../errors/errors.ts';
import type { EngineSocket } from './engine-socket.ts';
import { note, peerError, verifyProblem } from './judgement.ts';
import { TransportSocket } from './stream-options.ts';

/** The part of a TLSSocket that tells what was found out about the peer's certificate. */
export abstract class JudgedSocket extends TransportSocket {
  /** Whether the peer's certificate was verified and, for a server's, is for the wanted name. */
  override authorized = false;
  /** Why the peer is not authorized: the error's code, as in Node. Null when it is, or nothing was asked. */
  override authorizationError: NodeTlsSocket['authorizationError'] = null as never;
  /** @internal What the verifier found wrong with the peer's certificate. */
  _peerError: Error | undefined;

  #ssl: SslView | null | undefined;

  /** What programs ask of OpenSSL's object in Node, which it has here in its place; null when the socket is destroyed. */
  get ssl(): SslView | null {
    if (this.destroyed) return null;
    if (this.#ssl === undefined) this.#ssl = sslView(this as unknown as EngineSocket);
    return this.#ssl;
  }

  /** Node's gives OpenSSL's object up; what is to be said to the peer is said by `destroy`. */
  _destroySSL(): void {
    this.#ssl = null;
  }

  /** A verifier within the handshake has judged by then; otherwise whoever made this socket does. */
  protected authorize(
    info: ConnectionInfo,
    verify: CertificateVerifier | undefined,
    by: { readonly name: string | undefined; readonly isJudged: boolean },
  ): void {
    this._peerError = peerError(info, verify, by.name);
    const error = this._peerError as NodeTlsError | undefined;
    if (by.isJudged && info.peerCertificates.length > 0) {
      note(this as unknown as EngineSocket, error === undefined ? null : (error.code ?? error.message));
    } else {
      this.authorized = false;
      this.authorizationError = null as never;
    }
  }
}

/** The part of Node's `TLSWrap` that programs are known to use. */
export interface SslView {
  /** What is wrong with the peer's certificate, whatever its name. */
  verifyError(): Error | null;
  getServername(): string | false | null;
  isSessionReused(): boolean;
  /** The connection's descriptor; -1 where there is none. */
  readonly fd: number;
}

function sslView(socket: EngineSocket): SslView {
  return {
    verifyError: () => verifyProblem(socket),
    getServername: () => socket.servername,
    isSessionReused: () => socket.isSessionReused(),
    get fd() {
      return (socket.transport as { _handle?: { fd?: number } | null })._handle?.fd ?? -1;
    },
  };
}
