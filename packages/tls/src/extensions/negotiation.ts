import { list, opaque, rest, uint8, uint16 } from '@testudo/codec';
import { acknowledgement, type Extension } from './extension.ts';

/** supported_versions (RFC 9846 §4.3.1): the client's list, the server's choice. */
export const supportedVersions: Extension<{
  client_hello: number[];
  server_hello: number;
  hello_retry_request: number;
}> = {
  id: 43,
  name: 'supported_versions',
  source: 'RFC 9846 §4.3.1',
  codecs: { client_hello: list(1, uint16, 2, 254), server_hello: uint16, hello_retry_request: uint16 },
};

/** supported_groups (RFC 9846 §4.3.7), by preference; a server may tell its own in EncryptedExtensions. */
export const supportedGroups: Extension<{
  client_hello: number[];
  encrypted_extensions: number[];
  server_hello_12: Uint8Array;
}> = {
  id: 10,
  name: 'supported_groups',
  source: 'RFC 9846 §4.3.7',
  codecs: {
    client_hello: list(2, uint16, 2),
    encrypted_extensions: list(2, uint16, 2),
    // Some servers up to TLS 1.2 echo it, though they should not; nothing follows from it.
    server_hello_12: rest,
  },
};

/** ec_point_formats (RFC 8422 §5.1.2): TLS 1.2 only; uncompressed (0) must be among them. */
export const ecPointFormats: Extension<{ client_hello: number[]; server_hello_12: number[] }> = {
  id: 11,
  name: 'ec_point_formats',
  source: 'RFC 8422 §5.1.2',
  codecs: { client_hello: list(1, uint8, 1), server_hello_12: list(1, uint8, 1) },
};

/** signature_algorithms (RFC 9846 §4.3.3): what the sender can verify in the handshake. */
export const signatureAlgorithms: Extension<{ client_hello: number[]; certificate_request: number[] }> = {
  id: 13,
  name: 'signature_algorithms',
  source: 'RFC 9846 §4.3.3',
  codecs: { client_hello: list(2, uint16, 2), certificate_request: list(2, uint16, 2) },
};

/** signature_algorithms_cert (RFC 9846 §4.3.3): what the sender can verify in certificates. */
export const signatureAlgorithmsCert: Extension<{ client_hello: number[]; certificate_request: number[] }> = {
  id: 50,
  name: 'signature_algorithms_cert',
  source: 'RFC 9846 §4.3.3',
  codecs: { client_hello: list(2, uint16, 2), certificate_request: list(2, uint16, 2) },
};

/** extended_main_secret, in TLS 1.2 extended_master_secret (RFC 7627). */
export const extendedMasterSecret: Extension<{ client_hello: null; server_hello_12: null }> = {
  id: 23,
  name: 'extended_master_secret',
  source: 'RFC 7627 §5.1',
  codecs: { client_hello: acknowledgement(), server_hello_12: acknowledgement() },
};

/** encrypt_then_mac (RFC 7366 §2): CBC suites only. */
export const encryptThenMac: Extension<{ client_hello: null; server_hello_12: null }> = {
  id: 22,
  name: 'encrypt_then_mac',
  source: 'RFC 7366 §2',
  codecs: { client_hello: acknowledgement(), server_hello_12: acknowledgement() },
};

/** renegotiation_info (RFC 5746 §3.2): empty in a first handshake. */
export const renegotiationInfo: Extension<{ client_hello: Uint8Array; server_hello_12: Uint8Array }> = {
  id: 0xff01,
  name: 'renegotiation_info',
  source: 'RFC 5746 §3.2',
  codecs: { client_hello: opaque(1), server_hello_12: opaque(1) },
};

/** post_handshake_auth (RFC 9846 §4.3.6). */
export const postHandshakeAuth: Extension<{ client_hello: null }> = {
  id: 49,
  name: 'post_handshake_auth',
  source: 'RFC 9846 §4.3.6',
  codecs: { client_hello: acknowledgement() },
};
