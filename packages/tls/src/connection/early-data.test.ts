import { utf8 } from '@testudo/codec';
import { nodeCrypto } from '@testudo/crypto/node';
import { describe, expect, test } from 'vitest';
import { clientConfig } from '../config/client.ts';
import { serverConfig } from '../config/server.ts';
import type { Offer, OfferedPsk } from '../handshake/offer.ts';
import { legacy } from '../legacy/index.ts';
import type { ClientOptions } from '../options/client.ts';
import type { ServerOptions } from '../options/server.ts';
import { MemoryReplayGuard } from '../sessions/replay-guard.ts';
import type { Session } from '../sessions/session.ts';
import { TicketKeys } from '../sessions/ticket-keys.ts';
import { cipherSuite13 } from '../suites/index.ts';
import { clientEnd, serverEnd, type TestEnd } from '../testing/end.ts';
import { Pair } from '../testing/pair.ts';
import { TestPki } from '../testing/pki.ts';
import { outcomeOf, refused } from '../testing/puppet.ts';
import type { WritableServerHello } from '../testing/puppet-server13.ts';
import { PuppetServer12 } from '../testing/puppet12.ts';
import { earlyDataOutcome } from '../tls13/early-data.ts';

// 0-RTT (RFC 9846 §2.3, §8).

const pki = new TestPki(nodeCrypto);
const verifyCertificate = pki.verifier();

function world(server: Partial<ServerOptions> = {}) {
  let now = Date.now();
  const clock = () => now;
  const tickets = new TicketKeys(nodeCrypto, { now: clock });
  const options: ServerOptions = {
    provider: nodeCrypto,
    credentials: [pki.server()],
    tickets,
    now: clock,
    earlyData: { maxBytes: 100 },
    ...server,
  };
  const config = serverConfig(options);
  const clientOptions = { provider: nodeCrypto, verifyCertificate, now: clock };
  return {
    options,
    pass(milliseconds: number): void {
      now += milliseconds;
    },
    session(client: Partial<ClientOptions> = {}): Session {
      const end = clientEnd(clientConfig({ ...clientOptions, ...client }));
      return new Pair(end, serverEnd(config)).pump().client.sessions[0]!;
    },
    client: (session: Session, client: Partial<ClientOptions> = {}): TestEnd =>
      clientEnd(clientConfig({ ...clientOptions, ...client }), { session, earlyData: true }),
    server: (other: Partial<ServerOptions> = {}): TestEnd =>
      serverEnd(Object.keys(other).length === 0 ? config : serverConfig({ ...options, ...other })),
  };
}

/** A client that sends early data in its first flight. */
function attempt(client: TestEnd, server: TestEnd, text = 'early'): Pair {
  const pair = new Pair(client, server);
  client.connection.sendEarlyData(utf8(text));
  return pair.pump();
}

const early = (end: TestEnd) => end.earlyData.map((bytes) => String.fromCharCode(...bytes)).join('');

function expectSecured(pair: Pair): void {
  expect(pair.client.errors.concat(pair.server.errors)).toEqual([]);
  pair.client.connection.send(utf8('to the server'));
  pair.server.connection.send(utf8('to the client'));
  pair.pump();
  expect([pair.server.text, pair.client.text]).toEqual(['to the server', 'to the client']);
}

