import { nodeCrypto } from '@testudo/crypto/node';
import { expect, test } from 'vitest';
import type { Session } from './session.ts';
import { TICKET_KEY_LENGTH, TicketKeys } from './ticket-keys.ts';

const NOTHING = new Uint8Array(0);

const session: Session = {
  version: 0x0304,
  cipherSuite: 0x1301,
  secret: new Uint8Array(32).fill(7),
  extendedMasterSecret: true,
  createdAt: 1_000_000,
  lifetime: 86_400,
  ageAdd: 5,
  id: NOTHING,
  ticket: NOTHING,
  serverName: 'server.example',
  host: '',
  alpnProtocol: 'h2',
  maxEarlyData: 0,
  peerCertificates: [Uint8Array.of(1, 2), Uint8Array.of(3)],
  peerVerified: true,
};

function at(start: number, options: { rotateAfter?: number; lifetime?: number } = {}) {
  const clock = { now: start };
  return { clock, keys: new TicketKeys(nodeCrypto, { ...options, now: () => clock.now }) };
}

test('what was sealed is opened', () => {
  const { keys } = at(0);
  expect(keys.open(keys.seal(session))).toEqual(session);
});

test('a key seals for its time, and opens for a ticket’s time after that', () => {
  const { clock, keys } = at(0, { rotateAfter: 100, lifetime: 50 });
  const name = (ticket: Uint8Array) => String(ticket.subarray(0, 16));
  const first = keys.seal(session);
  clock.now = 100_000;
  const last = keys.seal(session);
  expect(name(last)).toBe(name(first));
  clock.now = 100_001;
  expect(name(keys.seal(session))).not.toBe(name(first));
  clock.now = 150_000;
  expect(keys.open(last)).toEqual(session);
  clock.now = 150_001;
  expect(keys.open(last)).toBeUndefined();
});

test('keys that rotate do not pile up', () => {
  const { clock, keys } = at(0, { rotateAfter: 10, lifetime: 20 });
  for (let i = 0; i < 50; i++) {
    keys.seal(session);
    clock.now += 10_001;
  }
  expect(keys.export().length).toBeLessThanOrEqual(4);
});

test('servers with the same keys open each other’s tickets: the first key seals, all of them open', () => {
  const [one, other] = [at(0).keys, at(0).keys];
  const before = other.seal(session);
  const [older] = other.export();
  const key = nodeCrypto.randomBytes(TICKET_KEY_LENGTH);
  one.import([key, older!]);
  other.import([key]);
  expect(one.open(before)).toEqual(session);
  expect(other.open(before)).toBeUndefined();
  expect(other.open(one.seal(session))).toEqual(session);
  expect(one.export()).toEqual([key, older]);
});

test('keys that were given rotate, too, unless told not to', () => {
  const key = nodeCrypto.randomBytes(TICKET_KEY_LENGTH);
  const { clock, keys } = at(0, { rotateAfter: 10 });
  keys.import([key]);
  clock.now = 10_001;
  expect(keys.export()[0]).not.toEqual(key);
  const fixed = at(0, { rotateAfter: Number.POSITIVE_INFINITY });
  fixed.keys.import([key]);
  fixed.clock.now = 1e15;
  expect(fixed.keys.export()).toEqual([key]);
});

test('the caller’s memory is not the key', () => {
  const key = nodeCrypto.randomBytes(TICKET_KEY_LENGTH);
  const { keys } = at(0);
  keys.import([key]);
  const ticket = keys.seal(session);
  key.fill(0);
  keys.export()[0]!.fill(0);
  expect(keys.open(ticket)).toEqual(session);
});

test.each([
  ['none', []],
  ['one that is too short', [new Uint8Array(47)]],
  ['one that is too long', [new Uint8Array(49)]],
])('no keys: %s', (_what, given) => {
  expect(() => at(0).keys.import(given)).toThrow(RangeError);
});

test('what was cut or changed anywhere is not opened', () => {
  const { keys } = at(0);
  const ticket = keys.seal(session);
  for (let i = 0; i < ticket.length; i++) {
    expect(keys.open(ticket.subarray(0, i))).toBeUndefined();
    const changed = ticket.slice();
    changed[i]! ^= 0x80;
    expect(keys.open(changed)).toBeUndefined();
  }
});
