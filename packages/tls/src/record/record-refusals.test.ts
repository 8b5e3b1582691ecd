import { concat, utf8 } from '@testudo/codec';
import { nodeCrypto } from '@testudo/crypto/node';
import { describe, expect, test } from 'vitest';
import { ALERTS } from '../alerts.ts';
import { clientConfig } from '../config/client.ts';
import { serverConfig } from '../config/server.ts';
import { clientEnd, serverEnd } from '../testing/end.ts';
import { TestPki } from '../testing/pki.ts';
import { outcomeOf, type Puppet, refused } from '../testing/puppet.ts';
import { PuppetClient13 } from '../testing/puppet-client13.ts';
import { PuppetServer13 } from '../testing/puppet-server13.ts';
import { PuppetClient12, PuppetServer12 } from '../testing/puppet12.ts';
import { ALERT, APPLICATION_DATA, CHANGE_CIPHER_SPEC, HANDSHAKE } from './content-type.ts';

// Records that no honest peer sends, to both roles in both versions.

const pki = new TestPki(nodeCrypto);
const client = () => clientEnd(clientConfig({ provider: nodeCrypto, verifyCertificate: pki.verifier() }));
const server = () => serverEnd(serverConfig({ provider: nodeCrypto, credentials: [pki.server()] }));
const server13 = () => new PuppetServer13(nodeCrypto, client(), pki.server());
const client13 = () => new PuppetClient13(nodeCrypto, server(), pki.client());
const server12 = () => new PuppetServer12(nodeCrypto, client(), pki.server());
const client12 = () => new PuppetClient12(nodeCrypto, server(), pki.client());

const CONNECTED: readonly (readonly [string, () => Puppet])[] = [
  ['a client of 1.3', () => server13().upTo('done')],
  ['a server of 1.3', () => client13().complete()],
  ['a client of 1.2', () => server12().upTo('done')],
  ['a server of 1.2', () => client12().complete()],
];
const CONNECTED_13 = CONNECTED.slice(0, 2);
const CONNECTED_12 = CONNECTED.slice(2);
const FRESH: readonly (readonly [string, () => Puppet])[] = [
  ['a client', server13],
  ['a server', client13],
];

const one = Uint8Array.of(1);
const header = (type: number, length: number, version = 0x0303) =>
  Uint8Array.of(type, version >> 8, version & 255, length >> 8, length & 255);
const record = (type: number, content: Uint8Array) => concat(header(type, content.length), content);

