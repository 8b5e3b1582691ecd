import { nodeCrypto } from '@testudo/crypto/node';
import { describe, expect, test } from 'vitest';
import { clientConfig } from '../config/client.ts';
import { serverConfig } from '../config/server.ts';
import type { ClientOptions } from '../options/client.ts';
import type { ServerOptions } from '../options/server.ts';
import { clientEnd, serverEnd, type TestEnd } from '../testing/end.ts';
import { Pair } from '../testing/pair.ts';
import { TestPki } from '../testing/pki.ts';
import { outcomeOf, refused } from '../testing/puppet.ts';
import { PuppetClient13 } from '../testing/puppet-client13.ts';
import { AbandonedSessions } from './abandoned-sessions.ts';
import { decodeSession, encodeSession, type Session } from './session.ts';
import { MemorySessionStore } from './session-store.ts';
import { TicketKeys } from './ticket-keys.ts';

const pki = new TestPki(nodeCrypto);
const verifyCertificate = pki.verifier();

/** Garbage where a record should be: the end that gets it says so with a fatal alert. */
const garbage = Uint8Array.of(23, 3, 3, 0, 32, ...new Uint8Array(32));

function world(options: Partial<ServerOptions>, clientOptions: Partial<ClientOptions> = {}) {
  const server = serverConfig({ provider: nodeCrypto, credentials: [pki.server()], ...options });
  const client = clientConfig({ provider: nodeCrypto, verifyCertificate, ...clientOptions });
  return (session?: Session) => new Pair(clientEnd(client, { session }), serverEnd(server)).pump();
}

/** As if the session came back from a disk, at a client that knows nothing of what happened to it. */
function unknowing(session: Session): Session {
  return { ...decodeSession(encodeSession(session))! };
}

const KINDS = [
  ['a ticket of TLS 1.3', 'TLSv1.3', () => ({ tickets: new TicketKeys(nodeCrypto) })],
  ['a ticket of TLS 1.2', 'TLSv1.2', () => ({ tickets: new TicketKeys(nodeCrypto) })],
  ['a session ID of TLS 1.2', 'TLSv1.2', () => ({ sessionStore: new MemorySessionStore() })],
] as const;

describe.each(KINDS)('%s', (_what, maxVersion, stores) => {
  const client = { maxVersion } as const;

  test('is resumed after connections that ended well, or were given up', () => {
    const meet = world(stores(), client);
    const first = meet();
    const session = first.client.sessions[0]!;
    first.client.connection.close();
    first.pump();
    const second = meet(session);
    expect(second.server.info.resumed).toBe(true);
    second.client.connection.abort();
    second.pump();
    second.server.connection.receiveEnd();
    expect(meet(session).server.info.resumed).toBe(true);
  });

  const spoilt: readonly (readonly [string, (pair: Pair) => TestEnd])[] = [
    ['the client', (pair) => pair.client],
    ['the server', (pair) => pair.server],
  ];

  test.each(spoilt)('is not offered again when %s sent a fatal alert', (_who, end) => {
    const meet = world(stores(), client);
    const pair = meet();
    const { sessions } = pair.client;
    expect(sessions.length).toBeGreaterThan(0);
    end(pair).connection.receive(garbage);
    pair.pump();
    expect([pair.client.errors.length, pair.server.errors.length]).toEqual([1, 1]);
    for (const session of sessions) {
      const next = meet(unknowing(session));
      expect(next.client.errors.concat(next.server.errors)).toEqual([]);
      expect(next.client.info.resumed).toBe(false);
      // Its hello did not even name it.
      expect(next.server.info.resumed).toBe(false);
    }
  });

  test.each(spoilt)('is not taken by the server when %s sent a fatal alert', (_who, end) => {
    const kept = stores();
    const meet = world(kept, client);
    const good = meet();
    const pair = meet();
    end(pair).connection.receive(garbage);
    pair.pump();
    const puppets = [good, pair].map((each) => each.client.sessions[0]!);
    // Asked by itself, so that no client can have left it out.
    const known = puppets.map((session) =>
      'tickets' in kept ? kept.tickets.open(session.ticket) : kept.sessionStore.get(session.id),
    );
    expect(known.map((session) => session !== undefined)).toEqual([true, false]);
  });

  test('that was resumed is lost with the connection that resumed it', () => {
    const kept = stores();
    const meet = world(kept, client);
    const session = meet().client.sessions[0]!;
    const pair = meet(session);
    expect(pair.server.info.resumed).toBe(true);
    pair.server.connection.receive(garbage);
    pair.pump();
    expect(
      'tickets' in kept ? kept.tickets.open(session.ticket) : kept.sessionStore.get(session.id),
    ).toBeUndefined();
    expect(meet(session).client.info.resumed).toBe(false);
    for (const newer of pair.client.sessions) expect(meet(newer).client.info.resumed).toBe(false);
  });

  test('is not lost with a connection that had another one', () => {
    const meet = world(stores(), client);
    const session = meet().client.sessions[0]!;
    const other = meet();
    other.server.connection.receive(garbage);
    other.pump();
    expect(meet(session).server.info.resumed).toBe(true);
  });

  test('serves many connections at once', () => {
    const meet = world(stores(), client);
    const session = meet().client.sessions[0]!;
    const pairs = [meet(session), meet(session), meet(session)];
    expect(pairs.map(({ server }) => server.info.resumed)).toEqual([true, true, true]);
    for (const [i, pair] of pairs.entries()) pair.client.connection.send(Uint8Array.of(i));
    for (const pair of pairs) pair.pump();
    expect(pairs.map(({ server }) => server.data)).toEqual([0, 1, 2].map((i) => [Uint8Array.of(i)]));
    // What one of them does to its keys does not touch the others.
    pairs[0]!.client.connection.close();
    pairs[0]!.pump();
    pairs[1]!.server.connection.send(Uint8Array.of(9));
    expect(pairs[1]!.pump().client.data).toEqual([Uint8Array.of(9)]);
  });
});

