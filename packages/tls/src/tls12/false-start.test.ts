import { bytesEqual, concat, utf8 } from '@testudo/codec';
import { nodeCrypto } from '@testudo/crypto/node';
import { describe, expect, test } from 'vitest';
import type { CertificateVerdict } from '../certificates/verdict.ts';
import { clientConfig } from '../config/client.ts';
import { serverConfig } from '../config/server.ts';
import { clientConnection } from '../connection/endpoint.ts';
import { alpn } from '../extensions/alpn.ts';
import { legacy } from '../legacy/index.ts';
import { DOWNGRADE_TLS12 } from '../messages/server-hello.ts';
import type { ClientOptions } from '../options/client.ts';
import type { ServerOptions } from '../options/server.ts';
import { MemorySessionStore } from '../sessions/session-store.ts';
import { TicketKeys } from '../sessions/ticket-keys.ts';
import { echWorld, meet, PUBLIC_NAME } from '../testing/ech.ts';
import { clientEnd, serverEnd, TestEnd } from '../testing/end.ts';
import { Pair, splitRecords } from '../testing/pair.ts';
import { type KeyName, SERVER_NAME, TestPki } from '../testing/pki.ts';
import { outcomeOf, refused } from '../testing/puppet.ts';
import { PuppetServer12 } from '../testing/puppet12.ts';

const pki = new TestPki(nodeCrypto);
const provider = nodeCrypto;
const CLIENT = {
  provider,
  verifyCertificate: pki.verifier(),
  maxVersion: 'TLSv1.2',
  alpnProtocols: ['a'],
  falseStart: true,
} as const;

const bytes = (text: string) => utf8(text);

/** Both sides before anything was carried. */
function newPair(
  client: Partial<ClientOptions> = {},
  server: Partial<ServerOptions> = {},
  key?: KeyName,
): Pair {
  const credentials = [pki.server(key)];
  return new Pair(
    clientEnd(clientConfig({ ...CLIENT, ...client })),
    serverEnd(serverConfig({ provider, credentials, alpnProtocols: ['a'], ...server })),
  );
}

/** Up to the point where the client has said all that it has to say in a full handshake. */
function upToFinished(...parts: Parameters<typeof newPair>): Pair {
  const pair = newPair(...parts);
  pair.carry('client');
  pair.carry('server');
  return pair;
}

