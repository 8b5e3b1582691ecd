import { type Codec, opaque, struct, uint16 } from '@testudo/codec';
import { type Message, message } from './handshake-type.ts';

/** RFC 9846 §4.4.3, RFC 5246 §7.4.8. */
export interface CertificateVerify {
  readonly algorithm: number;
  readonly signature: Uint8Array;
}

const codec: Codec<CertificateVerify> = struct({ algorithm: uint16, signature: opaque(2) });

export const certificateVerify: Message<CertificateVerify> = message('certificate_verify', codec);