describe('a client', () => {
  test('that offers a session and is refused does not offer it again', () => {
    const meet = world({ tickets: new TicketKeys(nodeCrypto) });
    const session = meet().client.sessions[0]!;
    const client = clientEnd(clientConfig({ provider: nodeCrypto, verifyCertificate }), { session });
    client.connection.start();
    client.take();
    client.connection.receive(Uint8Array.of(21, 3, 3, 0, 2, 2, 40));
    expect(client.errors[0]).toMatchObject({ receivedAlert: 'handshake_failure' });
    expect(meet(session).client.info.resumed).toBe(false);
  });

  test('keeps a session that the server did not take, when that connection fails later', () => {
    const meet = world({ tickets: new TicketKeys(nodeCrypto) });
    const session = meet().client.sessions[0]!;
    const elsewhere = world({ tickets: new TicketKeys(nodeCrypto) })(session);
    expect(elsewhere.client.info.resumed).toBe(false);
    elsewhere.client.connection.receive(garbage);
    expect(meet(session).client.info.resumed).toBe(true);
  });

  test('loses tickets that come after the handshake, too', () => {
    const tickets = new TicketKeys(nodeCrypto);
    let open!: () => void;
    const wait = new Promise<void>((resolve) => {
      open = resolve;
    });
    const slow = {
      seal: async (session: Session) => {
        await wait;
        return tickets.seal(session);
      },
      open: (ticket: Uint8Array) => tickets.open(ticket),
    };
    const pair = world({ tickets: slow })();
    expect([pair.client.secured.length, pair.client.sessions.length]).toEqual([1, 0]);
    open();
    return pair.settle().then(() => {
      const [session] = pair.client.sessions;
      pair.client.connection.receive(garbage);
      expect(world({ tickets })(session).client.info.resumed).toBe(false);
    });
  });
});

