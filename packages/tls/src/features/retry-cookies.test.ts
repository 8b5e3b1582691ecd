import { nodeCrypto } from '@testudo/crypto/node';
import { describe, expect, test } from 'vitest';
import { clientConfig } from '../config/client.ts';
import { serverConfig } from '../config/server.ts';
import { cookie } from '../extensions/cookie.ts';
import { clientHello } from '../messages/client-hello.ts';
import { decodeMessage } from '../messages/handshake-type.ts';
import type { ClientOptions } from '../options/client.ts';
import type { ServerOptions } from '../options/server.ts';
import { TicketKeys } from '../sessions/ticket-keys.ts';
import { clientEnd, serverEnd } from '../testing/end.ts';
import { Pair } from '../testing/pair.ts';
import { TestPki } from '../testing/pki.ts';
import { outcomeOf, refused } from '../testing/puppet.ts';
import { PuppetClient13 } from '../testing/puppet-client13.ts';
import { RetryCookies } from './retry-cookies.ts';

const pki = new TestPki(nodeCrypto);
const verifyCertificate = pki.verifier();

function client(options: Partial<ClientOptions> = {}, ends: Parameters<typeof clientEnd>[1] = {}) {
  return clientEnd(clientConfig({ provider: nodeCrypto, verifyCertificate, ...options }), ends);
}

function server(options: Partial<ServerOptions> = {}) {
  const retryCookies = new RetryCookies(nodeCrypto);
  return serverEnd(
    serverConfig({ provider: nodeCrypto, credentials: [pki.server()], retryCookies, ...options }),
  );
}

describe('a server that wants cookies', () => {
  test.each([
    ['although there was a share', {}],
    ['together with another group', { groups: ['secp521r1'] }],
  ])('makes the client come again, %s', (_what, options) => {
    const ends = new Pair(client(), server(options)).pump();
    expect([ends.client.errors, ends.server.errors]).toEqual([[], []]);
    expect(ends.client.info.helloRetryRequest).toBe(true);
    expect(ends.server.log.filter((line) => line === 'received client_hello')).toHaveLength(2);
  });

  test('resumes sessions, whose binders cover the retry', () => {
    const options = { tickets: new TicketKeys(nodeCrypto) };
    const session = new Pair(client(), server(options)).pump().client.sessions[0]!;
    const again = new Pair(client({}, { session }), server(options)).pump();
    expect(again.client.info).toMatchObject({ resumed: true, helloRetryRequest: true });
  });

  test.each([{}, { groups: ['secp384r1'] }])(
    'need not be the one that the client met first: %j',
    (options) => {
      const retryCookies = new RetryCookies(nodeCrypto);
      const [end, first, second] = [
        client(),
        server({ retryCookies, ...options }),
        server({ retryCookies, ...options }),
      ];
      end.connection.start();
      first.connection.start();
      first.connection.receive(end.take());
      end.connection.receive(first.take());
      const ends = new Pair(end, second).pump();
      expect([end.errors, second.errors]).toEqual([[], []]);
      expect(ends.server.info.helloRetryRequest).toBe(true);
      expect(ends.client.secrets.get('CLIENT_TRAFFIC_SECRET_0')).toBe(
        ends.server.secrets.get('CLIENT_TRAFFIC_SECRET_0'),
      );
    },
  );

  test('leaves TLS 1.2 alone', () => {
    const ends = new Pair(client({ maxVersion: 'TLSv1.2' }), server()).pump();
    expect(ends.client.info).toMatchObject({ version: 'TLSv1.2', helloRetryRequest: false });
  });

  function puppet(options: Partial<ServerOptions> = {}) {
    return new PuppetClient13(nodeCrypto, server(options), pki.client());
  }

  test('refuses a second hello without the cookie, or with another', () => {
    const without = puppet();
    const hello = without.hello();
    without.sendHello((h) => Object.assign(h, hello));
    without.transcript.replaceClientHello('sha256');
    without.sendHello((h) => Object.assign(h, hello));
    expect(outcomeOf(without)).toEqual(refused('illegal-parameter'));
    const other = puppet();
    const same = other.hello();
    other.sendHello((h) => Object.assign(h, same));
    same.extensions.set(cookie, Uint8Array.of(1));
    other.sendHello((h) => Object.assign(h, same));
    expect(outcomeOf(other)).toEqual(refused('illegal-parameter'));
  });

  test('refuses a first hello with a cookie that is not its own', () => {
    for (const bytes of [1, 32, 80, 200]) {
      const p = puppet();
      p.sendHello((h) => h.extensions.set(cookie, new Uint8Array(bytes)));
      expect(outcomeOf(p)).toEqual(refused('illegal-parameter'));
    }
  });

  test('refuses a cookie for a suite that it does not have itself', () => {
    const retryCookies = new RetryCookies(nodeCrypto);
    const end = client();
    const first = server({ retryCookies, cipherSuites: ['TLS_AES_128_GCM_SHA256'] });
    const second = server({ retryCookies, cipherSuites: ['TLS_AES_256_GCM_SHA384'] });
    end.connection.start();
    first.connection.start();
    first.connection.receive(end.take());
    end.connection.receive(first.take());
    new Pair(end, second).pump();
    expect(second.errors.map(({ code }) => code)).toEqual(['illegal-parameter']);
    expect(second.secured).toEqual([]);
  });

  test('refuses a cookie that is too old', () => {
    let now = 1_000_000;
    const retryCookies = new RetryCookies(nodeCrypto, { lifetime: 10 });
    const [end, first] = [client(), server({ retryCookies, now: () => now })];
    end.connection.start();
    first.connection.start();
    first.connection.receive(end.take());
    end.connection.receive(first.take());
    now += 10_001;
    const second = server({ retryCookies, now: () => now });
    new Pair(end, second).pump();
    expect(second.errors.map(({ code }) => code)).toEqual(['illegal-parameter']);
  });
});

