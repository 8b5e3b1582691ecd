import { nodeCrypto } from '@testudo/crypto/node';
import { type ClientOptions, clientConfig, type ServerOptions, serverConfig } from '@testudo/tls';
import { clientEnd, Pair, serverEnd, type TestEnd, TestPki, type Wire } from '#tls/testing';

/** One authority for all who are attacked. */
export const pki: TestPki = new TestPki(nodeCrypto);
export const provider: typeof nodeCrypto = nodeCrypto;

export function victimClient(
  options: Partial<ClientOptions> = {},
  connection: Parameters<typeof clientEnd>[1] = {},
): TestEnd {
  return clientEnd(clientConfig({ provider, verifyCertificate: pki.verifier(), ...options }), connection);
}

export function victimServer(options: Partial<ServerOptions> = {}): TestEnd {
  return serverEnd(serverConfig({ provider, credentials: [pki.server(), pki.server('rsa')], ...options }));
}

/** Two honest ends with an attacker's wire between them, as far as they get. */
export function meet(client: Partial<ClientOptions>, server: Partial<ServerOptions>, wire?: Wire): Pair {
  return new Pair(victimClient(client), victimServer(server), wire).pump();
}

/** Why the two sides gave up: `client: bad-record-mac`, and so on; none when all is well. */
export function failures({ client, server }: Pair): string[] {
  return [
    ...client.errors.map(({ code }) => `client: ${code}`),
    ...server.errors.map(({ code }) => `server: ${code}`),
  ];
}