describe('early data', () => {
  test('that a server takes for another protocol ends the connection (RFC 9846 §4.3.10)', () => {
    const suite = cipherSuite13(0x1301)!;
    const psk = { session: { cipherSuite: suite.id, alpnProtocol: 'h2' } } as unknown as OfferedPsk;
    const offer = { psks: [psk], offersEarlyData: true } as unknown as Offer;
    const outcome = (alpnProtocol: string | undefined) =>
      earlyDataOutcome(offer, { accepted: true, psk, suite, alpnProtocol });
    expect(outcome('h2')).toBe('accepted');
    for (const other of ['http/1.1', undefined])
      expect(() => outcome(other)).toThrow(expect.objectContaining({ code: 'illegal-parameter' }));
  });

  test('comes before the handshake is complete, apart from other data, once', () => {
    const w = world();
    const pair = attempt(w.client(w.session()), w.server());
    expect(early(pair.server)).toBe('early');
    expect(pair.server.data).toEqual([]);
    expect([pair.client.info.earlyData, pair.server.info.earlyData]).toEqual(['accepted', 'accepted']);
    expect(pair.server.log).toContain('received end_of_early_data');
    expectSecured(pair);
    expect(early(pair.server)).toBe('early');
  });

  test('arrives with the first flight, and its answer before the handshake is complete', () => {
    const w = world();
    const client = w.client(w.session());
    const server = w.server();
    const pair = new Pair(client, server);
    client.connection.sendEarlyData(utf8('question'));
    pair.carry('client');
    expect(early(server)).toBe('question');
    expect(server.secured).toEqual([]);
    server.connection.send(utf8('answer'));
    pair.carry('server');
    expect(client.text).toBe('answer');
    expect(server.secured).toEqual([]);
    pair.pump();
    expect(server.secured).toHaveLength(1);
  });

  test.each([
    [undefined, 10_000],
    [60_000, 60_000],
    [0, 0],
  ])('with an age that may differ by %s ms is taken up to %d ms off, and no more', (ageTolerance, most) => {
    const w = world({
      earlyData: { maxBytes: 100, ...(ageTolerance === undefined ? {} : { ageTolerance }) },
    });
    for (const sign of [1, -1]) {
      const outcome = (skew: number) => {
        const session = w.session();
        w.pass(100_000);
        const shifted = { ...session, createdAt: session.createdAt + sign * skew };
        return attempt(w.client(shifted), w.server()).server.info.earlyData;
      };
      expect([outcome(most), outcome(most + 1)]).toEqual(['accepted', 'rejected']);
    }
  });

  test('with an age that may differ by more than ten minutes is a mistake in the options', () => {
    for (const ageTolerance of [600_001, -1, Number.NaN])
      expect(() => world({ earlyData: { ageTolerance } }).server()).toThrow(
        expect.objectContaining({ code: 'bad-option' }),
      );
  });

  test('follows a ChangeCipherSpec whose header names TLS 1.2', () => {
    const w = world();
    const client = w.client(w.session());
    client.connection.start();
    const flight = client.take();
    const hello = (flight[3]! << 8) | flight[4]!;
    expect([...flight.subarray(0, 3)]).toEqual([22, 3, 1]);
    expect([...flight.subarray(5 + hello, 11 + hello)]).toEqual([20, 3, 3, 0, 1, 1]);
  });

  test('may go on until the server has answered', () => {
    const w = world();
    const client = w.client(w.session());
    const pair = new Pair(client, w.server());
    client.connection.sendEarlyData(utf8('a'));
    pair.carry('client');
    client.connection.sendEarlyData(utf8('b'));
    pair.carry('client');
    expect(early(pair.server)).toBe('ab');
    pair.pump();
    expect(() => client.connection.sendEarlyData(utf8('c'))).toThrow(
      expect.objectContaining({ code: 'not-connected' }),
    );
    expect(client.connection.earlyDataLeft).toBe(0);
    expectSecured(pair);
  });

  test('has keys and an exporter of its own, the same on both sides', () => {
    const w = world();
    const pair = attempt(w.client(w.session()), w.server());
    const [client, server] = [pair.client.connection, pair.server.connection];
    const exported = client.exportEarlyKeyingMaterial(32, 'EXPORTER-test');
    expect(server.exportEarlyKeyingMaterial(32, 'EXPORTER-test')).toEqual(exported);
    expect(client.exportKeyingMaterial(32, 'EXPORTER-test')).not.toEqual(exported);
    for (const label of ['CLIENT_EARLY_TRAFFIC_SECRET', 'EARLY_EXPORTER_SECRET']) {
      expect(pair.client.secrets.get(label)).toBeDefined();
      expect(pair.client.secrets.get(label)).toBe(pair.server.secrets.get(label));
    }
  });

  test('is bounded by what the ticket says', () => {
    const w = world();
    const client = w.client(w.session());
    new Pair(client, w.server());
    expect(client.connection.earlyDataLeft).toBe(100);
    client.connection.sendEarlyData(new Uint8Array(60));
    expect(client.connection.earlyDataLeft).toBe(40);
    expect(() => client.connection.sendEarlyData(new Uint8Array(41))).toThrow(
      expect.objectContaining({ code: 'not-connected' }),
    );
  });

  test('of more than the server takes ends the connection', () => {
    const w = world();
    const session = { ...w.session(), maxEarlyData: 1000 };
    const pair = attempt(w.client(session), w.server(), 'x'.repeat(101));
    expect(pair.server.errors.map(({ code }) => code)).toEqual(['too-much-early-data']);
    expect(early(pair.server)).toBe('');
    expect(pair.client.errors[0]!.receivedAlert).toBe('unexpected_message');
  });
});

