import { utf8 } from '@testudo/codec';
import { nodeCrypto } from '@testudo/crypto/node';
import { describe, expect, test } from 'vitest';
import { clientConfig } from '../config/client.ts';
import { serverConfig } from '../config/server.ts';
import type { ClientOptions } from '../options/client.ts';
import type { ServerOptions } from '../options/server.ts';
import type { ExternalPsk } from '../psk/external-psk.ts';
import { importPsk } from '../psk/import.ts';
import type { Session } from '../sessions/session.ts';
import { TicketKeys } from '../sessions/ticket-keys.ts';
import { clientEnd, serverEnd } from '../testing/end.ts';
import { Pair } from '../testing/pair.ts';
import { TestPki } from '../testing/pki.ts';

// Keys from outside in TLS 1.3 (RFC 9846 §4.3.11, RFC 9258).

const pki = new TestPki(nodeCrypto);
const verifyCertificate = pki.verifier();
const psk = (name: string, fill = 7, more: Partial<ExternalPsk> = {}): ExternalPsk => ({
  identity: utf8(name),
  key: new Uint8Array(32).fill(fill),
  ...more,
});
const text = (bytes: Uint8Array | undefined) => bytes && String.fromCharCode(...bytes);
const knows =
  (...known: readonly ExternalPsk[]): ServerOptions['findPsk'] =>
  ({ identity }) =>
    known.find((each) => text(each.identity) === text(identity));

const ends = (client: Partial<ClientOptions>, server: Partial<ServerOptions>): Pair =>
  new Pair(
    clientEnd(clientConfig({ provider: nodeCrypto, verifyCertificate, minVersion: 'TLSv1.3', ...client })),
    serverEnd(serverConfig({ provider: nodeCrypto, credentials: [], ...server })),
  );
const meet = (client: Partial<ClientOptions>, server: Partial<ServerOptions>): Pair =>
  ends(client, server).pump();

function expectSecured(pair: Pair, identity: string | undefined): void {
  expect(pair.client.errors.concat(pair.server.errors)).toEqual([]);
  expect([text(pair.client.info.pskIdentity), text(pair.server.info.pskIdentity)]).toEqual([
    identity,
    identity,
  ]);
  expect(pair.client.info.resumed).toBe(false);
  pair.client.connection.send(utf8('hello'));
  expect(pair.pump().server.text).toBe('hello');
}

describe('a key that both know', () => {
  test('makes a connection without certificates', () => {
    const pair = meet({ psks: [psk('a')] }, { findPsk: knows(psk('a')) });
    expectSecured(pair, 'a');
    expect(pair.client.info.peerCertificates).toEqual([]);
  });

  test('is found among several, and after an unknown one', () => {
    expectSecured(meet({ psks: [psk('x'), psk('b', 2)] }, { findPsk: knows(psk('b', 2)) }), 'b');
  });

  test('is not offered when it has no name, which only TLS 1.2 allows', () => {
    expectSecured(meet({ psks: [psk(''), psk('a')] }, { findPsk: knows(psk('a')) }), 'a');
  });

  test('is passed over when no common suite goes with its hash', () => {
    const sha256 = psk('a');
    const sha384 = psk('b', 2, { hash: 'sha384' });
    const client = { psks: [sha256, sha384] };
    const pair = meet(client, { findPsk: knows(sha256, sha384), cipherSuites: ['TLS_AES_256_GCM_SHA384'] });
    expectSecured(pair, 'b');
  });

  test('survives a retry for another group', () => {
    const groups = { groups: ['secp384r1'] };
    const pair = meet(
      { psks: [psk('a')], keyShareGroups: ['x25519'] },
      { findPsk: knows(psk('a')), ...groups },
    );
    expect(pair.server.info.helloRetryRequest).toBe(true);
    expectSecured(pair, 'a');
  });

  test('of another hash takes a suite with it', () => {
    const key = psk('a', 1, { hash: 'sha384' });
    const pair = meet({ psks: [key] }, { findPsk: knows(key) });
    expectSecured(pair, 'a');
    expect(pair.client.info.cipherSuite.hash).toBe('sha384');
  });

  test('is looked up and chosen later, too', async () => {
    const pair = ends(
      { psks: async () => [psk('a')] },
      { findPsk: async (lookup) => knows(psk('a'))!(lookup) },
    );
    await pair.settle();
    expectSecured(pair, 'a');
  });

  test('gives tickets, with which the connection is resumed', () => {
    const server = { findPsk: knows(psk('a')), tickets: new TicketKeys(nodeCrypto) };
    const first = meet({ psks: [psk('a')] }, server);
    const config = clientConfig({ provider: nodeCrypto, verifyCertificate, psks: [psk('a')] });
    const client = clientEnd(config, { session: first.client.sessions[0] });
    const pair = new Pair(
      client,
      serverEnd(serverConfig({ provider: nodeCrypto, credentials: [], ...server })),
    );
    expect(pair.pump().client.info.resumed).toBe(true);
    expect(pair.client.info.pskIdentity).toBeUndefined();
  });

  test('that the server does not know leads to its certificate', () => {
    const server = { findPsk: knows(psk('b')), credentials: [pki.server()] };
    expectSecured(meet({ psks: [psk('a')] }, server), undefined);
  });
});

