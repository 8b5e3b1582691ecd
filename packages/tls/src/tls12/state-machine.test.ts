import { concat, utf8 } from '@testudo/codec';
import { nodeCrypto } from '@testudo/crypto/node';
import { describe, expect, test } from 'vitest';
import { clientConfig } from '../config/client.ts';
import { serverConfig } from '../config/server.ts';
import { legacy } from '../legacy/index.ts';
import { handshakeTypeName } from '../messages/handshake-type.ts';
import type { ClientOptions } from '../options/client.ts';
import type { ServerOptions } from '../options/server.ts';
import { APPLICATION_DATA, CHANGE_CIPHER_SPEC, HANDSHAKE } from '../record/content-type.ts';
import type { Session } from '../sessions/session.ts';
import { MemorySessionStore } from '../sessions/session-store.ts';
import { TicketKeys } from '../sessions/ticket-keys.ts';
import { clientEnd, serverEnd, type TestEnd } from '../testing/end.ts';
import { Pair, type Side, splitRecords } from '../testing/pair.ts';
import { TestPki } from '../testing/pki.ts';
import type { VersionName } from '../versions.ts';

// Every message in every state of every kind of handshake up to TLS 1.2: it is taken exactly where RFC 5246 §7.3, RFC 6101
// §5.5, RFC 4279 and RFC 5077 have it. Real handshakes are led up to each state, and there something else is said.
// The same for TLS 1.3 stands in message-order.test.ts, with puppets that can encrypt.

const pki = new TestPki(nodeCrypto);
const KEY = { identity: utf8('Alice'), key: new Uint8Array(24).fill(7) };

/** Types by the RFCs, and three that nobody has given a meaning. */
const TYPES = [0, 1, 2, 3, 4, 5, 6, 8, 11, 12, 13, 14, 15, 16, 20, 21, 22, 23, 24, 25, 67, 99, 254, 255];

/** A message of a flight, with whether it may be left out. */
type Due = readonly [type: number, presence: 'must' | 'may'];

interface Kind {
  readonly suite: string;
  readonly versions: readonly VersionName[];
  readonly key?: 'p256' | 'rsa';
  readonly client?: Partial<ClientOptions>;
  readonly server?: Partial<ServerOptions>;
  readonly resumed?: 'ticket' | 'session ID';
  /** What the server may say after its hello, up to its end, and the client then up to its ChangeCipherSpec. */
  readonly fromServer: readonly Due[];
  readonly fromClient: readonly Due[];
  /** Before the server's ChangeCipherSpec. */
  readonly ticket?: boolean;
}

const ALL = ['TLSv1.2', 'TLSv1.1', 'TLSv1', 'SSLv3'] as const;
const TLS = ['TLSv1.2', 'TLSv1.1', 'TLSv1'] as const;
const [CERTIFICATE, KEY_EXCHANGE, REQUEST, DONE] = [11, 12, 13, 14];
const [CLIENT_KEY_EXCHANGE, VERIFY] = [16, 15];

const signedExchange: readonly Due[] = [
  [CERTIFICATE!, 'must'],
  [KEY_EXCHANGE!, 'must'],
  [REQUEST!, 'may'],
  [DONE!, 'must'],
];
const clientExchange: readonly Due[] = [[CLIENT_KEY_EXCHANGE!, 'must']];
const asks = { clientCertificate: 'require', verifyCertificate: pki.verifier() } as const;