describe('early data is refused, and the connection goes on', () => {
  type Case = readonly [why: string, server: Partial<ServerOptions>, client?: Partial<ClientOptions>];
  const cases: readonly Case[] = [
    ['where the server takes none any more', { earlyData: undefined }],
    ['where the application does not want it', { earlyData: { accept: () => false } }],
    ['after a retry', { groups: ['secp384r1'] }, { keyShareGroups: ['x25519'] }],
    ['without the ticket', { tickets: new TicketKeys(nodeCrypto) }],
    ['with another suite', { cipherSuites: ['TLS_CHACHA20_POLY1305_SHA256'] }],
    ['with another protocol', { alpnProtocols: ['b'] }, { alpnProtocols: ['a', 'b'] }],
  ];
  test.each(cases.map(([why, server, client]) => [why, server, client ?? {}] as const))(
    '%s',
    (_why, server, client) => {
      const w = world();
      const session = w.session(client.alpnProtocols === undefined ? {} : { alpnProtocols: ['a'] });
      const pair = attempt(w.client(session, client), w.server(server), 'x'.repeat(100));
      expect([pair.client.info.earlyData, pair.server.info.earlyData]).toEqual(['rejected', 'rejected']);
      expect(early(pair.server)).toBe('');
      expectSecured(pair);
    },
  );

  test('when the client states another age than the server sees', () => {
    const w = world();
    const session = w.session();
    const client = w.client(session);
    const pair = new Pair(client, w.server());
    client.connection.sendEarlyData(utf8('late'));
    const server = w.server();
    w.pass(11_000);
    const late = w.server();
    const flight = client.take().slice();
    late.connection.receive(flight.slice());
    expect(early(late)).toBe('');
    expect(late.log).toContain('sent finished');
    expect(server.errors.concat(pair.server.errors)).toEqual([]);
  });

  test.each([
    ['all of it', 0],
    ['what came before the answer', 1],
  ])('a replay is not delivered: %s', (_what, _n) => {
    const w = world();
    const client = w.client(w.session());
    const first = new Pair(client, w.server());
    client.connection.sendEarlyData(utf8('pay'));
    const flight = client.take().slice();
    first.server.connection.receive(flight.slice());
    expect(early(first.server)).toBe('pay');
    for (let i = 0; i < 3; i++) {
      const replayed = w.server();
      replayed.connection.receive(flight.slice());
      expect(early(replayed)).toBe('');
      expect(replayed.errors).toEqual([]);
      expect(replayed.secured).toEqual([]);
    }
  });

  test('a replay to a server that shares tickets and guard is not delivered either', () => {
    const replayGuard = new MemoryReplayGuard();
    const w = world({ earlyData: { replayGuard } });
    const client = w.client(w.session());
    new Pair(client, w.server());
    client.connection.sendEarlyData(utf8('pay'));
    const flight = client.take().slice();
    const [one, other] = [w.server({ ticketCount: 1 }), w.server({ ticketCount: 2 })];
    one.connection.receive(flight.slice());
    other.connection.receive(flight.slice());
    expect([early(one), early(other)]).toEqual(['pay', '']);
  });

  test('a guard that answers later, or fails, holds it back until then', async () => {
    let answer: (yes: boolean) => void = () => {};
    const admit = () => new Promise<boolean>((resolve) => (answer = resolve));
    const w = world({ earlyData: { replayGuard: { admit } } });
    const client = w.client(w.session());
    const pair = new Pair(client, w.server());
    client.connection.sendEarlyData(utf8('pay'));
    await pair.settle();
    expect(early(pair.server)).toBe('');
    answer(true);
    await pair.settle();
    expect(early(pair.server)).toBe('pay');
    expectSecured(pair);
  });
});

