import { nodeCrypto } from '@testudo/crypto/node';
import { describe, expect, test } from 'vitest';
import { encryptedClientHello, type OuterEch } from '../extensions/encrypted-client-hello.ts';
import { supportedVersions } from '../extensions/negotiation.ts';
import { serverName, serverNamesFor } from '../extensions/server-names.ts';
import { RetryCookies } from '../features/retry-cookies.ts';
import { clientHello } from '../messages/client-hello.ts';
import { encodeMessage } from '../messages/handshake-type.ts';
import type { ServerOptions } from '../options/server.ts';
import { echWorld, meet } from '../testing/ech.ts';
import { EchPuppet } from '../testing/ech-puppet.ts';
import { Pair } from '../testing/pair.ts';
import { outcomeOf, refused } from '../testing/puppet.ts';
import { PuppetClient13, type WritableClientHello } from '../testing/puppet-client13.ts';

const { echClient, echKey, echPki, echServer } = echWorld(nodeCrypto);

// The hello after a HelloRetryRequest, as a server sees it (RFC 9849 §7.1.1).

const key = echKey();
const P384 = 0x0018;
const NO_ENC = { enc: new Uint8Array(0) };

function puppet(options: Partial<ServerOptions> = {}, keys = [key]): EchPuppet {
  const server = echServer(keys, { groups: ['secp384r1'], ...options });
  return new EchPuppet(new PuppetClient13(nodeCrypto, server, echPki.client()), key);
}

/** Has the server ask for another share, and makes one. */
function retried(ech: EchPuppet): EchPuppet {
  const client = ech.puppet;
  ech.send(ech.encoded());
  client.transcript.add(encodeMessage(clientHello, ech.inner()));
  client.shares.splice(
    0,
    1,
    ...new PuppetClient13(nodeCrypto, echServer([key]), echPki.client(), [P384]).shares,
  );
  return ech;
}

type Hello = (hello: WritableClientHello) => void;

test('as it should be', () => {
  const ech = puppet();
  const client = ech.puppet;
  const first = encodeMessage(clientHello, ech.inner());
  ech.send(ech.encoded());
  const [retry] = client.messages;
  const { transcript } = new PuppetClient13(nodeCrypto, echServer([key]), echPki.client());
  client.transcript = transcript;
  transcript.add(first);
  transcript.replaceClientHello('sha256');
  transcript.add(retry!.raw);
  client.shares.splice(
    0,
    1,
    ...new PuppetClient13(nodeCrypto, echServer([key]), echPki.client(), [P384]).shares,
  );
  transcript.add(encodeMessage(clientHello, ech.inner()));
  ech.send(ech.encoded(), NO_ENC);
  client.send(client.finished());
  expect(client.end.info).toMatchObject({ ech: 'accepted', helloRetryRequest: true });
});