describe.each(FRESH)('%s refuses as first bytes', (_role, start) => {
  test.each([
    ['an HTTP request', utf8('GET / HTTP/1.1\r\n\r\n'), 'not-tls'],
    ['an HTTP response', utf8('HTTP/1.1 400 Bad Request\r\n'), 'not-tls'],
    ['an SMTP greeting', utf8('220 mail.example ESMTP\r\n'), 'not-tls'],
    ['an SSH banner', utf8('SSH-2.0-OpenSSH_9.9\r\n'), 'not-tls'],
    ['a hello of SSL 2.0', Uint8Array.of(0x80, 0x2e, 1, 3, 1, 0, 0x15, 0, 0, 0, 0x10), 'not-tls'],
    ['zeros', new Uint8Array(64), 'not-tls'],
    ['a record of SSL 2.0', header(22, 4, 0x0200), 'not-tls'],
    ['a DTLS record', header(22, 4, 0xfeff), 'not-tls'],
    ['a record of heartbeat', header(24, 4), 'not-tls'],
    ['application data', record(23, one), 'unexpected-message'],
    ['a handshake record with nothing in it', header(22, 0), 'unexpected-message'],
    ['a record that is too long', header(22, 16_384 + 2049), 'record-overflow'],
    ['an alert with nothing in it', header(21, 0), 'unexpected-message'],
    ['an alert of one byte', record(21, one), 'malformed-record'],
    ['an alert of three bytes', record(21, Uint8Array.of(2, 40, 0)), 'malformed-record'],
    ['two alerts in one record', record(21, Uint8Array.of(1, 90, 1, 90)), 'malformed-record'],
    ['an alert of level 0', record(21, Uint8Array.of(0, 40)), 'illegal-parameter'],
    ['an alert of level 3', record(21, Uint8Array.of(3, 40)), 'illegal-parameter'],
  ])('%s', (_what, bytes, code) => {
    const outcome = outcomeOf(start().bytes(bytes));
    expect(outcome).toEqual(refused(code));
  });

  test.each([
    ['a hello longer than any can be', Uint8Array.of(1, 2, 1, 0x45)],
    ['another message that is as long', Uint8Array.of(2, 2, 1, 0x45)],
    ['a message of 16 MiB', Uint8Array.of(1, 255, 255, 255)],
    ['a certificate over 100 KiB', Uint8Array.of(11, 1, 0x90, 1)],
  ])('%s, as soon as its length is known', (_what, bytes) => {
    expect(outcomeOf(start().record(HANDSHAKE, bytes))).toEqual(refused('message-too-long'));
  });

  // Their length is in the syntax: RFC 9846 §4.5.3, §4.6, §4.7.3, RFC 5246 §7.4.1.1, §7.4.5.
  test.each([
    ['HelloRequest', 0],
    ['EndOfEarlyData', 5],
    ['ServerHelloDone', 14],
    ['Finished', 20],
    ['KeyUpdate', 24],
  ])('a %s of another length than its own, before it has come', (_what, type) => {
    for (const length of [
      [0, 0, 65],
      [0, 255, 255],
      [3, 0, 32],
      [255, 255, 255],
    ])
      expect(outcomeOf(start().record(HANDSHAKE, Uint8Array.of(type, ...length)))).toEqual(
        refused('malformed-message'),
      );
  });

  test.each([
    // RFC 9846 §4.2.2: 2 + 32 + 33 + 2 + 65,534 + 256 + 2 + 65,535.
    ['of the longest hello', Uint8Array.of(1, 2, 1, 0x44)],
    ['of 128 KiB', Uint8Array.of(2, 2, 0, 0)],
    ['with a certificate of 100 KiB', Uint8Array.of(11, 1, 0x90, 0)],
  ])('but waits for a message %s', (_what, bytes) => {
    expect(start().record(HANDSHAKE, bytes).end.connection.state).toBe('handshaking');
  });

  test('more plaintext than a record may hold', () => {
    const p = start();
    p.record(HANDSHAKE, Uint8Array.of(2, 0, 0xff, 0, ...new Uint8Array(16_380)));
    expect(p.end.connection.state).toBe('handshaking');
    p.bytes(record(HANDSHAKE, new Uint8Array(16_385)));
    expect(outcomeOf(p)).toEqual(refused('record-overflow'));
  });

  test('another record inside a message', () => {
    for (const type of [CHANGE_CIPHER_SPEC, APPLICATION_DATA]) {
      const p = start().record(HANDSHAKE, Uint8Array.of(2, 0, 0));
      p.bytes(record(type, one));
      expect(outcomeOf(p)).toEqual(
        refused(type === APPLICATION_DATA ? 'unexpected-message' : 'interleaved-handshake'),
      );
    }
  });
});

