import { createHash } from 'node:crypto';
import { nodeCrypto } from '@testudo/crypto/node';
import { describe, expect, test } from 'vitest';
import { clientConfig } from '../config/client.ts';
import { serverConfig } from '../config/server.ts';
import type { ServerOptions } from '../options/server.ts';
import { clientEnd, serverEnd } from '../testing/end.ts';
import { Pair } from '../testing/pair.ts';
import { TestPki } from '../testing/pki.ts';
import { decodeSession, encodeSession, type Session } from './session.ts';
import { MemorySessionStore } from './session-store.ts';
import { TicketKeys } from './ticket-keys.ts';

const pki = new TestPki(nodeCrypto);
const own = pki.client();
const hash = Uint8Array.from(createHash('sha256').update(own.certificates[0]!).digest());
const HASHED = { sessionsKeepCertificateHash: true };

function world(maxVersion: 'TLSv1.2' | 'TLSv1.3', by: 'ticket' | 'ID' = 'ticket') {
  const tickets = by === 'ticket' ? new TicketKeys(nodeCrypto) : (false as const);
  const sessionStore = new MemorySessionStore();
  const client = clientConfig({
    provider: nodeCrypto,
    verifyCertificate: pki.verifier(),
    credentials: [own],
  });
  return (options: Partial<ServerOptions>, session?: Session): Pair => {
    const server = serverConfig({
      provider: nodeCrypto,
      maxVersion,
      credentials: [pki.server()],
      clientCertificate: 'require',
      verifyCertificate: pki.verifier(),
      tickets,
      sessionStore,
      ...options,
    });
    const pair = new Pair(clientEnd(client, { session }), serverEnd(server)).pump();
    expect(pair.client.errors.concat(pair.server.errors)).toEqual([]);
    return pair;
  };
}

describe.each([
  ['TLSv1.3', 'ticket'],
  ['TLSv1.2', 'ticket'],
  ['TLSv1.2', 'ID'],
] as const)('%s, by %s: a session that keeps the hash of a client’s certificate', (version, by) => {
  test('says after a resumption who that was, and after the next one', () => {
    const meet = world(version, by);
    const first = meet(HASHED);
    expect(first.server.info).toMatchObject({ resumed: false, peerCertificateHash: hash });
    expect(first.server.info.peerCertificates).toEqual(own.certificates);
    const second = meet(HASHED, first.client.sessions[0]);
    expect(second.server.info).toMatchObject({
      resumed: true,
      peerCertificateHash: hash,
      peerCertificates: [],
      authorizationError: undefined,
    });
    const third = meet(HASHED, second.client.sessions[0] ?? first.client.sessions[0]);
    expect(third.server.info).toMatchObject({ resumed: true, peerCertificateHash: hash });
  });

  test('is not resumed by a server that wants the chain, nor the other way', () => {
    const meet = world(version, by);
    const hashed = meet(HASHED).client.sessions[0];
    const again = meet({}, hashed).server.info;
    expect(again).toMatchObject({ resumed: false, peerCertificateHash: undefined });
    expect(again.peerCertificates).toEqual(own.certificates);
    const whole = meet({}).client.sessions[0];
    expect(meet(HASHED, whole).server.info).toMatchObject({ resumed: false, peerCertificateHash: hash });
  });

  test('does not stand in where no client certificate is wanted', () => {
    const meet = world(version, by);
    const { info } = meet({ ...HASHED, clientCertificate: 'none' }, meet(HASHED).client.sessions[0]).server;
    expect(info).toMatchObject({ resumed: false, peerCertificateHash: undefined });
  });

  test('is as any other where the client shows none', () => {
    const meet = world(version, by);
    const none = { ...HASHED, clientCertificate: 'none' } as const;
    const { info } = meet(none, meet(none).client.sessions[0]).server;
    expect(info).toMatchObject({ resumed: true, peerCertificateHash: undefined });
  });
});

test('its ticket is shorter than one with the chain', () => {
  const lengthOf = (options: Partial<ServerOptions>) =>
    world('TLSv1.3')(options).client.sessions[0]!.ticket.length;
  const chain = own.certificates.reduce((sum, der) => sum + der.length, 0);
  expect(lengthOf({}) - lengthOf(HASHED)).toBeGreaterThan(chain - hash.length);
});

test('it is the same after it was bytes', () => {
  const session = world('TLSv1.3')(HASHED).client.sessions[0]!;
  expect(
    decodeSession(encodeSession({ ...session, peerCertificateHash: hash }))?.peerCertificateHash,
  ).toEqual(hash);
  expect(decodeSession(encodeSession(session))?.peerCertificateHash).toBeUndefined();
});

test('it does not go with renegotiation', () => {
  const config = () =>
    serverConfig({ provider: nodeCrypto, credentials: [pki.server()], ...HASHED, renegotiation: true });
  expect(config).toThrow(expect.objectContaining({ code: 'bad-option' }));
});
