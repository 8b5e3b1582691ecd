/** Options about what happens after the handshake, for both sides. */
export interface AfterHandshakeOptions {
  /**
   * Negotiate anew on an open connection of TLS 1.0 to 1.2, with peers that know how to do it securely (RFC 5746), and no
   * more often than it says. Default false: a peer that wants to is told no, and the connection goes on.
   */
  readonly renegotiation?: boolean | RenegotiationOptions | undefined;
  /**
   * Up to TLS 1.2: how often in a minute a peer that wants to renegotiate and may not is told so with a warning; once more
   * ends the connection (RFC 5746 §4.2, §4.4). 0 ends it at once. Default 4.
   */
  readonly maxRefusedRenegotiations?: number | undefined;
  /**
   * Up to TLS 1.2, refuse peers that do not know secure renegotiation (RFC 5746 §4.1, §4.3): they may renegotiate insecurely
   * with somebody in between, and this side cannot know. Default false.
   */
  readonly requireSecureRenegotiation?: boolean | undefined;
  /**
   * Up to TLS 1.2: export keying material although the peer has no extended master secret. Somebody in between can then give
   * two connections the same (RFC 7627 §5.4): not for what authenticates anybody. Default false: `export-refused`.
   */
  readonly dangerouslyExportWithoutExtendedMasterSecret?: boolean | undefined;
  /** Let `connection.secrets` tell the keys that are in use. Default false: then it is undefined. */
  readonly exposeSecrets?: boolean | undefined;
}

/** Those that only a client has. */
export interface ClientAfterHandshakeOptions extends AfterHandshakeOptions {
  /**
   * TLS 1.3: say that the server may ask for a certificate at any later time (post_handshake_auth, RFC 9846 §4.3.6); it gets
   * what `credentials` has. The messages of the handshake are kept for it. Default false.
   */
  readonly postHandshakeAuth?: boolean | undefined;
}

export interface RenegotiationOptions {
  /** Also when the peer wants it, and not only when this side asks for it. Default true. */
  readonly byPeer?: boolean | undefined;
  /** How often the peer may begin it within the window; once more ends the connection. Default 3. */
  readonly limit?: number | undefined;
  /** The window, in seconds. Default 600. */
  readonly window?: number | undefined;
  /**
   * Take a peer that has shown a certificate and now shows another one, or none, a client that has used an external key
   * and now uses another one, or none, or one that now wants another server name. Whoever had the connection before it then need not be who has it afterwards. Default false.
   */
  readonly dangerouslyAllowOtherPeer?: boolean | undefined;
}
