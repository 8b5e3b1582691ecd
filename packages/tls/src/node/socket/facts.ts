import type { X509Certificate } from 'node:crypto';
import type {
  CipherNameAndProtocol,
  DetailedPeerCertificate,
  EphemeralKeyInfo,
  PeerCertificate,
} from 'node:tls';
import type { ConnectionInfo } from '../../handshake/result.ts';
import { checkBytes, checkString, checkUint32 } from '../errors/arguments.ts';
import { invalidState } from '../errors/errors.ts';
import * as describe from './connection-details.ts';
import type { EngineSocket } from './engine-socket.ts';

/** What was agreed on, as the methods of a TLSSocket tell it; of one that is destroyed null, as in Node, or undefined. */
export class SocketFacts {
  /** Everything both sides agreed on; undefined until the handshake is complete. */
  info: ConnectionInfo | undefined;
  readonly #socket: EngineSocket;

  constructor(socket: EngineSocket) {
    this.#socket = socket;
  }

  protocol(): string | null {
    return this.#socket.destroyed ? null : (this.info?.version ?? null);
  }

  cipher(): CipherNameAndProtocol {
    if (this.#socket.destroyed) return null as never;
    return describe.cipher(this.info);
  }

  ephemeralKey(): EphemeralKeyInfo | object | null {
    return this.#socket.destroyed ? null : describe.ephemeralKey(this.info, this.#socket._isServer);
  }

  peerCertificate(detailed: boolean): PeerCertificate | DetailedPeerCertificate {
    if (this.#socket.destroyed) return null as never;
    return describe.peerCertificate(this.info, detailed);
  }

  peerX509(): X509Certificate | undefined {
    return this.#socket.destroyed ? undefined : describe.x509(this.info?.peerCertificates);
  }

  certificate(): PeerCertificate | object | null {
    if (this.#socket.destroyed) return null as never;
    return describe.localCertificate(this.info);
  }

  x509(): X509Certificate | undefined {
    // Node does not say who issued one's own.
    return this.#socket.destroyed ? undefined : describe.x509(this.info?.localCertificates.slice(0, 1));
  }

  /** verify_data of the last Finished of a direction. */
  finished(direction: 'sent' | 'received'): Buffer<ArrayBuffer> | undefined {
    if (this.#socket.destroyed) return null as never;
    return describe.buffer(this.info?.finished[direction]);
  }

  /** @param ours by number, by preference. */
  sharedSignatureAlgorithms(ours: readonly number[]): string[] {
    if (this.#socket.destroyed) return null as never;
    const { peerSignatureSchemes } = (this.info ?? {}) as { peerSignatureSchemes?: readonly number[] };
    const theirs = peerSignatureSchemes ?? ours;
    return describe.signatureAlgorithms(ours.filter((id) => theirs.includes(id)));
  }

  exportKeyingMaterial(length: number, label: string, context: Uint8Array | undefined): Buffer<ArrayBuffer> {
    checkUint32('length', length);
    checkString('label', label);
    if (context !== undefined) checkBytes('context', context);
    if (this.info === undefined || this.#socket.destroyed) throw invalidState();
    const material = this.#socket._connection!.exportKeyingMaterial(length, label, context);
    return Buffer.from(material.buffer as ArrayBuffer, material.byteOffset, material.length);
  }

  isSessionReused(): boolean {
    if (this.#socket.destroyed) return null as never;
    return this.info?.resumed === true;
  }
}
