import { typeShownBy } from '../certificates/type-negotiation.ts';
import type { Handshake } from '../handshake/context.ts';
import { type Certificate12, certificate12, rawPublicKey12 } from '../messages/certificate.ts';
import type { Message } from '../messages/handshake-type.ts';

/** Certificate of one side, as its negotiated type has it (RFC 5246 §7.4.2, RFC 7250 §3). */
export function certificateMessage12(h: Handshake, role: 'client' | 'server'): Message<Certificate12> {
  return typeShownBy(h, role) === 'raw-public-key' ? rawPublicKey12 : certificate12;
}
