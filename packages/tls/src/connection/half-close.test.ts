import { utf8 } from '@testudo/codec';
import { nodeCrypto } from '@testudo/crypto/node';
import { describe, expect, test } from 'vitest';
import { clientConfig } from '../config/client.ts';
import { serverConfig } from '../config/server.ts';
import { TestEnd } from '../testing/end.ts';
import { Pair } from '../testing/pair.ts';
import { SERVER_NAME, TestPki } from '../testing/pki.ts';
import type { VersionName } from '../versions.ts';
import { clientConnection, serverConnection } from './endpoint.ts';

const pki = new TestPki(nodeCrypto);

function pairOf(maxVersion: VersionName, halfClose: boolean, renegotiation = false): Pair {
  const common = { provider: nodeCrypto, maxVersion, renegotiation };
  const client = clientConfig({ ...common, verifyCertificate: pki.verifier() });
  const server = serverConfig({ ...common, credentials: [pki.server()] });
  return new Pair(
    new TestEnd((events) => clientConnection(client, { host: SERVER_NAME, events, halfClose })),
    new TestEnd((events) => serverConnection(server, { events, halfClose })),
  ).pump();
}

describe('after the peer has closed its side', () => {
  test.each([
    ['TLSv1.2', true],
    ['TLSv1.3', true],
    ['TLSv1.3', false],
  ] as const)('%s with halfClose %s still sends', (version, halfClose) => {
    const { client, server } = pairOf(version, halfClose);
    client.connection.send(utf8('question'));
    client.connection.close();
    server.connection.receive(client.take());
    expect(server).toMatchObject({ text: 'question', ended: 1 });
    server.connection.send(utf8('answer'));
    server.connection.close();
    expect(server.connection.state).toBe('closed');
    client.connection.receive(server.take());
    expect(client).toMatchObject({ text: 'answer', ended: 1, errors: [] });
    expect(client.connection.state).toBe('closed');
  });

  test('TLS 1.2 answers at once and sends nothing more, unless it is told otherwise', () => {
    const { client, server } = pairOf('TLSv1.2', false);
    client.connection.close();
    server.connection.receive(client.take());
    expect(server.connection.isWriteClosed).toBe(true);
    expect(() => server.connection.send(utf8('answer'))).toThrow(
      expect.objectContaining({ code: 'not-connected' }),
    );
  });

  test.each([true, false])('no renegotiation is waited for any more, halfClose %s', (halfClose) => {
    const { client, server } = pairOf('TLSv1.2', halfClose, true);
    client.connection.renegotiate();
    client.connection.send(utf8('held back'));
    client.connection.close();
    expect(client.connection.state).toBe('open');
    // The peer closes, and never sees the hello.
    server.connection.close();
    client.connection.receive(server.take());
    expect(client).toMatchObject({ ended: 1, errors: [] });
    expect(client.connection.state).toBe('closed');
  });
});
