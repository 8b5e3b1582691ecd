/** Makes a ClientHello, with its header, of the one in a message of SSL 2.0. Throws `malformed-message`. */
export type Ssl2HelloReader = (message: Uint8Array) => Uint8Array;