describe('is refused', () => {
  const outer = (change: (ech: OuterEch) => Partial<OuterEch>): [Partial<OuterEch>, Hello] => [
    {},
    ({ extensions }) => {
      const before = extensions.get(encryptedClientHello) as OuterEch;
      extensions.set(encryptedClientHello, { ...before, ...NO_ENC, ...change(before) });
    },
  ];
  const CASES: readonly (readonly [string, readonly [Partial<OuterEch>, Hello], string])[] = [
    [
      'without encrypted_client_hello',
      [{}, ({ extensions }) => extensions.delete(encryptedClientHello)],
      'missing-extension',
    ],
    [
      'as an inner one',
      [{}, ({ extensions }) => void extensions.set(encryptedClientHello, { type: 'inner' })],
      'illegal-parameter',
    ],
    ['for another key', outer(({ configId }) => ({ configId: (configId + 1) % 256 })), 'illegal-parameter'],
    ['with another KDF', outer(() => ({ kdf: 2 })), 'illegal-parameter'],
    ['with another AEAD', outer(() => ({ aead: 2 })), 'illegal-parameter'],
    ['with an encapsulated key', outer(() => ({ enc: new Uint8Array(32).fill(9) })), 'illegal-parameter'],
    ['with another payload', [{ ...NO_ENC, payload: new Uint8Array(300) }, () => {}], 'ech-undecryptable'],
  ];

  test.each(CASES)('%s', (_what, [ech, change], code) => {
    const hidden = retried(puppet());
    hidden.send(hidden.encoded(), ech, change);
    expect(outcomeOf(hidden.puppet)).toEqual(refused(code));
  });

  const INNER: readonly (readonly [string, Hello])[] = [
    ['not marked as an inner one', ({ extensions }) => extensions.delete(encryptedClientHello)],
    [
      'for another name',
      ({ extensions }) => void extensions.set(serverName, serverNamesFor('other.example')),
    ],
    ['with another version', ({ extensions }) => void extensions.set(supportedVersions, [0x0304, 0x0303])],
    [
      'with another random',
      (hello) => {
        hello.random = new Uint8Array(32);
      },
    ],
    [
      'with other suites',
      (hello) => {
        hello.cipherSuites = [0x1301];
      },
    ],
  ];

  test.each(INNER)('inside it, %s', (_what, change) => {
    const hidden = retried(puppet());
    hidden.send(hidden.encoded(change), NO_ENC);
    expect(outcomeOf(hidden.puppet)).toEqual(refused('illegal-parameter'));
  });

  test('the first one again: each is sealed with a nonce of its own', () => {
    const ech = puppet();
    const sent: Uint8Array[] = [];
    const { send } = ech.puppet;
    ech.puppet.send = (...messages) => {
      sent.push(...messages);
      return send.call(ech.puppet, ...messages);
    };
    ech.send(ech.encoded());
    ech.puppet.send(sent[0]!);
    expect(outcomeOf(ech.puppet)).toEqual(refused('illegal-parameter'));
  });

  test('an inner one after an outer one that could not be read', () => {
    const ech = puppet();
    ech.send(ech.encoded(), { payload: new Uint8Array(200) });
    ech.puppet.sendHello(({ extensions }) => void extensions.set(encryptedClientHello, { type: 'inner' }));
    expect(outcomeOf(ech.puppet)).toEqual(refused('illegal-parameter'));
  });

  test('an inner one after one without ECH', () => {
    const { puppet: client } = puppet();
    client
      .sendHello()
      .sendHello(({ extensions }) => void extensions.set(encryptedClientHello, { type: 'inner' }));
    expect(outcomeOf(client)).toEqual(refused('illegal-parameter'));
  });
});

describe('a server that forgets', () => {
  const retryCookies = new RetryCookies(nodeCrypto);
  const server = () => echServer([key], { retryCookies });

  /** Both answer the client as if they were one. */
  function inTurn(client: ReturnType<typeof echClient>): {
    first: ReturnType<typeof server>;
    second: ReturnType<typeof server>;
  } {
    const [first, second] = [server(), server()];
    client.connection.start();
    first.connection.start();
    first.connection.receive(client.take());
    client.connection.receive(first.take());
    new Pair(client, second).pump();
    return { first, second };
  }

  test.each(['grease', undefined] as const)('hashes its retry as the other one sent it: %s', (ech) => {
    const client = echClient(ech);
    const { second } = inTurn(client);
    expect([...client.errors, ...second.errors]).toEqual([]);
    expect(client.info.helloRetryRequest).toBe(true);
  });

  test('cannot read a second hello whose first one another has read: an error, not a name', () => {
    const client = echClient(key);
    const { second } = inTurn(client);
    expect(client.errors).toMatchObject([{ code: 'illegal-parameter' }]);
    expect(second.secured).toEqual([]);
  });

  test('shows the same to all who have not the keys, whether it could read or not', () => {
    const retries = [echClient(key), echClient('grease')].map((client) => {
      const meeting = meet(client, server());
      meeting.pair.carry('client');
      return meeting.server.take().length;
    });
    expect(retries[0]).toBe(retries[1]);
  });
});
