import { acknowledgement, type Extension } from './extension.ts';

/** session_ticket (RFC 5077 §3.2): TLS 1.2's. Empty: "I can take one", or "one follows". */
export const sessionTicket: Extension<{ client_hello: Uint8Array; server_hello_12: null }> = {
  id: 35,
  name: 'session_ticket',
  source: 'RFC 5077 §3.2',
  codecs: {
    client_hello: { read: (reader) => reader.takeRest(), write: (writer, ticket) => writer.bytes(ticket) },
    server_hello_12: acknowledgement(),
  },
};