const KINDS: Readonly<Record<string, Kind>> = {
  ECDHE: {
    suite: 'ECDHE-ECDSA-AES128-SHA',
    versions: TLS,
    fromServer: signedExchange,
    fromClient: clientExchange,
  },
  'ECDHE with a ticket': {
    suite: 'ECDHE-ECDSA-AES128-SHA',
    versions: TLS,
    server: { tickets: new TicketKeys(nodeCrypto) },
    fromServer: signedExchange,
    fromClient: clientExchange,
    ticket: true,
  },
  'ECDHE with a client certificate': {
    suite: 'ECDHE-ECDSA-AES128-SHA',
    versions: TLS,
    client: { credentials: [pki.client()] },
    server: asks,
    fromServer: signedExchange,
    fromClient: [[CERTIFICATE!, 'must'], ...clientExchange, [VERIFY!, 'must']],
  },
  // A server's key exchange with such a suite would be FREAK.
  RSA: {
    suite: 'AES128-SHA',
    versions: ALL,
    key: 'rsa',
    fromServer: [
      [CERTIFICATE!, 'must'],
      [REQUEST!, 'may'],
      [DONE!, 'must'],
    ],
    fromClient: clientExchange,
  },
  DHE: {
    suite: 'DHE-RSA-AES128-SHA',
    versions: ALL,
    key: 'rsa',
    fromServer: signedExchange,
    fromClient: clientExchange,
  },
  'DHE with a client certificate': {
    suite: 'DHE-RSA-AES128-SHA',
    // A client of SSL 3.0 that shows none sends no Certificate, so that anything else says the same.
    versions: TLS,
    key: 'rsa',
    client: { credentials: [pki.client('rsa')] },
    server: asks,
    fromServer: signedExchange,
    fromClient: [[CERTIFICATE!, 'must'], ...clientExchange, [VERIFY!, 'must']],
  },
  anonymous: {
    suite: 'ADH-AES128-SHA',
    versions: ALL,
    // RFC 5246 §7.4.4: a server without a certificate asks for none.
    fromServer: [
      [KEY_EXCHANGE!, 'must'],
      [DONE!, 'must'],
    ],
    fromClient: clientExchange,
  },
  PSK: {
    suite: 'PSK-AES128-CBC-SHA',
    versions: TLS,
    fromServer: [
      [KEY_EXCHANGE!, 'may'],
      [DONE!, 'must'],
    ],
    fromClient: clientExchange,
  },
  DHE_PSK: {
    suite: 'DHE-PSK-AES128-CBC-SHA',
    versions: TLS,
    fromServer: [
      [KEY_EXCHANGE!, 'must'],
      [DONE!, 'must'],
    ],
    fromClient: clientExchange,
  },
  RSA_PSK: {
    suite: 'RSA-PSK-AES128-CBC-SHA',
    versions: TLS,
    key: 'rsa',
    fromServer: [
      [CERTIFICATE!, 'must'],
      [KEY_EXCHANGE!, 'may'],
      [REQUEST!, 'may'],
      [DONE!, 'must'],
    ],
    fromClient: clientExchange,
  },
  'resumed by ticket': {
    suite: 'ECDHE-ECDSA-AES128-SHA',
    versions: TLS,
    server: { tickets: new TicketKeys(nodeCrypto) },
    resumed: 'ticket',
    ticket: true,
    fromServer: [],
    fromClient: [],
  },
  'resumed by session ID': {
    suite: 'DHE-RSA-AES128-SHA',
    versions: ALL,
    key: 'rsa',
    server: { tickets: false, sessionStore: new MemorySessionStore() },
    resumed: 'session ID',
    fromServer: [],
    fromClient: [],
  },
};

const cases = Object.entries(KINDS).flatMap(([name, kind]) =>
  kind.versions.map((version) => [version, name, kind] as const),
);

