import { nodeCrypto } from '@testudo/crypto/node';
import { afterEach, beforeEach, describe, expect, type MockInstance, test, vi } from 'vitest';
import { clientConfig } from '../config/client.ts';
import { serverConfig } from '../config/server.ts';
import { TicketKeys, type TicketSealer } from '../sessions/ticket-keys.ts';
import { clientEnd, serverEnd } from '../testing/end.ts';
import { Pair } from '../testing/pair.ts';
import { TestPki } from '../testing/pki.ts';
import { KeySchedule } from './key-schedule.ts';

const pki = new TestPki(nodeCrypto);
const verifyCertificate = pki.verifier();

let derive: MockInstance<KeySchedule['derive']>;
beforeEach(() => {
  derive = vi.spyOn(KeySchedule.prototype, 'derive');
});
afterEach(() => derive.mockRestore());

function world(tickets: TicketSealer = new TicketKeys(nodeCrypto)) {
  const server = serverConfig({ provider: nodeCrypto, credentials: [pki.server()], tickets });
  const client = clientConfig({ provider: nodeCrypto, verifyCertificate });
  return () => new Pair(clientEnd(client), serverEnd(server));
}

/** Those of the client and the server, as far as they were derived: the same bytes, in memory of their own. */
function resumptionSecrets(): Uint8Array[] {
  return derive.mock.calls.flatMap(([label], i) =>
    label === 'res master' ? [derive.mock.results[i]!.value as Uint8Array] : [],
  );
}

const isWiped = (secret: Uint8Array) => secret.every((byte) => byte === 0);

/** Garbage where a record should be. */
const garbage = Uint8Array.of(23, 3, 3, 0, 32, ...new Uint8Array(32));

describe('the resumption secret', () => {
  test('is there while the connection is, on both sides', () => {
    world()().pump();
    expect(resumptionSecrets().map(isWiped)).toEqual([false, false]);
  });

  test('is wiped when both sides have said that it is over', () => {
    const pair = world()().pump();
    pair.client.connection.close();
    pair.pump();
    expect(resumptionSecrets().map(isWiped)).toEqual([false, false]);
    pair.server.connection.close();
    pair.pump();
    expect(resumptionSecrets().map(isWiped)).toEqual([true, true]);
  });

  test('is wiped when the connection fails, and was good for revoking its tickets until then', () => {
    const revoked: Uint8Array[] = [];
    const keys = new TicketKeys(nodeCrypto);
    const pair = world({
      seal: (session) => keys.seal(session),
      open: (ticket) => keys.open(ticket),
      revoke: ({ secret }) => void revoked.push(secret.slice()),
    })().pump();
    pair.server.connection.receive(garbage);
    pair.pump();
    expect(resumptionSecrets().map(isWiped)).toEqual([true, true]);
    expect(revoked).toEqual(pair.client.sessions.map(({ secret }) => secret));
    expect(revoked).toHaveLength(2);
  });

  test('is wiped at once by a server that could not revoke its tickets anyway', () => {
    const keys = new TicketKeys(nodeCrypto);
    world({ seal: (session) => keys.seal(session), open: (ticket) => keys.open(ticket) })().pump();
    expect(resumptionSecrets().map(isWiped).sort()).toEqual([false, true]);
  });

  test('is wiped when the connection is given up while a ticket is sealed', async () => {
    const pair = await world({ seal: () => new Promise(() => {}), open: () => undefined })().settle();
    expect(pair.server.connection.isBusy).toBe(true);
    pair.server.connection.abort();
    pair.client.connection.abort();
    expect(resumptionSecrets().map(isWiped)).toEqual([true, true]);
  });

  test('an owner that gives the connection up while it revokes a ticket is told once that it failed', () => {
    const keys = new TicketKeys(nodeCrypto);
    let giveUp = () => {};
    const pair = world({
      seal: (session) => keys.seal(session),
      open: (ticket) => keys.open(ticket),
      revoke: () => giveUp(),
    })().pump();
    giveUp = () => pair.server.connection.abort();
    pair.server.connection.receive(garbage);
    expect(pair.server.errors.map(({ code }) => code)).toEqual(['bad-record-mac']);
  });
});
