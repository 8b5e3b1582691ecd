import { nodeCrypto } from '@testudo/crypto/node';
import { describe, expect, test } from 'vitest';
import { clientConfig } from '../config/client.ts';
import { serverConfig } from '../config/server.ts';
import { extendedMasterSecret } from '../extensions/negotiation.ts';
import { sessionTicket } from '../extensions/session-ticket.ts';
import type { ClientOptions } from '../options/client.ts';
import type { ServerOptions } from '../options/server.ts';
import type { Session } from '../sessions/session.ts';
import { MemorySessionStore } from '../sessions/session-store.ts';
import { TicketKeys } from '../sessions/ticket-keys.ts';
import { clientEnd, serverEnd } from '../testing/end.ts';
import { Pair } from '../testing/pair.ts';
import { TestPki } from '../testing/pki.ts';
import { outcomeOf, refused } from '../testing/puppet.ts';
import { PuppetClient13 } from '../testing/puppet-client13.ts';
import { PuppetClient12 } from '../testing/puppet12.ts';

const pki = new TestPki(nodeCrypto);
const verifyCertificate = pki.verifier();
const START = 1_900_000_000_000;

interface Setting {
  readonly client?: Partial<ClientOptions>;
  readonly server?: Partial<ServerOptions>;
  readonly session?: Session | undefined;
  readonly serverName?: string;
}

/** A server's tickets and the time are the same for all connections of a test. */
function world() {
  let now = Date.now();
  const clock = () => now;
  const tickets = new TicketKeys(nodeCrypto, { now: clock });
  const serverOptions = (options: Partial<ServerOptions> = {}) =>
    serverConfig({ provider: nodeCrypto, credentials: [pki.server()], tickets, now: clock, ...options });
  return {
    tickets,
    serverOptions,
    pass(seconds: number): void {
      now += seconds * 1000;
    },
    meet({ client = {}, server = {}, session, serverName }: Setting = {}): Pair {
      const config = clientConfig({ provider: nodeCrypto, verifyCertificate, now: clock, ...client });
      const end = clientEnd(config, { session, ...(serverName === undefined ? {} : { serverName }) });
      return new Pair(end, serverEnd(serverOptions(server))).pump();
    },
  };
}

const V12 = { maxVersion: 'TLSv1.2' } as const;

describe('a client that takes no tickets up to TLS 1.2', () => {
  const client = { ...V12, sessionTickets: false };
  const asksForNone = (pair: Pair) => pair.client.sessions.every(({ ticket }) => ticket.length === 0);

  test('gets none, offers none, and resumes by ID', () => {
    const w = world();
    const session = w.meet({ client: V12 }).client.sessions[0]!;
    expect(session.ticket.length).toBeGreaterThan(0);
    const without = w.meet({ client, session });
    expect(without.client.errors.concat(without.server.errors)).toEqual([]);
    expect(without.client.info.resumed).toBe(false);
    expect(without.client.log).not.toContain('received new_session_ticket');
    const server = { sessionStore: new MemorySessionStore({}) };
    const first = w.meet({ client, server });
    expect(asksForNone(first)).toBe(true);
    const second = w.meet({ client, server, session: first.client.sessions[0]! });
    expect(second.client.info.resumed).toBe(true);
  });

  test('takes those of TLS 1.3', () => {
    const w = world();
    const session = w.meet({ client: { sessionTickets: false } }).client.sessions[0]!;
    expect(w.meet({ client: { sessionTickets: false }, session }).client.info.resumed).toBe(true);
  });
});

