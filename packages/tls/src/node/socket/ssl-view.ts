import type { EngineSocket } from './engine-socket.ts';
import { verifyProblem } from './judgement.ts';

/** The part of Node's `TLSWrap` that programs are known to use. */
export interface SslView {
  /** What is wrong with the peer's certificate, whatever its name. */
  verifyError(): Error | null;
  getServername(): string | false | null;
  isSessionReused(): boolean;
  /** The connection's descriptor; -1 where there is none. */
  readonly fd: number;
}

export function sslView(socket: EngineSocket): SslView {
  return {
    verifyError: () => verifyProblem(socket),
    getServername: () => socket.servername,
    isSessionReused: () => socket.isSessionReused(),
    get fd() {
      return (socket.transport as { _handle?: { fd?: number } | null })._handle?.fd ?? -1;
    },
  };
}
