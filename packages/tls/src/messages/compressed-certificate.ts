import { type Codec, opaque, struct, uint16, uint24 } from '@testudo/codec';
import { type Message, message } from './handshake-type.ts';

/** RFC 8879 §4: a Certificate message of TLS 1.3, compressed. */
export interface CompressedCertificate {
  readonly algorithm: number;
  /** Bytes of the Certificate message, without its header. */
  readonly uncompressedLength: number;
  readonly compressedCertificateMessage: Uint8Array;
}

const codec: Codec<CompressedCertificate> = struct({
  algorithm: uint16,
  uncompressedLength: uint24,
  compressedCertificateMessage: opaque(3, 1),
});

export const compressedCertificate: Message<CompressedCertificate> = message('compressed_certificate', codec);
