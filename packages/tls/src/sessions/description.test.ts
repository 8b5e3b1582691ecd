import { createHash } from 'node:crypto';
import { nodeCrypto } from '@testudo/crypto/node';
import { expect, test } from 'vitest';
import { clientConfig } from '../config/client.ts';
import { serverConfig } from '../config/server.ts';
import { clientEnd, serverEnd } from '../testing/end.ts';
import { Pair } from '../testing/pair.ts';
import { TestPki } from '../testing/pki.ts';
import { describeSession } from './description.ts';
import { MemorySessionStore } from './session-store.ts';
import { TicketKeys } from './ticket-keys.ts';

const pki = new TestPki(nodeCrypto);
const verifyCertificate = pki.verifier();

function meet(maxVersion: 'TLSv1.3' | 'TLSv1.2', stores: object, cipherSuites?: string[]) {
  const suites = cipherSuites === undefined ? {} : { cipherSuites };
  const client = clientConfig({ provider: nodeCrypto, verifyCertificate, maxVersion, ...suites });
  const server = serverConfig({ provider: nodeCrypto, credentials: [pki.server()], ...stores, ...suites });
  return new Pair(clientEnd(client), serverEnd(server)).pump();
}

test('a session by ID: what RFC 5246 says a session is', () => {
  const pair = meet('TLSv1.2', { sessionStore: new MemorySessionStore() }, ['ECDHE-ECDSA-AES128-SHA256']);
  const session = pair.client.sessions[0]!;
  const description = describeSession(nodeCrypto, session)!;
  expect(description).toMatchObject({
    version: 'TLSv1.2',
    identifier: session.id,
    peerCertificates: pki.server().certificates,
    compressionMethod: 0,
    isResumable: true,
    cipherSpec: {
      cipherSuite: { opensslName: 'ECDHE-ECDSA-AES128-SHA256' },
      bulkCipher: 'aes-128-cbc',
      keyLength: 16,
      mac: 'sha256',
      macLength: 32,
      prf: 'sha256',
    },
  });
});

test('a ticket of TLS 1.3', () => {
  const session = meet('TLSv1.3', { tickets: new TicketKeys(nodeCrypto) }).client.sessions[0]!;
  const { identifier, cipherSpec } = describeSession(nodeCrypto, session)!;
  expect(Buffer.from(identifier)).toEqual(createHash('sha256').update(session.ticket).digest());
  expect(cipherSpec).toMatchObject({ bulkCipher: 'aes-128-gcm', mac: undefined, macLength: 0 });
});

test('can be resumed until it is too old, or its connection fails', () => {
  const pair = meet('TLSv1.3', { tickets: new TicketKeys(nodeCrypto) });
  const session = pair.client.sessions[0]!;
  const at = (seconds: number) =>
    describeSession(nodeCrypto, session, { now: session.createdAt + seconds * 1000 })!.isResumable;
  expect([at(0), at(86_399), at(86_400)]).toEqual([true, true, false]);
  pair.client.connection.receive(Uint8Array.of(23, 3, 3, 0, 32, ...new Uint8Array(32)));
  expect(at(0)).toBe(false);
});

test('tells its secret only to who asks, and never by itself', () => {
  const session = meet('TLSv1.2', { tickets: new TicketKeys(nodeCrypto) }).client.sessions[0]!;
  expect(describeSession(nodeCrypto, session)).not.toHaveProperty('masterSecret');
  const description = describeSession(nodeCrypto, session, { exposeSecrets: true })!;
  expect(description.masterSecret).toEqual(session.secret);
  expect(JSON.stringify(description)).not.toContain('masterSecret');
  expect({ ...description }).not.toHaveProperty('masterSecret');
});

test('of a suite that nobody knows there is nothing to say', () => {
  const session = meet('TLSv1.3', { tickets: new TicketKeys(nodeCrypto) }).client.sessions[0]!;
  expect(describeSession(nodeCrypto, { ...session, cipherSuite: 0xeeee })).toBeUndefined();
});