describe('a server that chooses an older version ends the connection (RFC 9846 §E.3)', () => {
  function answered(client: Partial<ClientOptions>, change: (hello: WritableServerHello) => void) {
    const w = world();
    const end = w.client(w.session(), client);
    const p = new PuppetServer12(nodeCrypto, end, pki.server());
    expect(end.connection.earlyDataLeft).toBe(100);
    p.send(p.serverHello(change));
    expect(end.connection.earlyDataLeft).toBe(0);
    return outcomeOf(p);
  }
  const marked = (h: WritableServerHello) => h.random.set(utf8('DOWNGRD\x01'), 24);
  const version = (legacyVersion: number) => (h: WritableServerHello) => Object.assign(h, { legacyVersion });

  test.each([
    ['TLS 1.2', version(0x0303)],
    ['TLS 1.2, though it knows a better one', marked],
    ['TLS 1.1', version(0x0302)],
    ['TLS 1.0', version(0x0301)],
  ])('%s', (_what, change) => {
    const cipherSuites = ['TLS_AES_128_GCM_SHA256', 'ECDHE-ECDSA-AES128-SHA'];
    const outcome = answered({ legacy, minVersion: 'TLSv1', cipherSuites }, change);
    expect(outcome).toEqual(refused('early-data-refused-by-version'));
  });

  test.each([0x0300, 0x0301, 0x0302, 0x0304, 0x0305])('%i, which was not offered either', (legacyVersion) => {
    expect(answered({}, version(legacyVersion))).toEqual(refused('no-common-version'));
  });

  test('of our own, too; without early data it goes on', () => {
    const w = world();
    const session = w.session();
    const pair = attempt(w.client(session), w.server({ maxVersion: 'TLSv1.2' }));
    expect(pair.client.errors.map(({ code }) => code)).toEqual(['early-data-refused-by-version']);
    const again = clientEnd(clientConfig({ provider: nodeCrypto, verifyCertificate }), { session });
    expectSecured(new Pair(again, w.server({ maxVersion: 'TLSv1.2' })).pump());
  });
});

describe('a client', () => {
  test('offers none without being asked to, without a session, or when the ticket allows none', () => {
    const w = world();
    const session = w.session();
    const cases = [
      clientEnd(clientConfig({ provider: nodeCrypto, verifyCertificate }), { session }),
      clientEnd(clientConfig({ provider: nodeCrypto, verifyCertificate }), { earlyData: true }),
      w.client({ ...session, maxEarlyData: 0 }),
      w.client(session, { cipherSuites: ['TLS_AES_256_GCM_SHA384'] }),
      w.client({ ...session, alpnProtocol: 'x' }),
    ];
    for (const client of cases) {
      const pair = new Pair(client, w.server());
      expect(client.connection.earlyDataLeft).toBe(0);
      expect(() => client.connection.sendEarlyData(utf8('x'))).toThrow(
        expect.objectContaining({ code: 'not-connected' }),
      );
      expectSecured(pair.pump());
      expect(pair.client.info.earlyData).toBe('none');
    }
  });
});

describe('the guard in memory', () => {
  const id = (n: number) => Uint8Array.of(n);

  test('admits once, and again when the time is over', () => {
    let now = 1000;
    const guard = new MemoryReplayGuard({ now: () => now });
    expect(guard.admit(id(1), 2000)).toBe(true);
    expect(guard.admit(id(1), 2000)).toBe(false);
    expect(guard.admit(id(2), 2000)).toBe(true);
    now = 2000;
    expect(guard.admit(id(1), 3000)).toBe(true);
    expect(guard.size).toBe(1);
  });

  test('admits nothing when it is full, rather than forget', () => {
    const guard = new MemoryReplayGuard({ capacity: 2, now: () => 0 });
    expect([1, 2, 3, 1].map((n) => guard.admit(id(n), 10))).toEqual([true, true, false, false]);
  });
});
