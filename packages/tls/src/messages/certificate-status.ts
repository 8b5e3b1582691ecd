import { type Codec, opaque, struct, uint8 } from '@testudo/codec';
import { type Message, message } from './handshake-type.ts';

/** RFC 6066 §8: TLS 1.2's way to carry an OCSP response. */
export interface CertificateStatus {
  readonly statusType: number;
  readonly response: Uint8Array;
}

const codec: Codec<CertificateStatus> = struct({ statusType: uint8, response: opaque(3, 1) });

export const certificateStatus: Message<CertificateStatus> = message('certificate_status', codec);
