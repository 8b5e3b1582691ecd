import type { Codec } from '@testudo/codec';

/**
 * The places an extension can stand in (RFC 9846 §4.3, ServerHello of TLS 1.2 as RFC 5246 has it, and a client's
 * EncryptedExtensions of draft-vvv-tls-alps-01).
 */
export type Place =
  | 'client_hello'
  | 'server_hello'
  | 'server_hello_12'
  | 'hello_retry_request'
  | 'encrypted_extensions'
  | 'client_encrypted_extensions'
  | 'certificate'
  | 'certificate_request'
  | 'new_session_ticket';

/** The value an extension holds in each place it may stand in. */
export type Values = { [P in Place]?: unknown };

/**
 * One extension: its number, and the codec of its body for each place where the RFC allows it. The definition
 * is also the key to get and set its value in a block, which is how values are typed.
 */
export interface Extension<V extends Values = Values> {
  readonly id: number;
  readonly name: string;
  /** Where it is defined. */
  readonly source: string;
  /**
   * A draft defines it, and its number may be given to something else: it is read when somebody asks for it, who has it
   * turned on, and for everybody else it is an extension that nobody knows. Default false.
   */
  readonly isDraft?: boolean;
  readonly codecs: { readonly [P in keyof V]: Codec<V[P]> };
}

/** An empty body that means "your extension was used". */
export function acknowledgement(): Codec<null> {
  return { read: () => null, write: () => {} };
}
