import type { DetailedPeerCertificate } from 'node:tls';
import type { CertificateVerifier } from '../../certificates/verdict.ts';
import type { ConnectionInfo } from '../../handshake/result.ts';
import { SYSTEM_CA_HINT } from '../as-node/running-node.ts';
import { type NodeTlsError, nodeError } from '../errors/errors.ts';
import type { IdentityCheck } from '../verification/identity-check.ts';
import { tooSmallField } from './connection-details.ts';
import type { EngineSocket } from './engine-socket.ts';

/** What `tls.connect` asks of a server, besides what its context does. */
export interface ServerDemands {
  /** The name that the certificate is to be for. */
  readonly identity: string;
  readonly rejectUnauthorized: boolean;
  /** Bits of a finite field. */
  readonly minDHSize: number;
  /** Undefined where the context's verifier has looked at the name. */
  readonly check: IdentityCheck | undefined;
}

/**
 * Passes judgement on a server when the handshake is complete, as Node does in `tls.connect` and nowhere else: a TLSSocket
 * that somebody makes leaves it to him. Nothing of the application has been sent or told by then.
 */
export function judgeServer(socket: EngineSocket, demands: ServerDemands): void {
  if (socket.destroyed) return;
  const tooSmall = tooSmallField(socket.connectionInfo!, demands.minDHSize);
  if (tooSmall !== undefined) {
    refuse(socket, tooSmall);
    return;
  }
  const problem = serverProblem(socket, demands);
  if (problem) {
    note(socket, (problem as NodeTlsError).code || problem.message);
    if (demands.rejectUnauthorized) {
      refuse(socket, problem);
      return;
    }
  } else {
    note(socket, null);
  }
  socket.secureConnecting = false;
  socket.emit('secureConnect');
}

/** A verifier within the handshake has judged by then; otherwise whoever made this socket does. */
export function authorize(
  socket: EngineSocket,
  info: ConnectionInfo,
  verify: CertificateVerifier | undefined,
  by: { readonly name: string | undefined; readonly isJudged: boolean },
): void {
  const found = peerError(info, verify, by.name);
  socket._peerError = found;
  if (by.isJudged && info.peerCertificates.length > 0) {
    const error = found as NodeTlsError | undefined;
    note(socket, error === undefined ? null : (error.code ?? error.message));
  } else {
    socket.authorized = false;
    socket.authorizationError = null as never;
  }
}

/** The code of what is wrong, or null; Node's types say that it were the error itself. */
function note(socket: EngineSocket, code: string | null): void {
  socket.authorized = code === null;
  socket.authorizationError = code as never;
}

/** As in Node, the end of the handshake does not leave any more where this side has still to send it. */
function refuse(socket: EngineSocket, problem?: Error): void {
  socket._connection?.takeOutgoing();
  socket.destroy(problem);
}

/** Node takes anything that is true for an error, and nothing else. */
function serverProblem(socket: EngineSocket, { check, identity }: ServerDemands): Error | null | undefined {
  const problem = verifyProblem(socket) ?? socket._peerError;
  if (problem || check === undefined || socket.isSessionReused()) return problem;
  try {
    return check(identity, socket.getPeerCertificate(true) as DetailedPeerCertificate);
  } catch (error) {
    // It goes its way, as from any handler; without a verdict there is no connection.
    refuse(socket);
    throw error;
  }
}

/** Passes judgement on a client that was asked for a certificate; false when the connection is over. */
export function judgeClient(socket: EngineSocket): boolean {
  const { _requestCert: asks, _rejectUnauthorized: rejects } = socket as unknown as {
    _requestCert: boolean;
    _rejectUnauthorized: boolean;
  };
  if (asks && !socket.destroyed) {
    const problem = isNobody(socket) ? noCertificate() : verifyProblem(socket);
    note(socket, problem === null ? null : problem.code);
    if (problem !== null && rejects) refuse(socket);
  }
  if (!socket.destroyed) socket.secureConnecting = false;
  return !socket.destroyed;
}

/** What `socket.ssl.verifyError()` says in Node: OpenSSL's verdict on the chain, names apart. Null when all is well. */
export function verifyProblem(socket: EngineSocket): NodeTlsError | null {
  const error = socket._peerError as NodeTlsError | undefined;
  if (error !== undefined) return error.code === 'ERR_TLS_CERT_ALTNAME_INVALID' ? null : error;
  const info = socket.connectionInfo;
  // A shared key says who the peer is; in TLS 1.3, to OpenSSL a session is one.
  const isKnown = info?.pskIdentity !== undefined || (info?.resumed && info.version === 'TLSv1.3');
  return !isKnown && isNobody(socket) ? noCertificate() : null;
}

function isNobody({ connectionInfo: info }: EngineSocket): boolean {
  return !info || (info.peerCertificates.length === 0 && !info.peerRawPublicKey && !info.peerCertificateHash);
}

function noCertificate(): NodeTlsError {
  return nodeError('UNABLE_TO_GET_ISSUER_CERT', `unable to get issuer certificate${SYSTEM_CA_HINT}`);
}

/**
 * What the verifier finds wrong with the peer. Of a session that is resumed it is only known that something was wrong:
 * then the verifier is asked again.
 */
function peerError(
  info: ConnectionInfo,
  verify: CertificateVerifier | undefined,
  name: string | undefined,
): Error | undefined {
  const { authorizationError: error, peerCertificates: chain, resumed, role } = info;
  if (error === undefined || !resumed || verify === undefined || chain.length === 0) return error;
  const peer = role === 'client' ? 'server' : 'client';
  const verdict = verify({ chain, peer, name, ocspResponse: undefined, now: Date.now() });
  return verdict instanceof Promise ? error : (verdict.error ?? error);
}
