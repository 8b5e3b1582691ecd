import { toHex } from '@testudo/codec';
import { HpkeAead, hpkeSuite } from '@testudo/crypto';
import { nodeCrypto } from '@testudo/crypto/node';
import { expect, test } from 'vitest';
import { clientConfig } from '../config/client.ts';
import { clientConnection } from '../connection/endpoint.ts';
import { encryptedClientHello, type OuterEch } from '../extensions/encrypted-client-hello.ts';
import { clientHello } from '../messages/client-hello.ts';
import { decodeMessage } from '../messages/handshake-type.ts';
import { echWorld, listOf, meet } from '../testing/ech.ts';
import { echInfo } from './hpke.ts';

// What a key log holds of Encrypted Client Hello (RFC 9850 §2.3).

const { echClient, echKey, echPki, echServer } = echWorld(nodeCrypto);
const key = echKey({ cipherSuites: [{ kdf: 1, aead: HpkeAead.aes128Gcm }] });

test('both sides log the same, once, and it is the configuration and what the KEM gave', () => {
  const { client, server, pair, hellos } = meet(
    echClient(key, { keyShareGroups: ['x25519'] }),
    echServer([key], { groups: ['secp384r1'] }),
  );
  pair.pump();
  const [config, secret] = ['ECH_CONFIG', 'ECH_SECRET'].map((label) => client.secrets.get(label));
  expect(config).toBe(toHex(key.config));
  expect(secret).toMatch(/^[0-9a-f]{64}$/);
  expect([server.secrets.get('ECH_CONFIG'), server.secrets.get('ECH_SECRET')]).toEqual([config, secret]);
  const { extensions } = decodeMessage(clientHello, { type: clientHello.type, raw: hellos[0]! });
  const { enc } = extensions.get(encryptedClientHello) as OuterEch;
  const suite = hpkeSuite(nodeCrypto, { kem: 0x0020, kdf: 1, aead: 1 })!;
  const receiver = suite.setupReceiver(suite.importPrivate(key.privateKey), enc, echInfo(key.config));
  expect(toHex(receiver.sharedSecret)).toBe(secret);
});

test('a client logs them under the random of the outer hello, whatever the server will do', () => {
  const seen: [string, string][] = [];
  const verifyCertificate = echPki.verifier();
  const config = clientConfig({ provider: nodeCrypto, verifyCertificate, ech: { configs: listOf(key) } });
  const events = { secure() {}, data() {}, session() {}, end() {}, failed() {}, wake() {} };
  const connection = clientConnection(config, {
    host: 'hidden.example',
    events,
    observer: { secret: (label, random) => void seen.push([label, toHex(random)]) },
  });
  connection.start();
  const outerRandom = toHex(connection.takeOutgoing()!.subarray(5 + 4 + 2, 5 + 4 + 2 + 32));
  expect(seen).toEqual([
    ['ECH_SECRET', outerRandom],
    ['ECH_CONFIG', outerRandom],
  ]);
});

test('nothing is logged of what means nothing, or could not be read', () => {
  for (const client of [echClient('grease'), echClient(echKey())]) {
    const { server, pair } = meet(client, echServer([key]));
    pair.pump();
    expect(server.secrets.has('ECH_SECRET')).toBe(false);
  }
});