describe.each(cases)('%s, %s', (version, _name, kind) => {
  const common = {
    provider: nodeCrypto,
    legacy,
    dangerouslyAllowAnonymous: true,
    minVersion: version,
    maxVersion: version,
    cipherSuites: [kind.suite],
  } as const;
  const ours = clientConfig({
    ...common,
    verifyCertificate: pki.verifier(),
    psks: [KEY],
    ...kind.client,
  });
  const theirs = serverConfig({
    ...common,
    credentials: [pki.server(kind.key ?? 'p256')],
    findPsk: () => KEY,
    ...kind.server,
  });
  const ends = (): Pair => {
    let session: Session | undefined;
    if (kind.resumed !== undefined) {
      // A new one each time: that of a connection that failed is never resumed.
      session = new Pair(clientEnd(ours), serverEnd(theirs)).pump().client.sessions[0];
      expect(session).toBeDefined();
    }
    return new Pair(clientEnd(ours, { session }), serverEnd(theirs));
  };

  /** What the peer says to one side before its keys change: handshake messages by type, and `ccs`. */
  const script = (victim: Side): (number | 'ccs')[] => lead(ends(), victim, Number.POSITIVE_INFINITY).said;

  test('is the handshake that is meant', () => {
    const pair = ends().pump();
    expect(pair.client.errors).toEqual([]);
    expect(pair.client.info).toMatchObject({ version, resumed: kind.resumed !== undefined });
  });

  test.each(['client', 'server'] as const)('a %s takes nothing that is not due', (victim) => {
    const said = script(victim);
    expect(said.at(-1)).toBe('ccs');
    for (const at of said.keys()) {
      const due = dueAfter(kind, victim, said.slice(0, at));
      expect(due).toContain(said[at]);
      for (const type of TYPES) {
        if (due.includes(type)) continue;
        // A client passes over HelloRequest while a handshake runs (RFC 5246 §7.4.1.1); not where keys are to change.
        const isIgnored = type === 0 && victim === 'client' && !due.includes('ccs') && at > 0;
        const { end, wire } = lead(ends(), victim, at);
        end.connection.receive(record(HANDSHAKE, wire, Uint8Array.of(type, 0, 0, 0)));
        const what = `${handshakeTypeName(type)} after ${said.slice(0, at).map(nameOf).join(', ') || 'nothing'}`;
        if (isIgnored) expect([what, end.errors]).toEqual([what, []]);
        else expectRefused(end, what, isAnonymousRequest(kind, type, due) ? ANONYMOUS_REQUEST : UNEXPECTED);
      }
    }
  });

  test.each(['client', 'server'] as const)('a %s takes no early ChangeCipherSpec', (victim) => {
    const said = script(victim);
    for (const at of said.keys()) {
      if (said[at] === 'ccs') continue;
      if (dueAfter(kind, victim, said.slice(0, at)).includes('ccs')) continue;
      const { end, wire } = lead(ends(), victim, at);
      end.connection.receive(record(CHANGE_CIPHER_SPEC, wire, Uint8Array.of(1)));
      expectRefused(end, `ChangeCipherSpec in place of ${nameOf(said[at]!)}`);
    }
  });

  test.each(['client', 'server'] as const)('a %s takes no application data', (victim) => {
    for (const at of script(victim).keys()) {
      const { end, wire } = lead(ends(), victim, at);
      end.connection.receive(record(APPLICATION_DATA, wire, Uint8Array.of(1)));
      expectRefused(end, `application data at ${at}`);
      expect(end.data).toEqual([]);
    }
  });

  test.each(['client', 'server'] as const)('a %s takes no message twice, and misses none', (victim) => {
    const said = script(victim);
    for (const at of said.keys()) {
      if (at === 0) continue;
      // The same again, which no flight has; and the next but one.
      const twice = lead(ends(), victim, at);
      const [previous, next] = [twice.units[at - 1]!, twice.units[at + 1]];
      twice.end.connection.receive(previous);
      expectRefused(twice.end, `${nameOf(said[at - 1]!)} twice`);
      if (next === undefined) continue;
      const due = dueAfter(kind, victim, said.slice(0, at));
      if (due.includes(said[at + 1]!)) continue;
      const skipped = lead(ends(), victim, at);
      skipped.end.connection.receive(skipped.units[at + 1]!);
      expectRefused(skipped.end, `${nameOf(said[at + 1]!)} without ${nameOf(said[at]!)}`);
    }
  });
});

