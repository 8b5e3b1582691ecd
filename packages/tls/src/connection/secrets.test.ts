import { inspect } from 'node:util';
import { toHex } from '@testudo/codec';
import { nodeCrypto } from '@testudo/crypto/node';
import { describe, expect, test } from 'vitest';
import { clientConfig } from '../config/client.ts';
import { serverConfig } from '../config/server.ts';
import { legacy } from '../legacy/index.ts';
import type { ClientOptions } from '../options/client.ts';
import type { ServerOptions } from '../options/server.ts';
import { clientEnd, serverEnd } from '../testing/end.ts';
import { Pair } from '../testing/pair.ts';
import { TestPki } from '../testing/pki.ts';
import { Opener12 } from '../tls12/record-protection.ts';
import { Opener13 } from '../tls13/record-protection.ts';
import type { WriteState } from './secrets.ts';

const pki = new TestPki(nodeCrypto);
const verifyCertificate = pki.verifier();
const EXPOSED = { exposeSecrets: true } as const;
const OLD = {
  legacy,
  minVersion: 'TLSv1',
  maxVersion: 'TLSv1',
  cipherSuites: ['AES128-SHA'],
  signatureSchemes: ['rsa_pkcs1_sha256', 'rsa_pkcs1_sha1'],
} as const;

function meet(
  clientOptions: Partial<ClientOptions> = EXPOSED,
  serverOptions: Partial<ServerOptions> = EXPOSED,
): Pair {
  const client = clientConfig({ provider: nodeCrypto, verifyCertificate, ...clientOptions });
  const server = serverConfig({ provider: nodeCrypto, credentials: [pki.server()], ...serverOptions });
  const pair = new Pair(clientEnd(client), serverEnd(server)).pump();
  expect(pair.client.errors.concat(pair.server.errors)).toEqual([]);
  return pair;
}

const plain = ({ trafficSecret, macSecret, key, iv, sequenceNumber }: WriteState) => ({
  trafficSecret: trafficSecret && toHex(trafficSecret),
  macSecret: toHex(macSecret),
  key: toHex(key),
  iv: toHex(iv),
  sequenceNumber,
});

/** Both sides have the same; the client's and the server's states. */
function shared({ client, server }: Pair) {
  const [ours, theirs] = [client.connection.secrets!, server.connection.secrets!];
  expect(plain(ours.client)).toEqual(plain(theirs.client));
  expect(plain(ours.server)).toEqual(plain(theirs.server));
  return { client: ours.client, server: ours.server, masterSecret: ours.masterSecret };
}

