import type { Connection } from '../../connection/connection.ts';
import type { ConnectionInfo } from '../../handshake/result.ts';

/**
 * Early data of one connection until the handshake is complete. A server's is kept back, since only then it is proven to
 * be no copy (RFC 8470 §3); the engine bounds it. A client's may have to be sent again.
 */
export class EarlyData {
  readonly #chunks: Uint8Array[] = [];
  #sent = 0;

  /** Server: some has come. */
  keep(bytes: Uint8Array): void {
    this.#chunks.push(bytes);
  }

  /** Client: sends as much as the session allows. */
  send(connection: Connection, bytes: Uint8Array): void {
    this.#chunks.push(bytes);
    this.#sent = Math.min(bytes.length, connection.earlyDataLeft);
    if (this.#sent > 0) connection.sendEarlyData(bytes.subarray(0, this.#sent));
  }

  /** The handshake is complete: what a server's reader gets; a client sends the rest, or all of it if none arrived. */
  settle(connection: Connection, info: ConnectionInfo): readonly Uint8Array[] {
    if (info.role === 'server') return this.#chunks;
    const rest = this.#chunks[0]!.subarray(info.earlyData === 'accepted' ? this.#sent : 0);
    if (rest.length > 0) connection.send(rest);
    return [];
  }
}
