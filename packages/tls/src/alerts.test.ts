import { nodeCrypto } from '@testudo/crypto/node';
import { describe, expect, test } from 'vitest';
import { ALERTS, alertName } from './alerts.ts';
import { clientConfig } from './config/client.ts';
import { serverConfig } from './config/server.ts';
import { TicketKeys } from './sessions/ticket-keys.ts';
import { clientEnd, serverEnd } from './testing/end.ts';
import { Pair } from './testing/pair.ts';
import { TestPki } from './testing/pki.ts';
import { outcomeOf, type Puppet, refused } from './testing/puppet.ts';
import { PuppetClient13 } from './testing/puppet-client13.ts';
import { PuppetServer13 } from './testing/puppet-server13.ts';
import { PuppetClient12, PuppetServer12 } from './testing/puppet12.ts';

// Every alert there can be, at each level: what it does to the connection and to its session (RFC 9846 §6, RFC 5246 §7.2).

const pki = new TestPki(nodeCrypto);
const verifyCertificate = pki.verifier();
const client = () => clientEnd(clientConfig({ provider: nodeCrypto, verifyCertificate }));
const server = () => serverEnd(serverConfig({ provider: nodeCrypto, credentials: [pki.server()] }));

const CONNECTED: readonly (readonly [string, boolean, () => Puppet])[] = [
  ['a client of 1.3', true, () => new PuppetServer13(nodeCrypto, client(), pki.server()).upTo('done')],
  ['a server of 1.3', true, () => new PuppetClient13(nodeCrypto, server(), pki.client()).complete()],
  ['a client of 1.2', false, () => new PuppetServer12(nodeCrypto, client(), pki.server()).upTo('done')],
  ['a server of 1.2', false, () => new PuppetClient12(nodeCrypto, server(), pki.client()).complete()],
];

const [WARNING, FATAL] = [1, 2];
const CLOSE_NOTIFY = 0;
const USER_CANCELED = 90;
/** All that have a name, and some that nobody has given one. */
const CODES = [...Object.values(ALERTS), 1, 43 + 16, 99, 200, 255].filter(
  (code, i, all) => all.indexOf(code) === i,
);

describe.each(CONNECTED)('%s', (_role, is13, reach) => {
  test.each([WARNING!, FATAL!])(
    'close_notify at level %i is the end of what comes, and no failure',
    (level) => {
      const p = reach().alert(level, CLOSE_NOTIFY);
      const { connection, ended, errors } = p.end;
      expect([ended, errors]).toEqual([1, []]);
      expect(connection.isReadClosed).toBe(true);
      // Up to 1.2 the answer is due at once (RFC 5246 §7.2.1); in 1.3 what is to be said can still be said.
      expect(connection.state).toBe(is13 ? 'open' : 'closed');
      expect(p.alerts).toEqual(is13 ? [] : ['warning close_notify']);
    },
  );

  test.each([WARNING!, FATAL!])('user_canceled at level %i is passed over', (level) => {
    const p = reach().alert(level, USER_CANCELED).applicationData(Uint8Array.of(7));
    expect(outcomeOf(p)).toMatchObject({ state: 'open', alerts: [] });
    expect(p.end.data).toEqual([Uint8Array.of(7)]);
  });

  const others = CODES.filter((code) => code !== CLOSE_NOTIFY && code !== USER_CANCELED);
  test.each(others.map((code) => [alertName(code), code] as const))('%s, fatal, ends it', (name, code) => {
    const p = reach().alert(FATAL!, code);
    expect(outcomeOf(p)).toEqual(refused('alert-received'));
    expect(p.end.errors[0]!.receivedAlert).toBe(name);
  });

  // RFC 9846 §6: the level says nothing any more.
  test.each(others.map((code) => [alertName(code), code] as const))(
    `%s, a warning, ${is13 ? 'ends it' : 'is passed over'}`,
    (_name, code) => {
      const p = reach().alert(WARNING!, code);
      if (is13) expect(outcomeOf(p)).toEqual(refused('alert-received'));
      else {
        p.applicationData(Uint8Array.of(7));
        expect(outcomeOf(p)).toMatchObject({ state: 'open', alerts: [] });
        expect(p.end.data).toEqual([Uint8Array.of(7)]);
      }
    },
  );

  test.each([0, 3, 255])('level %i is none', (level) => {
    expect(outcomeOf(reach().alert(level, 40))).toEqual(refused('illegal-parameter'));
  });

  test.each([
    ['none', []],
    ['one', [2]],
    ['three', [2, 40, 0]],
    ['two of them in one record', [1, 90, 1, 90]],
  ])('an alert has two bytes: %s', (_, bytes) => {
    expect(outcomeOf(reach().record(21, Uint8Array.from(bytes)))).toMatchObject({ state: 'failed' });
  });
});

describe.each(['TLSv1.3', 'TLSv1.2'] as const)('the session of a connection of %s', (version) => {
  const versions = { minVersion: version, maxVersion: version } as const;
  const ours = clientConfig({ provider: nodeCrypto, verifyCertificate, ...versions });
  const theirs = serverConfig({
    provider: nodeCrypto,
    credentials: [pki.server()],
    tickets: new TicketKeys(nodeCrypto),
    ...versions,
  });
  const meet = (session?: Pair['client']['sessions'][number]) =>
    new Pair(clientEnd(ours, { session }), serverEnd(theirs)).pump();

  test('is resumed when it ended with close_notify', () => {
    const first = meet();
    first.server.connection.close();
    first.client.connection.close();
    first.pump();
    expect(meet(first.client.sessions[0]).client.info.resumed).toBe(true);
  });

  test.each([
    ['the client', 'client', 'server'],
    ['the server', 'server', 'client'],
  ] as const)('is not resumed when %s got a fatal alert', (_, who, sender) => {
    const first = meet();
    const [session] = first.client.sessions;
    // A record that cannot be decrypted: the sender says bad_record_mac.
    first[sender].connection.receive(Uint8Array.of(23, 3, 3, 0, 32, ...new Uint8Array(32)));
    first.pump();
    expect(first[who].errors.map(({ receivedAlert }) => receivedAlert)).toEqual(['bad_record_mac']);
    expect(meet(session).client.info.resumed).toBe(false);
  });
});