describe('a false start', () => {
  test('lets data go with the client’s Finished, and says no more than is known by then', () => {
    const pair = upToFinished();
    const { client, server } = pair;
    expect(client.falseStarts).toHaveLength(1);
    expect(client.falseStarts[0]).toMatchObject({
      version: 'TLSv1.2',
      alpnProtocol: 'a',
      peerCertificates: pki.server().certificates,
      authorizationError: undefined,
    });
    expect(client.falseStarts[0]).not.toHaveProperty('finished');
    expect([client.secured, client.connection.state, client.connection.info]).toEqual([
      [],
      'handshaking',
      undefined,
    ]);
    expect(client.connection.maySend).toBe(true);
    client.connection.send(bytes('early'));
    pair.carry('client');
    expect(server.text).toBe('early');
    expect(client.secured).toEqual([]);
    pair.carry('server');
    expect(client.info.finished.received).toHaveLength(12);
    expect(client.falseStarts).toHaveLength(1);
    server.connection.send(bytes('answer'));
    client.connection.send(bytes(' late'));
    pair.pump();
    expect([server.text, client.text]).toEqual(['early late', 'answer']);
  });

  test('may be used in the event itself', () => {
    const received: string[] = [];
    const client = new TestEnd((events, observer) => {
      const connection = clientConnection(clientConfig(CLIENT), {
        host: SERVER_NAME,
        observer,
        events: { ...events, falseStart: () => connection.send(bytes('at once')) },
      });
      return connection;
    });
    const pair = new Pair(client, newPair().server).pump();
    received.push(pair.server.text);
    expect(received).toEqual(['at once']);
    expect(client.secured).toHaveLength(1);
  });

  test('waits for a verdict that takes time', async () => {
    let accept: (verdict: CertificateVerdict) => void = () => {};
    const verdict = new Promise<CertificateVerdict>((resolve) => {
      accept = resolve;
    });
    const pair = upToFinished({ verifyCertificate: () => verdict });
    expect([pair.client.falseStarts, pair.client.connection.maySend]).toEqual([[], false]);
    accept({ accepted: true });
    await verdict;
    await Promise.resolve();
    expect([pair.client.falseStarts.length, pair.client.secured.length, pair.client.woken]).toEqual([
      1, 0, 1,
    ]);
  });

  test('takes data of any length', () => {
    const pair = upToFinished();
    const sent = provider.randomBytes(50_000);
    for (const part of [sent.subarray(0, 1), sent.subarray(1, 1), sent.subarray(1)])
      pair.client.connection.send(part);
    pair.pump();
    expect(bytesEqual(concat(...pair.server.data), sent)).toBe(true);
    expect(pair.client.secured).toHaveLength(1);
  });

  test('takes place with a client certificate, too', () => {
    const asks = { clientCertificate: 'require', verifyCertificate: pki.verifier() } as const;
    const pair = upToFinished({ credentials: [pki.client()] }, asks);
    pair.client.connection.send(bytes('early'));
    expect(pair.client.falseStarts[0]!.localCertificates).not.toEqual([]);
    expect(pair.pump().server.text).toBe('early');
  });

  test('derives the keying material that it has later', () => {
    const pair = upToFinished();
    const { connection } = pair.client;
    const make = () => connection.exportKeyingMaterial(16, 'EXPORTER-test', new Uint8Array(3));
    const [early, other] = [make(), connection.exportKeyingMaterial(16, 'EXPORTER-test')];
    pair.pump();
    expect(make()).toEqual(early);
    expect(pair.server.connection.exportKeyingMaterial(16, 'EXPORTER-test', new Uint8Array(3))).toEqual(
      early,
    );
    expect(other).not.toEqual(early);
  });

  test('close() after it ends what is sent, not what comes', () => {
    const pair = upToFinished();
    const { client, server } = pair;
    client.connection.send(bytes('request'));
    client.connection.close();
    expect([client.connection.maySend, client.connection.state]).toEqual([false, 'handshaking']);
    expect(() => client.connection.send(bytes('x'))).toThrow('open connection');
    pair.carry('client');
    expect([server.text, server.ended]).toEqual(['request', 1]);
    pair.pump();
    expect([client.secured.length, client.ended, client.connection.state]).toEqual([1, 1, 'closed']);
    expect(client.errors).toEqual([]);
  });

  test('gives no session before the server’s Finished', () => {
    const pair = upToFinished({}, { tickets: new TicketKeys(provider) });
    expect(pair.client.sessions).toEqual([]);
    pair.carry('client');
    const flight = splitRecords(pair.server.take());
    // NewSessionTicket and ChangeCipherSpec, but not Finished.
    for (const record of flight.slice(0, -1)) pair.client.connection.receive(record);
    expect(pair.client.log).toContain('received new_session_ticket');
    expect([pair.client.sessions, pair.client.secured]).toEqual([[], []]);
    pair.client.connection.receive(flight.at(-1)!);
    expect([pair.client.sessions.length, pair.client.secured.length]).toEqual([1, 1]);
  });
});

