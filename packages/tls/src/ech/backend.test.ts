import { nodeCrypto } from '@testudo/crypto/node';
import { describe, expect, test } from 'vitest';
import type { ExtensionBlock } from '../extensions/block.ts';
import { encryptedClientHello } from '../extensions/encrypted-client-hello.ts';
import { keyShare } from '../extensions/key-share.ts';
import { groupById } from '../groups/index.ts';
import { Transcript } from '../handshake/transcript.ts';
import { clientHello } from '../messages/client-hello.ts';
import { decodeMessage, encodeMessage } from '../messages/handshake-type.ts';
import { serverHello } from '../messages/server-hello.ts';
import type { ServerOptions } from '../options/server.ts';
import { echWorld, meet } from '../testing/ech.ts';
import { acceptEch } from '../testing/ech-puppet-server.ts';
import type { TestEnd } from '../testing/end.ts';
import { SERVER_NAME } from '../testing/pki.ts';
import { outcomeOf, refused } from '../testing/puppet.ts';
import { PuppetClient13 } from '../testing/puppet-client13.ts';
import { PuppetServer13 } from '../testing/puppet-server13.ts';

const { echClient, echKey, echPki, echServer } = echWorld(nodeCrypto);

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

  test('takes a second inner hello after the first, and confirms both', () => {
    const client = new PuppetClient13(nodeCrypto, backend({ groups: ['secp384r1'] }), echPki.client());
    const hello = client.hello();
    hello.extensions.set(encryptedClientHello, { type: 'inner' });
    const first = encodeMessage(clientHello, hello);
    client.send(first);
    const [retry] = client.messages;
    client.transcript = new Transcript(nodeCrypto);
    client.transcript.add(first);
    client.transcript.replaceClientHello('sha256');
    client.transcript.add(retry!.raw);
    client.shares.splice(0, 1, groupById(0x0018)!.start(nodeCrypto));
    hello.extensions.set(keyShare, client.entries());
    client.send(client.encoded(clientHello, hello));
    client.send(client.finished());
    expect(client.end.errors).toEqual([]);
    expect(client.end.info).toMatchObject({ ech: 'accepted', helloRetryRequest: true });
    const { extensions } = decodeMessage(serverHello, retry!);
    expect((extensions as ExtensionBlock<'hello_retry_request'>).get(encryptedClientHello)).toHaveLength(8);
  });

  test('takes a hello without ECH as any other', () => {
    const meeting = meet(echClient(undefined), backend());
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