describe.each(CONNECTED)('%s that is connected', (role, reach) => {
  const is13 = role.endsWith('1.3');

  test('refuses a record of which any byte was changed', () => {
    const probe = reach().sealed(APPLICATION_DATA, one);
    for (let at = 0; at < probe.length; at++) {
      const p = reach();
      const bytes = p.sealed(APPLICATION_DATA, one);
      bytes[at]! ^= 1;
      // A longer length waits for more; it comes.
      p.bytes(concat(bytes, new Uint8Array(300)));
      expect(p.end.connection.state).toBe('failed');
      expect(p.end.data).toEqual([]);
      if (at >= 5) expect(p.end.errors[0]!.code).toBe('bad-record-mac');
    }
  });

  test('refuses a record that comes twice', () => {
    const p = reach();
    const bytes = p.sealed(APPLICATION_DATA, one);
    p.bytes(bytes.slice()).bytes(bytes.slice());
    expect(p.end.data).toHaveLength(1);
    expect(outcomeOf(p)).toEqual(refused('bad-record-mac'));
  });

  test('refuses records in another order', () => {
    const p = reach();
    const [first, second] = [p.sealed(APPLICATION_DATA, one), p.sealed(APPLICATION_DATA, one)];
    p.bytes(second!).bytes(first!);
    expect(p.end.data).toEqual([]);
    expect(outcomeOf(p)).toEqual(refused('bad-record-mac'));
  });

  test('notices that a record is missing', () => {
    const p = reach();
    p.sealed(APPLICATION_DATA, one);
    expect(outcomeOf(p.applicationData(one))).toEqual(refused('bad-record-mac'));
  });

  test('takes no record in the clear', () => {
    for (const type of [ALERT, APPLICATION_DATA, HANDSHAKE]) {
      const p = reach().bytes(record(type, Uint8Array.of(1, 0)));
      expect(outcomeOf(p)).toEqual(
        refused(is13 && type !== APPLICATION_DATA ? 'unexpected-message' : 'bad-record-mac'),
      );
      expect(p.end.ended).toBe(0);
    }
  });

  test('takes 16,384 bytes in a record, and not one more', () => {
    const p = reach().applicationData(new Uint8Array(16_384).fill(7));
    expect(p.end.data[0]).toHaveLength(16_384);
    expect(outcomeOf(p.applicationData(new Uint8Array(16_385)))).toEqual(refused('record-overflow'));
  });

  test('refuses a longer record from its header on', () => {
    const limit = 16_384 + (is13 ? 256 : 2048);
    expect(outcomeOf(reach().bytes(header(23, limit + 1)))).toEqual(refused('record-overflow'));
    const p = reach().bytes(header(23, limit));
    expect(p.end.connection.state).toBe('open');
    expect(outcomeOf(p.bytes(new Uint8Array(limit))).codes).toEqual([
      is13 ? 'bad-record-mac' : 'record-overflow',
    ]);
  });

  test('takes 32 empty records in a row, and not one more', () => {
    const p = reach();
    for (let i = 0; i < 32; i++) p.applicationData(new Uint8Array(0));
    p.applicationData(one);
    for (let i = 0; i < 32; i++) p.applicationData(new Uint8Array(0));
    expect(p.end.connection.state).toBe('open');
    expect(p.end.data).toEqual([one]);
    expect(outcomeOf(p.applicationData(new Uint8Array(0)))).toEqual(refused('too-many-empty-records'));
  });

  test('refuses a handshake record with nothing in it', () => {
    expect(outcomeOf(reach().record(HANDSHAKE, new Uint8Array(0)))).toEqual(refused('unexpected-message'));
  });

  test('refuses an alert with nothing in it, and one with half of it missing', () => {
    expect(outcomeOf(reach().record(ALERT, new Uint8Array(0)))).toEqual(refused('unexpected-message'));
    if (is13) {
      const padded = reach().record(ALERT, new Uint8Array(0), 100);
      expect(outcomeOf(padded)).toEqual(refused('unexpected-message'));
    }
    expect(outcomeOf(reach().record(ALERT, one))).toEqual(refused('malformed-record'));
  });

  // What one limit lets pass must not lift the other.
  test('counts empty records and warnings apart, however they are mixed', () => {
    const nothing = new Uint8Array(0);
    const p = reach();
    for (let i = 0; i < 4; i++) p.alert(1, 90).applicationData(nothing);
    expect(p.end.connection.state).toBe('open');
    expect(outcomeOf(p.alert(1, 90))).toEqual(refused('too-many-warning-alerts'));

    const q = reach();
    for (let i = 0; i < 16; i++) q.applicationData(nothing);
    q.alert(1, 90);
    for (let i = 0; i < 16; i++) q.applicationData(nothing);
    expect(q.alert(1, 90).end.connection.state).toBe('open');
    expect(outcomeOf(q.applicationData(nothing))).toEqual(refused('too-many-empty-records'));
  });

  test('counts both anew after data', () => {
    const nothing = new Uint8Array(0);
    const p = reach();
    for (let round = 0; round < 3; round++) {
      for (let i = 0; i < 4; i++) p.alert(1, 90).applicationData(nothing);
      for (let i = 0; i < 28; i++) p.applicationData(nothing);
      p.applicationData(one);
    }
    expect(p.end.data).toEqual([one, one, one]);
  });

  // RFC 9846 §5.1, and RFC 5246 §6.2.1 for handshakes after the first one.
  test(`${is13 ? 'refuses' : 'takes'} data and warnings inside a handshake message`, () => {
    const p = reach().record(HANDSHAKE, Uint8Array.of(0, 0));
    const q = reach().record(HANDSHAKE, Uint8Array.of(0, 0));
    p.applicationData(one);
    q.alert(1, 90);
    if (!is13) expect([p.end.data, p.end.errors, q.end.errors]).toEqual([[one], [], []]);
    else for (const each of [p, q]) expect(outcomeOf(each)).toEqual(refused('interleaved-handshake'));
  });

  test('takes no ChangeCipherSpec inside a handshake message', () => {
    const outcome = outcomeOf(reach().record(HANDSHAKE, Uint8Array.of(0, 0)).changeCipherSpec());
    expect(outcome.alerts).toEqual(['fatal unexpected_message']);
  });

  test.each(Object.entries(ALERTS).filter(([name]) => name !== 'close_notify' && name !== 'user_canceled'))(
    'reports the fatal alert %s by its name',
    (name, code) => {
      const p = reach().alert(2, code);
      expect(outcomeOf(p)).toEqual(refused('alert-received'));
      expect(p.end.errors[0]).toMatchObject({ receivedAlert: name, reason: 'AlertReceived' });
    },
  );

  test('reports an alert that nobody knows by its number', () => {
    const p = reach().alert(2, 200);
    expect(p.end.errors[0]!.receivedAlert).toBe('unknown_alert(200)');
  });

  test('passes over a user_canceled, and not over five', () => {
    const p = reach();
    for (let i = 0; i < 4; i++) p.alert(1, 90);
    expect(p.end.connection.state).toBe('open');
    expect(outcomeOf(p.alert(1, 90))).toEqual(refused('too-many-warning-alerts'));
  });

  test('counts warnings from the last data on', () => {
    const p = reach();
    for (let i = 0; i < 10; i++) p.alert(1, 90).applicationData(one);
    expect(p.end.connection.state).toBe('open');
  });

  test('takes no data after close_notify', () => {
    const p = reach().alert(1, 0);
    expect(p.end.ended).toBe(1);
    p.applicationData(one).alert(2, 40).bytes(utf8('GET / HTTP/1.1'));
    expect(p.end.data).toEqual([]);
    expect(p.end.errors).toEqual([]);
    p.end.connection.receiveEnd();
    expect(p.end.errors).toEqual([]);
    expect(p.end.ended).toBe(1);
  });

  test('takes no data behind close_notify in the same chunk', () => {
    const p = reach();
    p.bytes(
      concat(
        p.sealed(APPLICATION_DATA, one),
        p.sealed(ALERT, Uint8Array.of(1, 0)),
        p.sealed(APPLICATION_DATA, one),
      ),
    );
    expect(p.end.data).toEqual([one]);
    expect(p.end.ended).toBe(1);
  });

  test('reports the end of the transport as a failure', () => {
    const p = reach().applicationData(one);
    p.end.connection.receiveEnd();
    expect(p.end.ended).toBe(0);
    expect(outcomeOf(p)).toEqual(refused('truncated'));
  });
});

