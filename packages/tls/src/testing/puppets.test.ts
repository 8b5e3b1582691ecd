import { nodeCrypto } from '@testudo/crypto/node';
import { expect, test } from 'vitest';
import { clientConfig } from '../config/client.ts';
import { serverConfig } from '../config/server.ts';
import { clientEnd, serverEnd } from './end.ts';
import { TestPki } from './pki.ts';
import { PuppetClient13 } from './puppet-client13.ts';
import { PuppetServer13 } from './puppet-server13.ts';
import { PuppetClient12, PuppetServer12 } from './puppet12.ts';

// A puppet that behaves must be taken: else the refusals that other tests see would prove nothing.

const pki = new TestPki(nodeCrypto);
const common = { provider: nodeCrypto } as const;
const client = () => clientEnd(clientConfig({ ...common, verifyCertificate: pki.verifier() }));
const client12 = () =>
  clientEnd(clientConfig({ ...common, verifyCertificate: pki.verifier(), maxVersion: 'TLSv1.2' }));
const server = () => serverEnd(serverConfig({ ...common, credentials: [pki.server()] }));

const hello = Uint8Array.of(104, 105);

test('a puppet server of TLS 1.3', () => {
  const puppet = new PuppetServer13(nodeCrypto, client(), pki.server()).upTo('done');
  expect(puppet.end.connection.state).toBe('open');
  puppet.applicationData(hello);
  expect(puppet.end.data).toEqual([hello]);
  puppet.end.connection.send(hello);
  expect(puppet.collect().data).toEqual([hello]);
});

test('a puppet client of TLS 1.3', () => {
  const puppet = new PuppetClient13(nodeCrypto, server(), pki.client()).complete();
  expect(puppet.end.connection.state).toBe('open');
  puppet.applicationData(hello);
  expect(puppet.end.data).toEqual([hello]);
  puppet.end.connection.send(hello);
  expect(puppet.collect().data).toEqual([hello]);
});

test.each([
  ['one that knows only 1.2', client12],
  ['one that knows 1.3', client],
])('a puppet server of TLS 1.2 for %s', (_, end) => {
  const puppet = new PuppetServer12(nodeCrypto, end(), pki.server()).upTo('done');
  expect(puppet.end.connection.state).toBe('open');
  puppet.applicationData(hello);
  expect(puppet.end.data).toEqual([hello]);
  puppet.end.connection.send(hello);
  expect(puppet.collect().data).toEqual([hello]);
});

test('a puppet client of TLS 1.2', () => {
  const puppet = new PuppetClient12(nodeCrypto, server(), pki.client()).complete();
  expect(puppet.end.connection.state).toBe('open');
  puppet.applicationData(hello);
  expect(puppet.end.data).toEqual([hello]);
  puppet.end.connection.send(hello);
  expect(puppet.collect().data).toEqual([hello]);
});