/** The types that the RFCs allow after what was said. */
function dueAfter(kind: Kind, victim: Side, said: readonly (number | 'ccs')[]): (number | 'ccs')[] {
  const hello: Due = victim === 'client' ? [2, 'must'] : [1, 'must'];
  const flight = victim === 'client' ? kind.fromServer : kind.fromClient;
  const ticket: readonly Due[] = victim === 'client' && kind.ticket ? [[4, 'must']] : [];
  const all: readonly Due[] = [hello, ...flight, ...ticket];
  const last = said.at(-1);
  const from = last === undefined ? 0 : all.findIndex(([type]) => type === last) + 1;
  const due: (number | 'ccs')[] = [];
  for (const [type, presence] of all.slice(from)) {
    due.push(type);
    if (presence === 'must') return due;
  }
  return [...due, 'ccs'];
}

interface Led {
  /** The side that is led. */
  readonly end: TestEnd;
  readonly said: (number | 'ccs')[];
  /** Every record so far, one for each message; with `at` all those of the flight that follow, too. */
  readonly units: Uint8Array[];
  /** The version of the records, two bytes. */
  readonly wire: Uint8Array;
}

/** Carries a handshake, each message in a record of its own, until the side has been told `count` of them. */
function lead(pair: Pair, victim: Side, count: number): Led {
  const end = pair[victim];
  const peer = pair[victim === 'client' ? 'server' : 'client'];
  const said: (number | 'ccs')[] = [];
  const units: Uint8Array[] = [];
  let wire = Uint8Array.of(3, 1);
  for (;;) {
    peer.connection.receive(end.take());
    const records = splitRecords(peer.take());
    if (records.length === 0) return { end, said, units, wire };
    for (const whole of records.flatMap(oneMessageEach)) {
      wire = whole.slice(1, 3);
      const isOver = said.at(-1) === 'ccs';
      if (!isOver) units.push(whole);
      if (said.length >= count || isOver) continue;
      said.push(whole[0] === CHANGE_CIPHER_SPEC ? 'ccs' : whole[5]!);
      end.connection.receive(whole);
    }
    if (said.length >= count) return { end, said, units, wire };
  }
}

/** A record of handshake messages in the clear as one record for each. */
function oneMessageEach(whole: Uint8Array): Uint8Array[] {
  if (whole[0] !== HANDSHAKE) return [whole];
  const out: Uint8Array[] = [];
  for (let at = 5; at < whole.length; ) {
    const length = (whole[at + 1]! << 16) | (whole[at + 2]! << 8) | whole[at + 3]!;
    // One that is encrypted says nothing of its length; it comes after ChangeCipherSpec, where nothing is looked at.
    if (at + 4 + length > whole.length) return [whole];
    out.push(record(HANDSHAKE, whole.slice(1, 3), whole.subarray(at, at + 4 + length)));
    at += 4 + length;
  }
  return out;
}

function record(type: number, version: Uint8Array, content: Uint8Array): Uint8Array {
  return concat(
    Uint8Array.of(type),
    version,
    Uint8Array.of(content.length >> 8, content.length & 0xff),
    content,
  );
}

const UNEXPECTED = { code: 'unexpected-message', alert: 'unexpected_message' };
const ANONYMOUS_REQUEST = { code: 'request-by-anonymous-server', alert: 'handshake_failure' };

/** Where a request would be due, there is an alert of its own for one of an anonymous server's (RFC 5246 §7.4.4). */
function isAnonymousRequest({ suite }: Kind, type: number, due: readonly (number | 'ccs')[]): boolean {
  return suite.startsWith('ADH') && type === REQUEST && due.includes(DONE!);
}

function expectRefused(end: TestEnd, what: string, { code, alert } = UNEXPECTED): void {
  expect([what, end.errors.map((error) => error.code)]).toEqual([what, [code]]);
  expect(end.log.filter((line) => line.startsWith('alert'))).toEqual([`alert sent fatal ${alert}`]);
  expect(end.secured).toEqual([]);
}

function nameOf(said: number | 'ccs'): string {
  return said === 'ccs' ? 'ChangeCipherSpec' : handshakeTypeName(said);
}
