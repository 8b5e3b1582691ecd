import type { X509Certificate } from 'node:crypto';
import { Socket } from 'node:net';
import type {
  CipherNameAndProtocol,
  DetailedPeerCertificate,
  EphemeralKeyInfo,
  PeerCertificate,
} from 'node:tls';
import type { Connection } from '../connection.ts';
import type { ConnectionInfo } from '../handshake/result.ts';
import { checkBytes, checkString, checkUint32 } from './arguments.ts';
import * as describe from './connection-details.ts';
import { invalidState } from './errors.ts';

/** The part of a TLSSocket that tells what was agreed on. */
export abstract class DescribedSocket extends Socket {
  /** Everything both sides agreed on; undefined until the handshake is complete. Not in `node:tls`. */
  abstract get connectionInfo(): ConnectionInfo | undefined;
  /** @internal */
  abstract get _connection(): Connection | undefined;
  /** @internal */
  abstract get _isServer(): boolean;
  /** @internal Signature schemes of both sides, by number, ours and the peer's. */
  abstract get _signatureSchemes(): { readonly ours: readonly number[]; readonly theirs: readonly number[] };

  getProtocol(): string | null {
    return this.connectionInfo?.version ?? null;
  }

  getCipher(): CipherNameAndProtocol {
    return describe.cipher(this.connectionInfo);
  }

  /** The group of the key exchange; empty on a server, as in Node, and null before the handshake is complete. */
  getEphemeralKeyInfo(): EphemeralKeyInfo | object | null {
    return describe.ephemeralKey(this.connectionInfo, this._isServer);
  }

  getPeerCertificate(detailed: true): DetailedPeerCertificate;
  getPeerCertificate(detailed?: false): PeerCertificate;
  getPeerCertificate(detailed?: boolean): PeerCertificate | DetailedPeerCertificate {
    return describe.peerCertificate(this.connectionInfo, detailed === true);
  }

  getPeerX509Certificate(): X509Certificate | undefined {
    return describe.x509(this.connectionInfo?.peerCertificates);
  }

  getCertificate(): PeerCertificate | object | null {
    return describe.localCertificate(this.connectionInfo);
  }

  getX509Certificate(): X509Certificate | undefined {
    return describe.x509(this.connectionInfo?.localCertificates);
  }

  /** verify_data of the Finished that this side sent last; undefined before that. */
  getFinished(): Buffer | undefined {
    return describe.buffer(this.connectionInfo?.finished.sent);
  }

  getPeerFinished(): Buffer | undefined {
    return describe.buffer(this.connectionInfo?.finished.received);
  }

  /**
   * Signature algorithms that both sides take, by this side's preference, as `RSA-PSS+SHA256`; on a client, those
   * that the server would take of its certificate.
   */
  getSharedSigalgs(): string[] {
    const { ours, theirs } = this._signatureSchemes;
    return describe.signatureAlgorithms(ours.filter((id) => theirs.includes(id)));
  }

  /**
   * Keying material for another protocol (RFC 5705); `length` in bytes. Throws `ERR_TLS_INVALID_STATE`;
   * `export-refused` up to TLS 1.2 with a peer that has no extended master secret (RFC 7627 §5.4).
   */
  exportKeyingMaterial(length: number, label: string, context?: Uint8Array): Buffer {
    checkUint32('length', length);
    checkString('label', label);
    if (context !== undefined) checkBytes('context', context);
    if (this.connectionInfo === undefined || this.destroyed) throw invalidState();
    const material = this._connection!.exportKeyingMaterial(length, label, context);
    return Buffer.from(material.buffer, material.byteOffset, material.length);
  }

  isSessionReused(): boolean {
    return this.connectionInfo?.resumed === true;
  }
}
