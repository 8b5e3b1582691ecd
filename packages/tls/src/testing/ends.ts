import type { CryptoProvider } from '@testudo/crypto';
import { clientConfig } from '../config/client.ts';
import { serverConfig } from '../config/server.ts';
import type { ClientOptions } from '../options/client.ts';
import type { ServerOptions } from '../options/server.ts';
import { clientEnd, serverEnd, type TestEnd } from './end.ts';
import { Pair } from './pair.ts';
import type { TestPki } from './pki.ts';

/** Clients and servers that a test file makes again and again. */
export interface Ends {
  client(options?: Partial<ClientOptions>): TestEnd;
  server(options?: Partial<ServerOptions>): TestEnd;
  /** Both, after a handshake that went well. Throws the error of one that did not. */
  meet(client?: Partial<ClientOptions>, server?: Partial<ServerOptions>): Pair;
}

/** Both sides trust `pki` and have its certificate for servers; `common` is what a file's tests have in common besides. */
export function endsOf(
  provider: CryptoProvider,
  pki: TestPki,
  common: { readonly client?: Partial<ClientOptions>; readonly server?: Partial<ServerOptions> } = {},
): Ends {
  const verifyCertificate = pki.verifier();
  const both = { provider, verifyCertificate };
  const ends: Ends = {
    client: (options) => clientEnd(clientConfig({ ...both, ...common.client, ...options })),
    server: (options) =>
      serverEnd(serverConfig({ ...both, credentials: [pki.server()], ...common.server, ...options })),
    meet(client, server) {
      const pair = new Pair(ends.client(client), ends.server(server)).pump();
      expectNoErrors(pair);
      return pair;
    },
  };
  return ends;
}

/** Both sides are well, and understand each other; throws what is wrong otherwise. What came before is forgotten. */
export function works(pair: Pair): void {
  const { client, server } = pair.pump();
  expectNoErrors(pair);
  client.data.length = 0;
  server.data.length = 0;
  client.connection.send(ascii('from the client'));
  server.connection.send(ascii('from the server'));
  pair.pump();
  if (server.text === 'from the client' && client.text === 'from the server') return;
  throw new Error(`the client got '${client.text}', the server '${server.text}'`);
}

function expectNoErrors({ client, server }: Pair): void {
  for (const error of [...client.errors, ...server.errors]) throw error;
}

function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (char) => char.charCodeAt(0));
}