describe('is refused', () => {
  const codes = (pair: Pair) => pair.server.errors.map(({ code }) => code);

  test('a key of another value', () => {
    const pair = meet({ psks: [psk('a', 1)] }, { findPsk: knows(psk('a', 2)) });
    expect(codes(pair)).toEqual(['bad-binder']);
    expect(pair.client.errors[0]!.receivedAlert).toBe('decrypt_error');
  });

  test('an unknown key, where there is no certificate', () => {
    const pair = meet({ psks: [psk('a')] }, { findPsk: knows() });
    expect(codes(pair)).toEqual(['unknown-psk-identity']);
    expect(pair.client.errors[0]!.receivedAlert).toBe('unknown_psk_identity');
  });

  test('an imported key for one that is not, and the other way round', () => {
    const imported = importPsk(nodeCrypto, psk('a'));
    const plain = { ...imported, imported: false };
    expect(codes(meet({ psks: [imported] }, { findPsk: knows(plain) }))).toEqual(['bad-binder']);
    expect(codes(meet({ psks: [plain] }, { findPsk: knows(imported) }))).toEqual(['bad-binder']);
  });

  test('a key where a certificate is required of the client', () => {
    const server = {
      findPsk: knows(psk('a')),
      credentials: [pki.server()],
      clientCertificate: 'require',
      verifyCertificate,
    } as const;
    expect(codes(meet({ psks: [psk('a')] }, server))).toEqual(['certificate-required']);
  });
});

describe('an imported key', () => {
  test('works where both import it alike', () => {
    const both = importPsk(nodeCrypto, psk('a'), { context: utf8('test'), target: 'sha384' });
    const pair = meet({ psks: [both] }, { findPsk: knows(both) });
    expect(pair.client.errors.concat(pair.server.errors)).toEqual([]);
    expect(pair.client.info.cipherSuite.hash).toBe('sha384');
  });

  test('has the identity that RFC 9258 §5.1 says', () => {
    const { identity } = importPsk(nodeCrypto, psk('id'), { context: utf8('c') });
    expect([...identity]).toEqual([0, 2, 105, 100, 0, 1, 99, 3, 4, 0, 1]);
  });

  test('with another context is another key', () => {
    const one = importPsk(nodeCrypto, psk('a'), { context: utf8('one') });
    const other = importPsk(nodeCrypto, psk('a'), { context: utf8('other') });
    expect(one.key).not.toEqual(other.key);
    expect(meet({ psks: [one] }, { findPsk: knows(other) }).server.errors[0]!.code).toBe(
      'unknown-psk-identity',
    );
  });

  test('bound to who is who cannot be reflected to its sender (selfie)', () => {
    // RFC 9257 §4.1: a host that is client and server with one key must not talk to itself.
    const shared = psk('group');
    const asClient = importPsk(nodeCrypto, shared, { context: utf8('client=A server=B') });
    const asServer = importPsk(nodeCrypto, shared, { context: utf8('client=B server=A') });
    const reflected = meet({ psks: [asClient] }, { findPsk: knows(asServer) });
    expect(reflected.server.errors[0]!.code).toBe('unknown-psk-identity');
    expect(reflected.client.secured).toEqual([]);
  });
});