describe.each(['TLSv1.3', 'TLSv1.2'] as const)('tickets of %s', (maxVersion) => {
  const client = { maxVersion };

  test('resume, again and again, and the certificate is remembered', () => {
    const w = world();
    let { sessions } = w.meet({ client }).client;
    expect(sessions).toHaveLength(maxVersion === 'TLSv1.3' ? 2 : 1);
    for (let i = 0; i < 3; i++) {
      const pair = w.meet({ client, session: sessions[0] });
      expect(pair.client.errors.concat(pair.server.errors)).toEqual([]);
      expect([pair.client.info.resumed, pair.server.info.resumed]).toEqual([true, true]);
      expect(pair.client.info.peerCertificates).toEqual(pki.server().certificates);
      expect(pair.client.log).not.toContain('received certificate');
      pair.client.connection.send(Uint8Array.of(1));
      expect(pair.pump().server.data).toEqual([Uint8Array.of(1)]);
      ({ sessions } = pair.client);
      expect(sessions.length).toBeGreaterThan(0);
    }
  });

  test('a resumption is followed by one more ticket, or by none', () => {
    const w = world();
    const session = w.meet({ client }).client.sessions[0]!;
    expect(w.meet({ client, session }).client.sessions).toHaveLength(1);
    for (let again = 0; again < 2; again++) {
      const pair = w.meet({ client, session, server: { renewTickets: false } });
      expect(pair.client.info.resumed).toBe(true);
      expect(pair.client.sessions).toEqual([]);
    }
    expect(w.meet({ client, server: { renewTickets: false } }).client.sessions).not.toEqual([]);
  });

  test('are not taken when they are too old, by either side', () => {
    const w = world();
    const session = w.meet({ client, server: { sessionLifetime: 100 } }).client.sessions[0]!;
    w.pass(99);
    expect(w.meet({ client, session }).client.info.resumed).toBe(true);
    w.pass(1);
    expect(w.meet({ client, session }).client.info.resumed).toBe(false);
    // A client that thinks otherwise does not talk the server into it.
    const pair = w.meet({ client, session: { ...session, lifetime: 10_000 } });
    expect(pair.server.errors.concat(pair.client.errors)).toEqual([]);
    expect(pair.server.info.resumed).toBe(false);
  });

  test('that are forged lead to a full handshake', () => {
    const w = world();
    const session = w.meet({ client }).client.sessions[0]!;
    for (const at of [0, 16, 28, session.ticket.length - 1]) {
      const ticket = session.ticket.slice();
      ticket[at]! ^= 1;
      const pair = w.meet({ client, session: { ...session, ticket } });
      expect(pair.client.errors.concat(pair.server.errors)).toEqual([]);
      expect(pair.server.info.resumed).toBe(false);
    }
  });

  test('of another server lead to a full handshake', () => {
    const session = world().meet({ client }).client.sessions[0]!;
    expect(world().meet({ client, session }).client.info.resumed).toBe(false);
  });

  test('are not taken for another name, by either side', () => {
    const w = world();
    const session = w.meet({ client }).client.sessions[0]!;
    const anyone = { ...client, verifyCertificate: () => ({ accepted: true }) };
    expect(w.meet({ client: anyone, session, serverName: 'other.example' }).client.info.resumed).toBe(false);
    const renamed = { ...session, serverName: 'other.example' };
    const pair = w.meet({ client: anyone, session: renamed, serverName: 'other.example' });
    expect(pair.server.errors).toEqual([]);
    expect(pair.server.info.resumed).toBe(false);
  });

  test('do not stand in for a client certificate that was never shown', () => {
    const w = world();
    const session = w.meet({ client }).client.sessions[0]!;
    const server = { clientCertificate: 'require', verifyCertificate } as const;
    const pair = w.meet({ client: { ...client, credentials: [pki.client()] }, server, session });
    expect(pair.server.info.resumed).toBe(false);
    expect(pair.server.info.peerCertificates).toHaveLength(1);
    const again = w.meet({ client, server, session: pair.client.sessions[0] });
    expect(again.server.info.resumed).toBe(true);
    expect(again.server.info.peerCertificates).toEqual(pki.client().certificates);
  });

  test('are not offered where they would fill the hello', () => {
    const w = world();
    const [session] = w.meet({ client }).client.sessions;
    for (const length of [24_577, 60_000, 65_535]) {
      const pair = w.meet({ client, session: { ...session!, ticket: new Uint8Array(length) } });
      expect([pair.client.errors, pair.server.errors]).toEqual([[], []]);
      expect(pair.client.info.resumed).toBe(false);
    }
  });

  test('are none when the server has none', () => {
    expect(world().meet({ client, server: { tickets: false } }).client.sessions).toEqual([]);
  });

  test('that take time to seal and open, and that fail', async () => {
    const w = world();
    const slow = {
      seal: async (s: Session) => w.tickets.seal(s),
      open: async (t: Uint8Array) => w.tickets.open(t),
    };
    const first = await w.meet({ client, server: { tickets: slow } }).settle();
    const pair = await w
      .meet({ client, server: { tickets: slow }, session: first.client.sessions[0] })
      .settle();
    expect([pair.client.info.resumed, pair.server.info.resumed]).toEqual([true, true]);
    const broken = {
      seal: () => Promise.reject(new Error('gone')),
      open: () => Promise.reject(new Error('gone')),
    };
    const failed = await w
      .meet({ client, server: { tickets: broken }, session: first.client.sessions[0] })
      .settle();
    expect(failed.server.errors).toHaveLength(1);
    expect(failed.server.errors[0]!.reason).toBe('Local');
    expect(failed.client.errors[0]!.receivedAlert).toBe('internal_error');
  });

  test('survive a rotation of keys, but not two lifetimes', () => {
    const w = world();
    const session = w.meet({ client, server: { sessionLifetime: 604_800 } }).client.sessions[0]!;
    w.pass(43_201);
    expect(w.meet({ client, session }).client.info.resumed).toBe(true);
    w.pass(86_400);
    expect(w.meet({ client, session }).client.info.resumed).toBe(false);
  });
});

