import { type DigitallySigned, digitallySigned } from './digitally-signed.ts';
import { type Message, message } from './handshake-type.ts';

/** RFC 9846 §4.5.2, RFC 5246 §7.4.8. */
export const certificateVerify: Message<DigitallySigned> = message(
  'certificate_verify',
  digitallySigned(true),
);

/** Before TLS 1.2 (RFC 4346 §7.4.8). */
export const certificateVerifyUnnamed: Message<DigitallySigned> = message(
  'certificate_verify',
  digitallySigned(false),
);
