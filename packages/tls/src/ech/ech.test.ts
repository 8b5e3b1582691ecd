import { utf8 } from '@testudo/codec';
import { nodeCrypto } from '@testudo/crypto/node';
import { describe, expect, test } from 'vitest';
import { type ClientOptions, clientConfig, type ServerOptions, serverConfig } from '../options.ts';
import { clientEnd, serverEnd } from '../testing/end.ts';
import { Pair } from '../testing/pair.ts';
import { SERVER_NAME, TestPki } from '../testing/pki.ts';
import { encodeEchConfigList } from './config.ts';
import { generateEchKey } from './keys.ts';

const pki = new TestPki(nodeCrypto);
const verifyCertificate = pki.verifier();
const key = generateEchKey(nodeCrypto, { publicName: 'public.example' });
const configs = encodeEchConfigList([key.config]);

function meet(client: Partial<ClientOptions> = {}, server: Partial<ServerOptions> = {}): Pair {
  return new Pair(
    clientEnd(clientConfig({ provider: nodeCrypto, verifyCertificate, ech: { configs }, ...client })),
    serverEnd(
      serverConfig({
        provider: nodeCrypto,
        credentials: (hello) => [pki.server('p256', { name: hello.serverName! })],
        echKeys: [key],
        ...server,
      }),
    ),
    // As sockets have them: a Buffer's `slice` is no copy.
    (bytes) => [Buffer.from(bytes)],
  ).pump();
}

describe('a', () => {
  test('accepted', () => {
    const pair = meet();
    expect(pair.client.errors.concat(pair.server.errors)).toEqual([]);
    expect(pair.server.info.serverName).toBe(SERVER_NAME);
    expect([pair.client.info.ech, pair.server.info.ech]).toEqual(['accepted', 'accepted']);
    pair.client.connection.send(utf8('x'));
    expect(pair.pump().server.text).toBe('x');
  });
  test('hrr', () => {
    const pair = meet({ keyShareGroups: ['x25519'] }, { groups: ['secp384r1'] });
    expect(pair.client.errors.concat(pair.server.errors)).toEqual([]);
    expect([pair.client.info.ech, pair.server.info.ech, pair.client.info.helloRetryRequest]).toEqual([
      'accepted',
      'accepted',
      true,
    ]);
  });
  test('rejected', () => {
    const other = generateEchKey(nodeCrypto, { publicName: 'public.example' });
    const pair = meet({}, { echKeys: [other] });
    expect(pair.client.errors[0]).toMatchObject({
      code: 'ech-rejected',
      retryConfigs: encodeEchConfigList([other.config]),
    });
    expect(pair.server.errors).toMatchObject([{ code: 'alert-received', receivedAlert: 'ech_required' }]);
  });
  test('rejected hrr', () => {
    const other = generateEchKey(nodeCrypto, { publicName: 'public.example' });
    const pair = meet({ keyShareGroups: ['x25519'] }, { groups: ['secp384r1'], echKeys: [other] });
    expect(pair.client.errors[0]).toMatchObject({
      code: 'ech-rejected',
      retryConfigs: encodeEchConfigList([other.config]),
    });
  });
  test('rejected 1.2', () => {
    const pair = meet({}, { maxVersion: 'TLSv1.2', echKeys: undefined });
    expect(pair.client.errors[0]).toMatchObject({ code: 'ech-rejected', retryConfigs: undefined });
  });
  test('grease', () => {
    const pair = meet({ ech: 'grease' });
    expect(pair.client.errors.concat(pair.server.errors)).toEqual([]);
    expect([pair.client.info.ech, pair.server.info.ech]).toEqual(['grease', 'grease']);
  });
});