describe('TLS 1.3', () => {
  test('a resumption has new keys', () => {
    const w = world();
    const first = w.meet();
    const second = w.meet({ session: first.client.sessions[0] });
    expect(second.client.secrets.get('CLIENT_TRAFFIC_SECRET_0')).not.toBe(
      first.client.secrets.get('CLIENT_TRAFFIC_SECRET_0'),
    );
    expect(second.client.info.group).toBeDefined();
  });

  test('as many tickets as the server wants, each of its own', () => {
    const w = world();
    for (const ticketCount of [0, 1, 8]) {
      const { sessions } = w.meet({ server: { ticketCount } }).client;
      expect(sessions).toHaveLength(ticketCount);
      expect(new Set(sessions.map(({ secret }) => String(secret))).size).toBe(ticketCount);
    }
  });

  test('resumes after a retry', () => {
    const w = world();
    const session = w.meet().client.sessions[0]!;
    const pair = w.meet({ session, server: { groups: ['secp384r1'] } });
    expect(pair.client.errors.concat(pair.server.errors)).toEqual([]);
    expect(pair.client.info).toMatchObject({ resumed: true, helloRetryRequest: true });
    expect(pair.server.info.resumed).toBe(true);
  });

  test('resumes with another suite of the same hash, not of another', () => {
    const w = world();
    const session = w.meet({ server: { cipherSuites: ['TLS_AES_128_GCM_SHA256'] } }).client.sessions[0]!;
    expect(
      w.meet({ session, server: { cipherSuites: ['TLS_CHACHA20_POLY1305_SHA256'] } }).client.info.resumed,
    ).toBe(true);
    const other = w.meet({ session, server: { cipherSuites: ['TLS_AES_256_GCM_SHA384'] } });
    expect(other.client.errors.concat(other.server.errors)).toEqual([]);
    expect(other.client.info.resumed).toBe(false);
  });

  test('a retry with a suite of another hash drops the key', () => {
    const w = world();
    const session = w.meet({ server: { cipherSuites: ['TLS_AES_128_GCM_SHA256'] } }).client.sessions[0]!;
    const server = { cipherSuites: ['TLS_AES_256_GCM_SHA384'], groups: ['secp384r1'] };
    const pair = w.meet({ session, server });
    expect(pair.client.errors.concat(pair.server.errors)).toEqual([]);
    expect(pair.client.info).toMatchObject({ resumed: false, helloRetryRequest: true });
  });

  test('a session of 1.3 is not offered to 1.2, and none of 1.2 to 1.3', () => {
    const w = world();
    const new13 = w.meet().client.sessions[0]!;
    const new12 = w.meet({ client: V12 }).client.sessions[0]!;
    expect(w.meet({ session: new13, client: V12 }).client.info).toMatchObject({
      version: 'TLSv1.2',
      resumed: false,
    });
    expect(w.meet({ session: new13, server: V12 }).client.info).toMatchObject({
      version: 'TLSv1.2',
      resumed: false,
    });
    expect(w.meet({ session: new12 }).client.info).toMatchObject({ version: 'TLSv1.3', resumed: false });
  });

  test('a binder that does not match ends the handshake', () => {
    const w = world();
    const session = w.meet().client.sessions[0]!;
    const puppet = () => new PuppetClient13(nodeCrypto, serverEnd(w.serverOptions()), pki.client());
    const good = puppet().sendHelloWithPsk(session);
    expect(good.send(good.finished()).end.info.resumed).toBe(true);
    const bad = puppet().sendHelloWithPsk(session, {
      spoil: (binder) => {
        binder[0]! ^= 1;
      },
    });
    expect(outcomeOf(bad)).toEqual(refused('bad-binder'));
    const otherKey = puppet().sendHelloWithPsk({ ...session, secret: new Uint8Array(32) });
    expect(outcomeOf(otherKey)).toEqual(refused('bad-binder'));
  });

  test('the first ticket that is known counts; the server looks at four', () => {
    const w = world();
    const session = w.meet().client.sessions[0]!;
    const unknown = new Uint8Array(40);
    const puppet = (before: number) =>
      new PuppetClient13(nodeCrypto, serverEnd(w.serverOptions()), pki.client()).sendHelloWithPsk(session, {
        identities: [...new Array<Uint8Array>(before).fill(unknown), session.ticket],
      });
    const third = puppet(3);
    expect(third.send(third.finished()).end.info.resumed).toBe(true);
    const fifth = puppet(4);
    expect(fifth.end.errors).toEqual([]);
    expect(fifth.messages.some(({ type }) => type === 11)).toBe(true);
  });
});

