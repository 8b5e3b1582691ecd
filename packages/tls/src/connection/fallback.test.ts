import { nodeCrypto } from '@testudo/crypto/node';
import { describe, expect, test } from 'vitest';
import { clientConfig } from '../config/client.ts';
import { serverConfig } from '../config/server.ts';
import { clientHello } from '../messages/client-hello.ts';
import { decodeMessage } from '../messages/handshake-type.ts';
import type { ClientOptions } from '../options/client.ts';
import type { ServerOptions } from '../options/server.ts';
import { FALLBACK_SCSV } from '../suites/index.ts';
import { clientEnd, serverEnd } from '../testing/end.ts';
import { Pair } from '../testing/pair.ts';
import { TestPki } from '../testing/pki.ts';

const pki = new TestPki(nodeCrypto);
const verifyCertificate = pki.verifier();
const V12 = { maxVersion: 'TLSv1.2' } as const;

function client(options: Partial<ClientOptions>) {
  return clientEnd(clientConfig({ provider: nodeCrypto, verifyCertificate, ...options }));
}

function meet(clientOptions: Partial<ClientOptions>, serverOptions: Partial<ServerOptions> = {}): Pair {
  const server = serverConfig({ provider: nodeCrypto, credentials: [pki.server()], ...serverOptions });
  return new Pair(client(clientOptions), serverEnd(server)).pump();
}

/** The suites in a client's first hello. */
function offered(options: Partial<ClientOptions>): readonly number[] {
  const end = client(options);
  end.connection.start();
  const raw = end.take().subarray(5);
  return decodeMessage(clientHello, { type: raw[0]!, raw }).cipherSuites;
}

describe('a client that falls back (RFC 7507)', () => {
  test('says so behind all its suites', () => {
    expect(offered({ ...V12, fallback: true }).at(-1)).toBe(FALLBACK_SCSV);
  });

  test('does not say so otherwise', () => {
    expect(offered(V12)).not.toContain(FALLBACK_SCSV);
    expect(offered({})).not.toContain(FALLBACK_SCSV);
  });

  test('is refused by a server that knows a newer version', () => {
    const { client: end, server } = meet({ ...V12, fallback: true });
    expect(server.errors.map(({ code }) => code)).toEqual(['inappropriate-fallback']);
    expect(end.errors[0]).toMatchObject({ code: 'alert-received', receivedAlert: 'inappropriate_fallback' });
  });

  test('is served by a server that knows nothing newer', () => {
    const { client: end, server } = meet({ ...V12, fallback: true }, V12);
    expect(end.errors.concat(server.errors)).toEqual([]);
    expect(server.info.version).toBe('TLSv1.2');
  });

  test('without saying so is served, by one that knows more, too', () => {
    const { client: end, server } = meet(V12);
    expect(end.errors.concat(server.errors)).toEqual([]);
  });
});