describe('there is none', () => {
  const CBC = { cipherSuites: ['ECDHE-ECDSA-AES128-SHA256'] };
  const DHE = { cipherSuites: ['DHE-RSA-AES128-GCM-SHA256'], groups: ['ffdhe2048'] };
  const HALF_TAG = { cipherSuites: ['ECDHE-ECDSA-AES128-CCM8'] };
  const RSA = { cipherSuites: ['AES128-GCM-SHA256'] };
  const OLD = { legacy, minVersion: 'TLSv1.1', cipherSuites: ['ECDHE-ECDSA-AES128-SHA'] } as const;
  const tolerant = () => ({ accepted: true, error: new Error('bad') });
  const CASES: readonly (readonly [string, Partial<ClientOptions>, Partial<ServerOptions>, KeyName])[] = [
    ['unless it is asked for', { falseStart: undefined }, {}, 'p256'],
    ['when it is refused', { falseStart: false }, {}, 'p256'],
    ['in TLS 1.3', { maxVersion: 'TLSv1.3' }, {}, 'p256'],
    ['without a protocol', { alpnProtocols: undefined }, {}, 'p256'],
    ['with a server that selects none', {}, { alpnProtocols: undefined }, 'p256'],
    ['with CBC', CBC, CBC, 'p256'],
    ['with half a tag', HALF_TAG, HALF_TAG, 'p256'],
    ['without forward secrecy', RSA, RSA, 'rsa'],
    ['with a finite field', DHE, DHE, 'rsa'],
    ['in TLS 1.1', { ...OLD, maxVersion: 'TLSv1.1' }, OLD, 'p256'],
    ['with a certificate that is bad and accepted all the same', { verifyCertificate: tolerant }, {}, 'p256'],
  ];
  test.each(CASES)('%s', (_what, client, server, key) => {
    const pair = upToFinished(client, server, key);
    const mayAnswer = client.maxVersion === 'TLSv1.3';
    expect(pair.client.connection.maySend).toBe(mayAnswer);
    if (!mayAnswer) expect(() => pair.client.connection.send(bytes('x'))).toThrow('open connection');
    pair.pump();
    expect([pair.client.errors, pair.client.secured.length]).toEqual([[], 1]);
    expect(pair.client.falseStarts).toEqual([]);
  });

  test('without a protocol, unless the application says that no server minds', () => {
    const pair = upToFinished({ alpnProtocols: undefined, falseStart: 'any-server' });
    expect(pair.client.falseStarts).toHaveLength(1);
  });

  test.each(['ECDHE-RSA-AES128-GCM-SHA256', 'ECDHE-RSA-AES256-GCM-SHA384', 'ECDHE-RSA-CHACHA20-POLY1305'])(
    'but with %s there is one',
    (suite) => {
      const pair = upToFinished({ cipherSuites: [suite] }, {}, 'rsa');
      expect(pair.client.falseStarts).toHaveLength(1);
    },
  );

  test.each([
    ['a ticket', { tickets: new TicketKeys(provider) }],
    ['an ID', { sessionStore: new MemorySessionStore() }],
  ])('in a resumption by %s', (_how, options) => {
    const first = newPair({}, options).pump();
    const session = first.client.sessions[0]!;
    const client = clientEnd(clientConfig(CLIENT), { session });
    const pair = new Pair(client, newPair({}, options).server);
    pair.carry('client');
    pair.carry('server');
    expect([client.info.resumed, client.falseStarts]).toEqual([true, []]);
  });

  test('in a renegotiation', () => {
    const both = { renegotiation: true } as const;
    const pair = newPair(both, { ...both, verifyCertificate: pki.verifier() }).pump();
    pair.client.connection.renegotiate();
    pair.client.connection.send(bytes('after it'));
    pair.carry('client');
    pair.carry('server');
    expect(pair.client.falseStarts).toHaveLength(1);
    pair.pump();
    expect([pair.client.changes.length, pair.client.falseStarts.length]).toEqual([1, 1]);
    expect(pair.server.text).toBe('after it');
  });

  test('with a server that did not read an encrypted hello', () => {
    const { echClient, echKey, echPki, echServer } = echWorld(provider);
    const credentials = () => [echPki.server('p256', { name: PUBLIC_NAME })];
    const server = echServer(undefined, { credentials, maxVersion: 'TLSv1.2' });
    const { client, pair } = meet(echClient(echKey(), { falseStart: 'any-server' }), server);
    pair.pump();
    expect([client.falseStarts, client.errors[0]?.code]).toEqual([[], 'ech-rejected']);
    expect(client.log).toContain('received finished');
  });

  test('with a server that was made to take TLS 1.2', () => {
    const client = clientEnd(clientConfig({ ...CLIENT, maxVersion: 'TLSv1.3', falseStart: 'any-server' }));
    const puppet = new PuppetServer12(provider, client, pki.server());
    puppet.send(puppet.serverHello(({ random }) => random.set(DOWNGRADE_TLS12, 24)));
    expect(outcomeOf(puppet)).toEqual(refused('downgrade-detected'));
    expect(client.falseStarts).toEqual([]);
  });

  test('with a certificate that is refused', () => {
    const pair = upToFinished({ verifyCertificate: () => ({ accepted: false, error: new Error('bad') }) });
    expect([pair.client.falseStarts, pair.client.connection.state]).toEqual([[], 'failed']);
  });
});

