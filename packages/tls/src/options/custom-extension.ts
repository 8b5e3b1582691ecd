/** Messages that can hold an extension of the application's own. */
export type CustomExtensionPlace =
  | 'client_hello'
  | 'server_hello_12'
  | 'encrypted_extensions'
  | 'certificate_request'
  | 'new_session_ticket';

/** An extension that the engine does not know, and so only carries. */
export interface CustomExtension {
  /** ExtensionType, 0 to 65535; not one of the engine's own, and not GREASE. */
  readonly id: number;
  /**
   * Its body in each message that holds it, or what makes it; undefined for not this time. A server's answer
   * (`server_hello_12`, `encrypted_extensions`) is sent only to a client that sent the extension, whose body it is given.
   */
  readonly send: {
    readonly [P in CustomExtensionPlace]?:
      | Uint8Array
      | ((received: Uint8Array | undefined) => Uint8Array | undefined);
  };
  /** Called with what the peer sent. It may throw a `TlsError`, which ends the connection. */
  readonly received?: ((place: CustomExtensionPlace, data: Uint8Array) => void) | undefined;
}