describe.each(CONNECTED_13)('%s that is connected', (_role, reach) => {
  test.each([0, 20, 24, 25, 255])('refuses an inner type of %i', (type) => {
    expect(outcomeOf(reach().record(type, type === 0 ? new Uint8Array(0) : one))).toEqual(
      refused('unexpected-message'),
    );
  });

  test('refuses a record of nothing but zeros', () => {
    expect(outcomeOf(reach().record(0, new Uint8Array(100), 100))).toEqual(refused('unexpected-message'));
  });

  test('takes padding up to the limit, and not one more', () => {
    const p = reach().record(APPLICATION_DATA, one, 16_383);
    expect(p.end.data).toEqual([one]);
    expect(outcomeOf(p.record(APPLICATION_DATA, one, 16_384))).toEqual(refused('record-overflow'));
  });

  test('counts a padded record without content as an empty one', () => {
    const p = reach();
    for (let i = 0; i < 33; i++) p.record(APPLICATION_DATA, new Uint8Array(0), 50);
    expect(outcomeOf(p)).toEqual(refused('too-many-empty-records'));
  });

  test('takes a warning that is not close_notify or user_canceled for the end', () => {
    const p = reach().alert(1, 100);
    expect(outcomeOf(p)).toEqual(refused('alert-received'));
  });

  test('refuses a record too short for its tag', () => {
    expect(outcomeOf(reach().bytes(record(23, one)))).toEqual(refused('bad-record-mac'));
  });
});

