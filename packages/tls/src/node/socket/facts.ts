import type { X509Certificate } from 'node:crypto';
import type {
  CipherNameAndProtocol,
  DetailedPeerCertificate,
  EphemeralKeyInfo,
  PeerCertificate,
} from 'node:tls';
import type { Connection } from '../../connection/connection.ts';
import type { ConnectionInfo } from '../../handshake/result.ts';
import { checkBytes, checkString, checkUint32 } from '../errors/arguments.ts';
import { invalidState } from '../errors/errors.ts';
import * as describe from './connection-details.ts';
import { ErrorControl } from './error-control.ts';

/** The part of a TLSSocket that tells what was agreed on; of one that is destroyed null, as in Node, or undefined. */
export abstract class DescribedSocket extends ErrorControl {
  /** Everything both sides agreed on; undefined until the handshake is complete. Not in `node:tls`. */
  abstract get connectionInfo(): ConnectionInfo | undefined;
  /** @internal */
  abstract get _connection(): Connection | undefined;
  /** @internal */
  abstract get _isServer(): boolean;
  /** @internal Signature schemes of both sides, by number, ours and the peer's. */
  abstract get _signatureSchemes(): { readonly ours: readonly number[]; readonly theirs: readonly number[] };

  /** Null before the handshake is complete, and when the socket is destroyed. */
  override getProtocol(): string | null {
    return this.destroyed ? null : (this.connectionInfo?.version ?? null);
  }

  /** Null when the socket is destroyed, though Node's types do not say so. */
  override getCipher(): CipherNameAndProtocol {
    if (this.destroyed) return null as never;
    return describe.cipher(this.connectionInfo);
  }

  /** The group of the key exchange; empty on a server, as in Node, and null before the handshake is complete. */
  override getEphemeralKeyInfo(): EphemeralKeyInfo | object | null {
    return this.destroyed ? null : describe.ephemeralKey(this.connectionInfo, this._isServer);
  }

  override getPeerCertificate(detailed: true): DetailedPeerCertificate;
  override getPeerCertificate(detailed?: false): PeerCertificate;
  override getPeerCertificate(detailed?: boolean): PeerCertificate | DetailedPeerCertificate {
    if (this.destroyed) return null as never;
    return describe.peerCertificate(this.connectionInfo, detailed === true);
  }

  override getPeerX509Certificate(): X509Certificate | undefined {
    return this.destroyed ? undefined : describe.x509(this.connectionInfo?.peerCertificates);
  }

  override getCertificate(): PeerCertificate | object | null {
    if (this.destroyed) return null as never;
    return describe.localCertificate(this.connectionInfo);
  }

  override getX509Certificate(): X509Certificate | undefined {
    // Node does not say who issued one's own.
    return this.destroyed ? undefined : describe.x509(this.connectionInfo?.localCertificates.slice(0, 1));
  }

  /** verify_data of the Finished that this side sent last; undefined before that. */
  override getFinished(): Buffer<ArrayBuffer> | undefined {
    if (this.destroyed) return null as never;
    return describe.buffer(this.connectionInfo?.finished.sent);
  }

  override getPeerFinished(): Buffer<ArrayBuffer> | undefined {
    if (this.destroyed) return null as never;
    return describe.buffer(this.connectionInfo?.finished.received);
  }

  /**
   * Signature algorithms that both sides take, by this side's preference, as `RSA-PSS+SHA256`; on a client, those
   * that the server would take of its certificate.
   */
  override getSharedSigalgs(): string[] {
    if (this.destroyed) return null as never;
    const { ours, theirs } = this._signatureSchemes;
    return describe.signatureAlgorithms(ours.filter((id) => theirs.includes(id)));
  }

  /**
   * Keying material for another protocol (RFC 5705); `length` in bytes. Throws `ERR_TLS_INVALID_STATE`;
   * `export-refused` up to TLS 1.2 with a peer that has no extended master secret (RFC 7627 §5.4).
   */
  override exportKeyingMaterial(length: number, label: string, context?: Uint8Array): Buffer<ArrayBuffer> {
    checkUint32('length', length);
    checkString('label', label);
    if (context !== undefined) checkBytes('context', context);
    if (this.connectionInfo === undefined || this.destroyed) throw invalidState();
    const material = this._connection!.exportKeyingMaterial(length, label, context);
    return Buffer.from(material.buffer as ArrayBuffer, material.byteOffset, material.length);
  }

  override isSessionReused(): boolean {
    if (this.destroyed) return null as never;
    return this.connectionInfo?.resumed === true;
  }
}