describe('a cookie', () => {
  const state = { helloHash: new Uint8Array(32).fill(5), cipherSuite: 0x1301, group: 0x001d };

  test('opens under its key, in its time, unchanged', () => {
    const key = new Uint8Array(32).fill(7);
    const cookies = new RetryCookies(nodeCrypto, { key, lifetime: 1 });
    const sealed = cookies.seal(state, 5000);
    expect(new RetryCookies(nodeCrypto, { key, lifetime: 1 }).open(sealed, 6000)).toEqual(state);
    expect(cookies.open(sealed, 6001)).toBeUndefined();
    expect(cookies.open(sealed, 4999)).toBeUndefined();
    expect(new RetryCookies(nodeCrypto).open(sealed, 5000)).toBeUndefined();
    for (let at = 0; at < sealed.length; at++) {
      const changed = sealed.slice();
      changed[at]! ^= 1;
      expect(cookies.open(changed, 5000)).toBeUndefined();
    }
    for (let length = 0; length < sealed.length; length++)
      expect(cookies.open(sealed.subarray(0, length), 5000)).toBeUndefined();
  });

  test('needs a key of 32 bytes', () => {
    expect(() => new RetryCookies(nodeCrypto, { key: new Uint8Array(31) })).toThrow(/32 bytes/);
  });
});

test('the cookie is what the server sent', () => {
  const hellos: Uint8Array[] = [];
  new Pair(client(), server(), (bytes, from) => {
    if (from === 'client' && bytes[0] === 20) hellos.push(bytes.subarray(6 + 5));
    return [bytes];
  }).pump();
  const raw = hellos[0]!;
  const length = 4 + ((raw[1]! << 16) | (raw[2]! << 8) | raw[3]!);
  const second = decodeMessage(clientHello, { type: 1, raw: raw.subarray(0, length) });
  expect(second.extensions.get(cookie)!.length).toBeGreaterThan(64);
});
