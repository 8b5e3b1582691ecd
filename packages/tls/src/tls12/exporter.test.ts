import { nodeCrypto } from '@testudo/crypto/node';
import { describe, expect, test } from 'vitest';
import { clientConfig } from '../config/client.ts';
import { serverConfig } from '../config/server.ts';
import { extendedMasterSecret } from '../extensions/negotiation.ts';
import { legacy } from '../legacy/index.ts';
import { clientEnd, serverEnd, type TestEnd } from '../testing/end.ts';
import { Pair } from '../testing/pair.ts';
import { TestPki } from '../testing/pki.ts';
import { PuppetClient12, PuppetServer12 } from '../testing/puppet12.ts';

const pki = new TestPki(nodeCrypto);
const verifyCertificate = pki.verifier();
const OPTION = { dangerouslyExportWithoutExtendedMasterSecret: true } as const;
const V12 = { maxVersion: 'TLSv1.2' } as const;

/** A server that meets a client without extended master secret. */
function oldClient(options: Partial<typeof OPTION> = {}): TestEnd {
  const config = serverConfig({ provider: nodeCrypto, credentials: [pki.server()], ...options });
  const end = serverEnd(config);
  const puppet = new PuppetClient12(nodeCrypto, end, pki.client());
  puppet.sendHello((hello) => hello.extensions.delete(extendedMasterSecret));
  puppet.send(puppet.keyExchange());
  puppet.changeKeys().send(puppet.finished());
  return end;
}

/** A client that meets a server without it. */
function oldServer(options: Partial<typeof OPTION> = {}): TestEnd {
  const end = clientEnd(clientConfig({ provider: nodeCrypto, verifyCertificate, ...V12, ...options }));
  const puppet = new PuppetServer12(nodeCrypto, end, pki.server());
  puppet.send(puppet.serverHello((hello) => hello.extensions.delete(extendedMasterSecret)));
  puppet.send(puppet.certificate());
  puppet.send(puppet.keyExchange());
  puppet.send(puppet.helloDone());
  puppet.changeKeys().send(puppet.finished());
  return end;
}

const code = 'export-refused';

describe.each([
  ['a client', oldClient],
  ['a server', oldServer],
])('with %s that has no extended master secret', (_peer, meet) => {
  test('no keying material is exported (RFC 7627 §5.4), and the connection goes on', () => {
    const end = meet();
    expect(end.info.extendedMasterSecret).toBe(false);
    const { connection } = end;
    expect(() => connection.exportKeyingMaterial(32, 'EXPORTER-test')).toThrow(
      expect.objectContaining({ name: 'TlsError', code }),
    );
    expect([connection.state, connection.takeOutgoing(), end.errors]).toEqual(['open', undefined, []]);
    expect(connection.channelBinding('tls-exporter')).toBeUndefined();
  });

  test('it is for who says that he knows', () => {
    const { connection } = meet(OPTION);
    expect(connection.exportKeyingMaterial(32, 'EXPORTER-test')).toHaveLength(32);
    expect(connection.channelBinding('tls-exporter')).toBeUndefined();
  });
});

test('SSL 3.0, which has no extensions, exports nothing', () => {
  const old = { legacy, minVersion: 'SSLv3', maxVersion: 'SSLv3', cipherSuites: ['RC4-SHA'] } as const;
  const credentials = [pki.server('rsa')];
  const pair = new Pair(
    clientEnd(clientConfig({ provider: nodeCrypto, verifyCertificate, ...old })),
    serverEnd(serverConfig({ provider: nodeCrypto, credentials, ...old })),
  ).pump();
  for (const { connection, info } of [pair.client, pair.server]) {
    expect(info.version).toBe('SSLv3');
    expect(() => connection.exportKeyingMaterial(32, 'x')).toThrow(expect.objectContaining({ code }));
  }
});