describe.each(CONNECTED_12)('%s that is connected', (_role, reach) => {
  test('takes a no_renegotiation warning', () => {
    expect(reach().alert(1, 100).applicationData(one).end.data).toEqual([one]);
  });

  test('refuses a record too short for nonce and tag', () => {
    for (const length of [0, 7, 8, 23]) {
      expect(outcomeOf(reach().bytes(record(23, new Uint8Array(length))))).toEqual(refused('bad-record-mac'));
    }
  });
});

describe.each([
  ['client', server12, (p: Puppet) => (p as PuppetServer12).upTo('ccs').finished()],
  [
    'server',
    client12,
    (p: Puppet) => {
      const c = (p as PuppetClient12).sendHello();
      c.send(c.keyExchange());
      return c.changeKeys().finished();
    },
  ],
] as const)('a %s of 1.2', (_role, start, finish) => {
  test('refuses data after a piece of a message that shares a record with the first Finished', () => {
    const p = start();
    p.sendTogether(finish(p), Uint8Array.of(0));
    expect(p.end.connection.state).toBe('open');
    expect(outcomeOf(p.applicationData(one))).toEqual(refused('interleaved-handshake'));
  });
});

describe('compatibility ChangeCipherSpec in TLS 1.3', () => {
  test('is dropped anywhere between ClientHello and Finished', () => {
    const p = server13().changeCipherSpec().upTo('server_hello').changeCipherSpec();
    p.send(p.encryptedExtensions()).changeCipherSpec();
    p.send(p.certificate()).changeCipherSpec().changeCipherSpec();
    p.send(p.certificateVerify());
    p.changeCipherSpec().send(p.finished());
    expect(p.end.connection.state).toBe('open');
    const c = client13().sendHello().changeCipherSpec();
    expect(c.send(c.finished()).end.connection.state).toBe('open');
  });

  test('does not come before ClientHello', () => {
    expect(outcomeOf(client13().changeCipherSpec())).toEqual(refused('unexpected-message'));
  });

  test('does not come after Finished', () => {
    expect(outcomeOf(server13().upTo('done').changeCipherSpec())).toEqual(refused('unexpected-message'));
    expect(outcomeOf(client13().complete().changeCipherSpec())).toEqual(refused('unexpected-message'));
  });

  test.each([[[2]], [[1, 1]], [[]], [[0]]])('of %j is refused', (content) => {
    const p = server13().upTo('server_hello').changeCipherSpec(Uint8Array.from(content));
    expect(outcomeOf(p)).toEqual(refused('unexpected-message'));
    const c = client13().sendHello().changeCipherSpec(Uint8Array.from(content));
    expect(outcomeOf(c)).toEqual(refused('unexpected-message'));
  });

  test('does not come without end', () => {
    const p = server13().upTo('server_hello');
    for (let i = 0; i < 33; i++) p.changeCipherSpec();
    expect(outcomeOf(p)).toEqual(refused('too-many-empty-records'));
  });

  test('does not come inside a message', () => {
    const p = server13().upTo('server_hello').record(HANDSHAKE, Uint8Array.of(8, 0));
    expect(outcomeOf(p.changeCipherSpec())).toEqual(refused('interleaved-handshake'));
  });
});