describe('session IDs of TLS 1.2', () => {
  const client = V12;

  test('resume, at once or later', async () => {
    for (const later of [false, true]) {
      const w = world();
      const memory = new MemorySessionStore();
      const sessionStore = later
        ? {
            get: async (id: Uint8Array) => memory.get(id),
            set: async (id: Uint8Array, s: Session) => memory.set(id, s),
          }
        : memory;
      const server = { tickets: false, sessionStore } as const;
      const first = await w.meet({ client, server }).settle();
      expect(first.client.sessions[0]!.id).toHaveLength(32);
      const pair = await w.meet({ client, server, session: first.client.sessions[0] }).settle();
      expect([pair.client.info.resumed, pair.server.info.resumed]).toEqual([true, true]);
    }
  });

  test('that nobody knows lead to a full handshake', () => {
    const w = world();
    const server = { tickets: false, sessionStore: new MemorySessionStore() } as const;
    const session = w.meet({ client, server }).client.sessions[0]!;
    const pair = w.meet({ client, server: { ...server, sessionStore: new MemorySessionStore() }, session });
    expect(pair.client.errors.concat(pair.server.errors)).toEqual([]);
    expect(pair.client.info.resumed).toBe(false);
  });

  test('a suite that is gone leads to a full handshake', () => {
    const w = world();
    const session = w.meet({ client }).client.sessions[0]!;
    const pair = w.meet({ client, session, server: { cipherSuites: ['ECDHE-ECDSA-CHACHA20-POLY1305'] } });
    expect(pair.client.info).toMatchObject({
      resumed: false,
      cipherSuite: { opensslName: 'ECDHE-ECDSA-CHACHA20-POLY1305' },
    });
  });

  test('the store forgets the oldest, and what is too old', () => {
    let now = START;
    const store = new MemorySessionStore({ capacity: 2, now: () => now });
    const session = { ...world().meet({ client }).client.sessions[0]!, createdAt: START, lifetime: 10 };
    for (const id of [1, 2, 3]) store.set(Uint8Array.of(id), session);
    expect(store.get(Uint8Array.of(1))).toBeUndefined();
    expect(store.get(Uint8Array.of(3))).toBe(session);
    now += 10_000;
    expect(store.get(Uint8Array.of(3))).toBeUndefined();
    expect(store.size).toBe(1);
  });
});

describe('the extended master secret in a resumption of TLS 1.2 (RFC 7627 §5.3)', () => {
  const client = V12;

  test('a session that had it is not resumed without it, by the server', () => {
    const w = world();
    const session = w.meet({ client }).client.sessions[0]!;
    const puppet = new PuppetClient12(nodeCrypto, serverEnd(w.serverOptions()), pki.client());
    puppet.sendHello((hello) => {
      hello.extensions.delete(extendedMasterSecret);
      hello.extensions.set(sessionTicket, session.ticket);
    });
    expect(outcomeOf(puppet)).toEqual(refused('extended-master-secret-mismatch'));
  });

  test('a session that had it not is not resumed with it, by the server: a full handshake follows', () => {
    const w = world();
    const session = w.meet({ client }).client.sessions[0]!;
    const ticket = w.tickets.seal({ ...session, ticket: new Uint8Array(0), extendedMasterSecret: false });
    const pair = w.meet({ client, session: { ...session, ticket, extendedMasterSecret: false } });
    expect(pair.client.errors.concat(pair.server.errors)).toEqual([]);
    expect(pair.client.info).toMatchObject({ resumed: false, extendedMasterSecret: true });
  });

  test('a server that resumes with another setting is refused by the client', () => {
    const w = world();
    const session = w.meet({ client }).client.sessions[0]!;
    const pair = w.meet({ client, session: { ...session, extendedMasterSecret: false } });
    expect(pair.client.errors.map(({ code }) => code)).toEqual(['extended-master-secret-mismatch']);
    expect(pair.server.errors.map(({ receivedAlert }) => receivedAlert)).toEqual(['handshake_failure']);
  });

  test('a server that resumes with another suite is refused by the client', () => {
    const w = world();
    const session = w.meet({ client }).client.sessions[0]!;
    const pair = w.meet({ client, session: { ...session, cipherSuite: 0xc02c } });
    expect(pair.client.errors.map(({ code }) => code)).toEqual(['illegal-parameter']);
  });

  test('a master secret that differs ends in a Finished that does not match', () => {
    const w = world();
    const session = w.meet({ client }).client.sessions[0]!;
    const pair = w.meet({ client, session: { ...session, secret: new Uint8Array(48) } });
    expect(pair.client.secured.concat(pair.server.secured)).toEqual([]);
    expect(pair.client.errors.map(({ code }) => code)).toEqual(['bad-record-mac']);
  });
});
