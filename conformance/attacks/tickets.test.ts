import { MemorySessionStore, type Session, TicketKeys } from '@testudo/tls';
import { describe, expect, test } from 'vitest';
import { Pair } from '#tls/testing';
import { meet, pki, provider, victimClient, victimServer } from './support.ts';

// Tickets are the server's memory in the client's hands. Who forges one, or brings it where it does not belong, must start anew.

const VERSIONS = ['TLSv1.3', 'TLSv1.2'] as const;

describe.each(VERSIONS)('%s: a ticket', (maxVersion) => {
  const tickets = new TicketKeys(provider);
  const session = (): Session => meet({ maxVersion }, { tickets }).client.sessions[0]!;
  const bring = (
    brought: Session,
    server: Parameters<typeof victimServer>[0] = {},
    client: Parameters<typeof victimClient>[0] = {},
  ) =>
    new Pair(
      victimClient({ maxVersion, ...client }, { session: brought }),
      victimServer({ tickets, ...server }),
    ).pump();

  /** A handshake from the start, and nothing of what the ticket said. */
  const expectFull = (pair: Pair): void => {
    expect([pair.client.errors, pair.server.errors]).toEqual([[], []]);
    expect(pair.server.info.resumed).toBe(false);
    expect(pair.client.info.peerCertificates.length).toBeGreaterThan(0);
    expect(pair.server.log).toContain('sent certificate');
  };

  test('that is as it was is taken: what follows is refused for a reason', () => {
    expect(bring(session()).server.info.resumed).toBe(true);
  });

  test('with any byte changed is none', () => {
    const known = session();
    const { ticket } = known;
    const step = Math.ceil(ticket.length / 60);
    for (let at = 0; at < ticket.length; at += at < 40 ? 1 : step) {
      const forged = ticket.slice();
      forged[at]! ^= 0x40;
      expectFull(bring({ ...known, ticket: forged }));
    }
  });

  test('that was cut, made longer, or made up is none', () => {
    const known = session();
    const { ticket } = known;
    for (const forged of [
      ticket.subarray(0, -1),
      ticket.subarray(0, 44),
      ticket.subarray(0, 16),
      ticket.subarray(0, 1),
      Uint8Array.from([...ticket, 0]),
      provider.randomBytes(200),
      new Uint8Array(60_000),
    ])
      expectFull(bring({ ...known, ticket: forged }));
  });

  test('under keys of another server, or keys that are gone, is none', () => {
    expectFull(bring(session(), { tickets: new TicketKeys(provider) }));
    expectFull(bring(session(), { tickets: false }));
  });

  test('of somebody else, whose secret is not known, opens nothing', () => {
    const stolen = session();
    const pair = bring({ ...stolen, secret: new Uint8Array(stolen.secret.length).fill(1) });
    expect([pair.client.secured, pair.server.secured]).toEqual([[], []]);
    expect(pair.server.errors.map(({ code }) => code)).toEqual([
      maxVersion === 'TLSv1.3' ? 'bad-binder' : 'alert-received',
    ]);
  });

  test('is not taken for another name', () => {
    const known = session();
    const client = victimClient(
      { maxVersion, verifyCertificate: () => ({ accepted: true }) },
      { session: { ...known, serverName: 'other.example' }, serverName: 'other.example' },
    );
    expectFull(new Pair(client, victimServer({ tickets })).pump());
  });

  test('is not taken in place of a certificate that is asked for', () => {
    const required = { clientCertificate: 'require', verifyCertificate: pki.verifier() } as const;
    const pair = bring(session(), required);
    expect(pair.server.secured).toEqual([]);
    expect(pair.server.errors.length).toBe(1);
  });

  test('is not taken after its time', () => {
    const known = session();
    const later = Date.now() + 25 * 3600 * 1000;
    const pair = bring(
      { ...known, lifetime: 604_800 },
      { now: () => later },
      { now: () => later, verifyCertificate: () => ({ accepted: true }) },
    );
    expectFull(pair);
  });

  test('of the other version is none', () => {
    const other = maxVersion === 'TLSv1.3' ? 'TLSv1.2' : 'TLSv1.3';
    const foreign = meet({ maxVersion: other }, { tickets }).client.sessions[0]!;
    const known = session();
    const pair = bring({ ...known, ticket: foreign.ticket });
    expectFull(pair);
  });
});

test('a session ID that was guessed, or belongs to an abandoned session, opens nothing (1.2)', () => {
  const sessionStore = new MemorySessionStore();
  const first = meet({ maxVersion: 'TLSv1.2' }, { sessionStore });
  const session = first.client.sessions[0]!;
  const again = (id: Uint8Array) =>
    new Pair(
      victimClient({ maxVersion: 'TLSv1.2' }, { session: { ...session, id } }),
      victimServer({ sessionStore }),
    ).pump();
  expect(again(provider.randomBytes(32)).server.info.resumed).toBe(false);
  expect(again(session.id).server.info.resumed).toBe(true);
  // A fatal alert ends the session with the connection (RFC 5246 §7.2.2).
  first.server.connection.receive(Uint8Array.of(23, 3, 3, 0, 32, ...new Uint8Array(32)));
  expect(first.server.errors.map(({ code }) => code)).toEqual(['bad-record-mac']);
  expect(again(session.id).server.info.resumed).toBe(false);
});
