import { nodeCrypto } from '@testudo/crypto/node';
import { describe, expect, test } from 'vitest';
import { encryptedClientHello } from '../extensions/encrypted-client-hello.ts';
import { clientHello } from '../messages/client-hello.ts';
import { encodeMessage } from '../messages/handshake-type.ts';
import type { ServerOptions } from '../options.ts';
import { echClient, echKey, echPki, echServer, meet } from '../testing/ech.ts';
import { acceptEch } from '../testing/ech-puppet-server.ts';
import type { TestEnd } from '../testing/end.ts';
import { SERVER_NAME } from '../testing/pki.ts';
import { outcomeOf, refused } from '../testing/puppet.ts';
import { PuppetClient13 } from '../testing/puppet-client13.ts';
import { PuppetServer13 } from '../testing/puppet-server13.ts';

// Split mode: one server decrypts hellos, another one answers them (RFC 9849 §3.1, §7.2).

const key = echKey();

function backend(
  options: Partial<ServerOptions> = {},
  keys: Parameters<typeof echServer>[0] = undefined,
): TestEnd {
  return echServer(keys, { echBackend: true, ...options });
}

describe('a backend server', () => {
  test('confirms a hello that another server decrypted: the client sees no difference', () => {
    const client = echClient(key);
    const server = backend();
    const facing = new PuppetServer13(nodeCrypto, client, echPki.server());
    acceptEch(facing, key);
    server.connection.start();
    const hello = encodeMessage(clientHello, facing.hello);
    server.connection.receive(Uint8Array.of(22, 3, 1, hello.length >> 8, hello.length, ...hello));
    client.connection.receive(server.take());
    server.connection.receive(client.take());
    expect([...client.errors, ...server.errors]).toEqual([]);
    expect(client.info).toMatchObject({ ech: 'accepted', serverName: SERVER_NAME });
    expect(server.info).toMatchObject({ ech: 'accepted', serverName: SERVER_NAME });
  });

  test('takes a second inner hello after the first', () => {
    const client = new PuppetClient13(
      nodeCrypto,
      backend({ groups: ['secp384r1'] }),
      echPki.client(),
      [0x001d],
    );
    const hello = client.hello();
    hello.extensions.set(encryptedClientHello, { type: 'inner' });
    client.send(client.encoded(clientHello, hello));
    expect(client.end.errors).toEqual([]);
    expect(client.messages).toHaveLength(1);
    const [share] = new PuppetClient13(nodeCrypto, backend(), echPki.client(), [0x0018]).entries();
    const entries = client.entries.bind(client);
    client.entries = () => [share!];
    const second = { ...hello, extensions: client.hello().extensions };
    second.extensions.set(encryptedClientHello, { type: 'inner' });
    client.entries = entries;
    client.send(encodeMessage(clientHello, second));
    expect(client.end.errors).toEqual([]);
    expect(client.messages.length).toBeGreaterThan(1);
  });

  test.each([['a hello without ECH', undefined]])('takes %s as any other', (_what, ech) => {
    const meeting = meet(echClient(ech), backend());
    meeting.pair.pump();
    expect(meeting.errors).toEqual([]);
    expect(meeting.server.info.ech).toBe('none');
  });

  test('that only stands behind another refuses what is still encrypted', () => {
    const meeting = meet(echClient(key), backend());
    meeting.pair.pump();
    expect(meeting.server.errors).toMatchObject([{ code: 'illegal-parameter' }]);
  });

  test('that has keys itself does both', () => {
    const meeting = meet(echClient(key), backend({}, [key]));
    meeting.pair.pump();
    expect(meeting.errors).toEqual([]);
    expect(meeting.server.info.ech).toBe('accepted');
  });

  test('does not take an encrypted hello after an inner one', () => {
    const client = new PuppetClient13(nodeCrypto, backend({ groups: ['secp384r1'] }), echPki.client());
    client.sendHello(({ extensions }) => void extensions.set(encryptedClientHello, { type: 'inner' }));
    const outer = { kdf: 1, aead: 1, configId: 1, enc: new Uint8Array(0), payload: new Uint8Array(99) };
    client.sendHello(
      ({ extensions }) => void extensions.set(encryptedClientHello, { type: 'outer', ...outer }),
    );
    expect(outcomeOf(client)).toEqual(refused('illegal-parameter'));
  });

  test('wants the mark in the second hello, too', () => {
    const client = new PuppetClient13(nodeCrypto, backend({ groups: ['secp384r1'] }), echPki.client());
    client.sendHello(({ extensions }) => void extensions.set(encryptedClientHello, { type: 'inner' }));
    client.sendHello();
    expect(outcomeOf(client)).toEqual(refused('missing-extension'));
  });
});
