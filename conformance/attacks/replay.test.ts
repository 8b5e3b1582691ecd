import { utf8 } from '@testudo/codec';
import { clientConfig, MemoryReplayGuard, type ServerOptions, serverConfig, TicketKeys } from '@testudo/tls';
import { describe, expect, test } from 'vitest';
import { clientEnd, Pair, serverEnd, type TestEnd } from '#tls/testing';
import { pki, provider, victimServer } from './support.ts';

// 0-RTT data (RFC 9846 §8): whoever recorded a first flight sends it again, and the server does once more what it asks for.

const ORDER = 'buy 1';
const clock = { now: Date.now() };
const now = () => clock.now;

function world(options: Partial<ServerOptions> = {}) {
  const tickets = new TicketKeys(provider, { now });
  const common = { tickets, now, earlyData: {}, ...options };
  const connect = { provider, verifyCertificate: pki.verifier(), now };
  const first = new Pair(clientEnd(clientConfig(connect)), victimServer(common)).pump();
  const session = first.client.sessions[0]!;
  const client = clientEnd(clientConfig(connect), { session, earlyData: true });
  client.connection.start();
  client.connection.sendEarlyData(utf8(ORDER));
  return { common, client, flight: client.take() };
}

/** What a server gets that is given recorded bytes. */
function replayTo(server: TestEnd, flight: Uint8Array): string {
  server.connection.receive(flight.slice());
  return server.earlyData.map((bytes) => String.fromCharCode(...bytes)).join('');
}

describe('a first flight', () => {
  test('comes to two servers that know nothing of each other: the attack', () => {
    const { common, flight } = world();
    expect(replayTo(victimServer(common), flight)).toBe(ORDER);
    expect(replayTo(victimServer(common), flight)).toBe(ORDER);
  });

  test('comes once to servers that share a guard, and the copy is no error: it is only not early', () => {
    const { common, flight } = world({ earlyData: { replayGuard: new MemoryReplayGuard({ now }) } });
    expect(replayTo(victimServer(common), flight)).toBe(ORDER);
    for (let copy = 0; copy < 3; copy++) {
      const server = victimServer(common);
      expect(replayTo(server, flight)).toBe('');
      expect(server.errors).toEqual([]);
      expect(server.connection.state).toBe('handshaking');
    }
  });

  test('comes once to one configuration without any option for it', () => {
    const { common, flight } = world();
    const config = serverConfig({ provider, credentials: [pki.server()], ...common });
    const seen = Array.from({ length: 5 }, () => replayTo(serverEnd(config), flight));
    expect(seen.filter((text) => text === ORDER).length).toBe(1);
  });

  test('is not early any more after some seconds, on whatever server', () => {
    const { common, flight } = world();
    clock.now += 11_000;
    expect(replayTo(victimServer(common), flight)).toBe('');
  });

  test('is not taken where the guard is full', () => {
    const replayGuard = new MemoryReplayGuard({ capacity: 0, now });
    const { common, flight } = world({ earlyData: { replayGuard } });
    expect(replayTo(victimServer(common), flight)).toBe('');
  });

  test('is not taken by a server that was not told to take early data', () => {
    const { common, flight } = world();
    expect(replayTo(victimServer({ ...common, earlyData: undefined }), flight)).toBe('');
  });

  test('of which a byte was changed is not taken', () => {
    // The length of what is sealed: the data, its type, the tag.
    for (let back = 1; back <= ORDER.length + 1 + 16; back++) {
      const { common, flight } = world();
      flight[flight.length - back]! ^= 1;
      const server = victimServer(common);
      expect(replayTo(server, flight)).toBe('');
      expect(server.errors.map(({ code }) => code)).toEqual(['bad-record-mac']);
    }
  });

  test('whoever replays it learns nothing, and finishes no handshake', () => {
    const { common, client, flight } = world();
    const server = victimServer(common);
    replayTo(server, flight);
    // The recorded answer of the client to another server's flight.
    const honest = new Pair(client, victimServer(common));
    honest.server.connection.receive(flight);
    honest.carry('server');
    server.take();
    server.connection.receive(client.take());
    expect(server.secured).toEqual([]);
    expect(server.errors.map(({ code }) => code)).toEqual(['bad-record-mac']);
  });
});

test('a whole recorded connection opens none', () => {
  for (const maxVersion of ['TLSv1.3', 'TLSv1.2'] as const) {
    const recorded: Uint8Array[] = [];
    const config = clientConfig({ provider, verifyCertificate: pki.verifier(), maxVersion });
    const pair = new Pair(clientEnd(config), victimServer(), (bytes, from) => {
      if (from === 'client') recorded.push(bytes.slice());
      return [bytes];
    }).pump();
    pair.client.connection.send(utf8(ORDER));
    pair.pump();
    expect(pair.server.text).toBe(ORDER);
    const server = victimServer();
    for (const bytes of recorded) server.connection.receive(bytes);
    expect([server.secured, server.data]).toEqual([[], []]);
    expect(server.errors.length).toBe(1);
  }
});