describe('the keys in use', () => {
  test('TLS 1.3: those of the key log, and the numbers of the next records', () => {
    const pair = meet();
    pair.client.connection.send(Uint8Array.of(1));
    pair.pump();
    const { client, server, masterSecret } = shared(pair);
    expect(masterSecret).toBeUndefined();
    expect(toHex(client.trafficSecret!)).toBe(pair.client.secrets.get('CLIENT_TRAFFIC_SECRET_0'));
    expect(toHex(server.trafficSecret!)).toBe(pair.client.secrets.get('SERVER_TRAFFIC_SECRET_0'));
    expect([client.sequenceNumber, server.sequenceNumber]).toEqual([1, 0]);
    expect([client.key.length, client.iv.length, client.macSecret.length]).toEqual([16, 12, 0]);
  });

  test('TLS 1.3: open the next record, also after a KeyUpdate', () => {
    const pair = meet();
    for (const update of [false, true]) {
      if (update) {
        pair.client.connection.updateKeys();
        pair.client.connection.send(Uint8Array.of(0));
        pair.pump();
      }
      const { client } = shared(pair);
      pair.client.connection.send(Uint8Array.of(7));
      const bytes = pair.client.take();
      const aead = nodeCrypto.aead('aes-128-gcm', client.key)!;
      const opener = new Opener13(aead, client.iv, { plaintextAlerts: false });
      opener.sequence = client.sequenceNumber;
      expect(opener.open({ type: bytes[0]!, bytes })?.content).toEqual(Uint8Array.of(7));
      pair.server.connection.receive(bytes);
    }
  });

  test('TLS 1.2: open the next record, also after a renegotiation', () => {
    const options = { ...EXPOSED, renegotiation: true };
    const pair = meet({ ...options, maxVersion: 'TLSv1.2' }, options);
    let before: Uint8Array | undefined;
    for (const again of [false, true]) {
      if (again) {
        pair.client.connection.renegotiate();
        pair.pump();
      }
      const { client, masterSecret } = shared(pair);
      expect(toHex(masterSecret!)).toBe(pair.client.secrets.get('CLIENT_RANDOM'));
      expect(client.key).not.toEqual(before);
      before = client.key;
      // Finished was the first.
      expect(client.sequenceNumber).toBe(1);
      pair.client.connection.send(Uint8Array.of(7));
      const bytes = pair.client.take();
      const opener = new Opener12(nodeCrypto.aead('aes-128-gcm', client.key)!, client.iv, 2 ** 14);
      opener.sequence = client.sequenceNumber;
      expect(opener.open({ type: bytes[0]!, bytes })?.content).toEqual(Uint8Array.of(7));
      pair.server.connection.receive(bytes);
    }
  });

  test('TLS 1.0 with CBC: MAC secrets, keys and IVs', () => {
    const pair = meet({ ...EXPOSED, ...OLD }, { ...EXPOSED, ...OLD, credentials: [pki.server('rsa')] });
    const { client, server } = shared(pair);
    expect([client.macSecret.length, client.key.length, client.iv.length]).toEqual([20, 16, 16]);
    expect(client.macSecret).not.toEqual(server.macSecret);
  });

  test('are copies: who spoils them does no harm', () => {
    const pair = meet();
    pair.client.connection.secrets!.client.trafficSecret!.fill(0);
    pair.client.connection.updateKeys();
    pair.client.connection.send(Uint8Array.of(1));
    expect(pair.pump().server.data).toEqual([Uint8Array.of(1)]);
  });
});

describe('nobody gets them', () => {
  test('who did not ask for them', () => {
    const pair = meet({}, { exposeSecrets: false });
    expect([pair.client.connection.secrets, pair.server.connection.secrets]).toEqual([undefined, undefined]);
  });

  test('before the handshake, or when the connection is over', () => {
    expect(
      clientEnd(clientConfig({ provider: nodeCrypto, verifyCertificate, ...EXPOSED })).connection.secrets,
    ).toBeUndefined();
    for (const maxVersion of ['TLSv1.3', 'TLSv1.2'] as const) {
      const pair = meet({ ...EXPOSED, maxVersion });
      pair.client.connection.abort();
      expect(pair.client.connection.secrets).toBeUndefined();
    }
  });

  test('by printing, as JSON, or by a spread', () => {
    const pair = meet();
    const { connection } = pair.client;
    const { secrets } = connection;
    const keys = [secrets!.client.key, secrets!.client.trafficSecret!].flatMap((key) => [
      toHex(key),
      [...key].join(','),
      [...key].join(', '),
    ]);
    const shown = [connection, secrets, secrets!.client, connection.info].flatMap((what) => [
      inspect(what, { depth: 20, showHidden: true }),
      JSON.stringify(what, (_key, value) => (typeof value === 'bigint' ? String(value) : value)),
      JSON.stringify({ ...(what as object) }, (_key, value) =>
        typeof value === 'bigint' ? String(value) : value,
      ),
      String(what),
    ]);
    for (const text of shown) for (const key of keys) expect(text ?? '').not.toContain(key);
  });
});

test('both sides know both random values', () => {
  for (const maxVersion of ['TLSv1.3', 'TLSv1.2'] as const) {
    const { client, server } = meet({ maxVersion });
    expect(client.info.randoms).toEqual(server.info.randoms);
    expect(client.info.randoms.client).toHaveLength(32);
    expect(client.info.randoms.client).not.toEqual(client.info.randoms.server);
  }
});