describe('a client that insists on a key', () => {
  const insists = { requirePsk: true, minVersion: undefined } as const;
  const credentials = [pki.server()];
  const codes = (pair: Pair) => [pair.client, pair.server].map(({ errors }) => errors[0]?.code);

  test('has it', () => {
    const pair = meet({ ...insists, psks: [psk('a')] }, { findPsk: knows(psk('a')), credentials });
    expectSecured(pair, 'a');
  });

  test('offers no older version', () => {
    const client = clientEnd(
      clientConfig({ provider: nodeCrypto, verifyCertificate, ...insists, psks: [psk('a')] }),
    );
    const server = serverEnd(serverConfig({ provider: nodeCrypto, credentials, maxVersion: 'TLSv1.2' }));
    expect(codes(new Pair(client, server).pump())).toEqual(['alert-received', 'no-common-version']);
  });

  test.each([
    ['the server knows none', { findPsk: knows() }],
    ['the server has no keys', {}],
    [
      'the server wants a certificate of it',
      { findPsk: knows(psk('a')), clientCertificate: 'require', verifyCertificate },
    ],
    [
      'the suite goes with another hash',
      { findPsk: knows(psk('a')), cipherSuites: ['TLS_AES_256_GCM_SHA384'] },
    ],
    [
      'the same, after a retry',
      { findPsk: knows(psk('a')), cipherSuites: ['TLS_AES_256_GCM_SHA384'], groups: ['secp521r1'] },
    ],
  ] as const)('takes no certificate for it: %s', (_what, server) => {
    const pair = meet({ ...insists, psks: [psk('a')] }, { credentials, ...server });
    expect(codes(pair)).toEqual(['no-psk', 'alert-received']);
    expect(pair.server.errors[0]!.receivedAlert).toBe('handshake_failure');
    expect(pair.client.log).not.toContain('received certificate');
    expect(pair.client.secured).toEqual([]);
  });

  test('says nothing when it has none', () => {
    const pair = ends({ ...insists, psks: () => [] }, { credentials });
    expect([codes(pair)[0], pair.client.log]).toEqual(['no-psk', ['alert sent fatal handshake_failure']]);
  });

  test('resumes what began with a key, and nothing else', () => {
    const tickets = new TicketKeys(nodeCrypto);
    const server = { findPsk: knows(psk('a')), credentials, tickets };
    const config = clientConfig({ provider: nodeCrypto, verifyCertificate, ...insists, psks: [psk('a')] });
    const other = clientConfig({ provider: nodeCrypto, verifyCertificate });
    const connect = (own: typeof config, session?: Session) =>
      new Pair(
        clientEnd(own, { session }),
        serverEnd(serverConfig({ provider: nodeCrypto, ...server })),
      ).pump().client;
    const withKey = connect(config).sessions[0]!;
    expect(connect(config, withKey).info.resumed).toBe(true);
    const withCertificate = connect(other).sessions[0]!;
    const { info } = connect(config, withCertificate);
    expect([info.resumed, text(info.pskIdentity)]).toEqual([false, 'a']);
  });

  test.each([
    [{ psks: undefined }, 'requirePsk needs psks'],
    [{ psks: [psk('a')], maxVersion: 'TLSv1.2' }, 'requirePsk needs TLS 1.3'],
  ] as const)('%j is no option', (options, message) => {
    const all = { provider: nodeCrypto, verifyCertificate, ...insists, ...options };
    expect(() => clientConfig(all)).toThrow(message);
  });
});

describe('a key that is known where a client certificate is required', () => {
  const asks = { clientCertificate: 'require', verifyCertificate } as const;

  test('is refused by its own reason where nothing else can come of it', () => {
    const pair = meet({ psks: [psk('a')] }, { findPsk: knows(psk('a')), ...asks });
    expect(pair.server.errors[0]).toMatchObject({
      code: 'certificate-required',
      alert: 'certificate_required',
    });
    expect(pair.server.errors[0]!.message).toContain('PSK');
  });

  test('one that is not known is what it was', () => {
    const pair = meet({ psks: [psk('x')] }, { findPsk: knows(psk('a')), ...asks });
    expect(pair.server.errors[0]!.code).toBe('unknown-psk-identity');
  });

  test('gives way to certificates where there are some', () => {
    const client = { psks: [psk('a')], credentials: [pki.client()] };
    const { info } = meet(client, { findPsk: knows(psk('a')), ...asks, credentials: [pki.server()] }).server;
    expect([info.pskIdentity, info.peerCertificates.length]).toEqual([undefined, 1]);
  });

  test('the same in TLS 1.2', () => {
    const cipherSuites = ['ECDHE-PSK-AES128-CBC-SHA256', 'PSK-AES128-GCM-SHA256'];
    const old = { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2', cipherSuites } as const;
    const pair = meet({ psks: [psk('a')], ...old }, { findPsk: knows(psk('a')), ...asks, ...old });
    expect(pair.server.errors[0]).toMatchObject({
      code: 'client-certificate-missing',
      alert: 'handshake_failure',
    });
    expect(pair.server.errors[0]!.message).toContain('shared key');
  });
});
