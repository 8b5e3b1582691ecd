import { list, opaque, struct, uint8, uint16, uint32 } from '@testudo/codec';
import { acknowledgement, type Extension } from './extension.ts';

export interface PskIdentity {
  readonly identity: Uint8Array;
  /** Milliseconds since the ticket came, plus ticket_age_add, modulo 2^32; 0 for an external key. */
  readonly obfuscatedTicketAge: number;
}

export interface OfferedPsks {
  readonly identities: PskIdentity[];
  readonly binders: Uint8Array[];
}

/** pre_shared_key (RFC 9846 §4.3.11): always last in ClientHello. The server answers with an index. */
export const preSharedKey: Extension<{ client_hello: OfferedPsks; server_hello: number }> = {
  id: 41,
  name: 'pre_shared_key',
  source: 'RFC 9846 §4.3.11',
  codecs: {
    client_hello: struct({
      identities: list(2, struct({ identity: opaque(2, 1), obfuscatedTicketAge: uint32 }), 7),
      binders: list(2, opaque(1, 32), 33),
    }),
    server_hello: uint16,
  },
};

/** Length of the binders list, its own length field included: what the binders do not cover. */
export function bindersLength(binders: readonly Uint8Array[]): number {
  return 2 + binders.reduce((sum, binder) => sum + 1 + binder.length, 0);
}

export const PSK_DHE_KE = 1;

/** psk_key_exchange_modes (RFC 9846 §4.3.9). */
export const pskKeyExchangeModes: Extension<{ client_hello: number[] }> = {
  id: 45,
  name: 'psk_key_exchange_modes',
  source: 'RFC 9846 §4.3.9',
  codecs: { client_hello: list(1, uint8, 1) },
};

/** early_data (RFC 9846 §4.3.10); in a ticket it says how many bytes the server would take. */
export const earlyData: Extension<{
  client_hello: null;
  encrypted_extensions: null;
  new_session_ticket: number;
}> = {
  id: 42,
  name: 'early_data',
  source: 'RFC 9846 §4.3.10',
  codecs: {
    client_hello: acknowledgement(),
    encrypted_extensions: acknowledgement(),
    new_session_ticket: uint32,
  },
};