describe('a server whose handshake fails', () => {
  const tickets = new TicketKeys(nodeCrypto);
  const config = serverConfig({ provider: nodeCrypto, credentials: [pki.server()], tickets });
  const newSession = (maxVersion: 'TLSv1.3' | 'TLSv1.2') =>
    world({ tickets }, { maxVersion })().client.sessions[0]!;

  test('TLS 1.3: forgets the session that it was resuming, if the client has its key', () => {
    const session = newSession('TLSv1.3');
    const bad = new PuppetClient13(nodeCrypto, serverEnd(config), pki.client());
    bad.sendHelloWithPsk(session, { spoil: (binder) => binder.fill(0) });
    expect(outcomeOf(bad)).toEqual(refused('bad-binder'));
    expect(tickets.open(session.ticket)).toBeDefined();
    const p = new PuppetClient13(nodeCrypto, serverEnd(config), pki.client());
    p.sendHelloWithPsk(session).send(p.finished((data) => data.map((byte) => byte ^ 1)));
    expect(outcomeOf(p)).toEqual(refused('bad-finished'));
    expect(tickets.open(session.ticket)).toBeUndefined();
  });

  test('TLS 1.2: forgets the session that it was resuming', () => {
    const session = newSession('TLSv1.2');
    const client = clientConfig({ provider: nodeCrypto, verifyCertificate, maxVersion: 'TLSv1.2' });
    const pair = new Pair(clientEnd(client, { session }), serverEnd(config));
    pair.carry('client');
    pair.server.take();
    pair.server.connection.receive(Uint8Array.of(21, 3, 3, 0, 2, 2, 40));
    expect(pair.server.secured).toEqual([]);
    expect(tickets.open(session.ticket)).toBeUndefined();
  });
});

describe('stores elsewhere', () => {
  test('are told, and may fail', async () => {
    const told: string[] = [];
    const keys = new TicketKeys(nodeCrypto);
    const tickets = {
      seal: (session: Session) => keys.seal(session),
      open: (ticket: Uint8Array) => keys.open(ticket),
      revoke: async () => {
        told.push('revoke');
        throw new Error('no network');
      },
    };
    const memory = new MemorySessionStore();
    const sessionStore = {
      get: (id: Uint8Array) => memory.get(id),
      set: (id: Uint8Array, session: Session) => memory.set(id, session),
      delete: () => {
        told.push('delete');
        throw new Error('no network');
      },
    };
    for (const stores of [{ tickets }, { sessionStore }]) {
      const pair = world(stores, { maxVersion: 'TLSv1.2' })();
      pair.server.connection.receive(garbage);
      await pair.settle();
      expect(pair.server.errors.map(({ code }) => code)).toEqual(['bad-record-mac']);
    }
    expect(told).toEqual(['revoke', 'delete']);
  });

  test('that know no way to forget go on as before', () => {
    const keys = new TicketKeys(nodeCrypto);
    const tickets = {
      seal: (session: Session) => keys.seal(session),
      open: (ticket: Uint8Array) => keys.open(ticket),
    };
    const pair = world({ tickets })();
    pair.server.connection.receive(garbage);
    expect(pair.server.errors).toHaveLength(1);
  });
});

describe('the list', () => {
  const session = (n: number, createdAt = 0) => ({
    secret: new Uint8Array(32).fill(n),
    createdAt,
    lifetime: 10,
  });

  test('is bounded: what is too old goes first, then the oldest', () => {
    let now = 0;
    const list = new AbandonedSessions({ capacity: 3, now: () => now });
    for (const [n, createdAt] of [
      [1, 0],
      [2, -9_000],
      [3, 0],
    ] as const)
      list.add(nodeCrypto, session(n, createdAt));
    now = 2000;
    list.add(nodeCrypto, session(4, now));
    expect([1, 2, 3, 4].map((n) => list.has(nodeCrypto, session(n)))).toEqual([true, false, true, true]);
    list.add(nodeCrypto, session(5, now));
    expect([1, 3, 4, 5].map((n) => list.has(nodeCrypto, session(n)))).toEqual([false, true, true, true]);
    expect(list.size).toBe(3);
  });

  test('of ticket keys outlives a rotation', () => {
    let now = 1_000_000;
    const keys = new TicketKeys(nodeCrypto, { now: () => now, rotateAfter: 10 });
    const meet = world({ tickets: keys, now: () => now });
    const { sessions } = meet().client;
    keys.revoke(keys.open(sessions[0]!.ticket)!);
    now += 11_000;
    keys.seal(sessions[1]!);
    expect(keys.open(sessions[0]!.ticket)).toBeUndefined();
    expect(keys.open(sessions[1]!.ticket)).toBeDefined();
  });
});