describe('a server that does not finish as it should', () => {
  /** A client that has started falsely, and sent something. */
  function started(): { client: TestEnd; puppet: PuppetServer12 } {
    const client = clientEnd(clientConfig(CLIENT));
    const puppet = new PuppetServer12(provider, client, pki.server());
    puppet.send(puppet.serverHello((hello) => hello.extensions.set(alpn as never, 'a' as never)));
    puppet.send(puppet.certificate(), puppet.keyExchange(), puppet.helloDone());
    expect(client.falseStarts).toHaveLength(1);
    client.connection.send(bytes('early'));
    puppet.collect();
    expect(puppet.data.map((each) => String.fromCharCode(...each))).toEqual(['early']);
    return { client, puppet };
  }

  /** Nothing was taken for good, and nothing can be done any more. */
  function isOver(client: TestEnd): void {
    expect([client.secured, client.data, client.sessions]).toEqual([[], [], []]);
    expect([client.connection.info, client.connection.maySend]).toEqual([undefined, false]);
    expect(() => client.connection.exportKeyingMaterial(16, 'x')).toThrow('not complete');
  }

  test.each([
    [
      'another Finished',
      (puppet: PuppetServer12) =>
        puppet.changeKeys().send(puppet.finished((data) => data.map((byte) => byte ^ 1))),
      'fatal decrypt_error',
    ],
    [
      'data in place of Finished',
      (puppet: PuppetServer12) => puppet.changeKeys().applicationData(bytes('answer')),
      'fatal unexpected_message',
    ],
    [
      'data in the clear in place of ChangeCipherSpec',
      (puppet: PuppetServer12) => puppet.applicationData(bytes('answer')),
      'fatal unexpected_message',
    ],
    [
      'Finished without ChangeCipherSpec',
      (puppet: PuppetServer12) => puppet.send(puppet.finished()),
      'fatal unexpected_message',
    ],
    ['close_notify', (puppet: PuppetServer12) => puppet.alert(1, 0), undefined],
  ])('%s: nothing of it comes through', (_what, answer, alert) => {
    const { client, puppet } = started();
    answer(puppet);
    expect(client.errors).toHaveLength(1);
    if (alert !== undefined) expect(outcomeOf(puppet).alerts).toEqual([alert]);
    isOver(client);
  });

  test('the end of the transport is a truncation', () => {
    const { client } = started();
    client.connection.receiveEnd();
    expect(client.errors[0]).toMatchObject({ code: 'truncated' });
    isOver(client);
  });

  test('abort() tells the server', () => {
    const { client, puppet } = started();
    client.connection.abort();
    expect(puppet.collect().alerts).toEqual(['warning user_canceled', 'warning close_notify']);
    isOver(client);
  });

  test('renegotiation and key updates have to wait', () => {
    const { client } = started();
    expect(() => client.connection.renegotiate()).toThrow('open connection');
    expect(() => client.connection.updateKeys()).toThrow('open TLS 1.3');
    expect(() => client.connection.channelBinding('tls-unique')).toThrow('not complete');
  });
});
