import { concat, utf8 } from '@testudo/codec';
import { nodeCrypto } from '@testudo/crypto/node';
import { describe, expect, test } from 'vitest';
import { clientConfig } from '../config/client.ts';
import { serverConfig } from '../config/server.ts';
import type { ClientOptions } from '../options/client.ts';
import type { ServerOptions } from '../options/server.ts';
import { TicketKeys } from '../sessions/ticket-keys.ts';
import { clientEnd, serverEnd, type TestEnd } from '../testing/end.ts';
import { byteByByte, Pair, type Side, splitRecords, type Wire } from '../testing/pair.ts';
import { TestPki } from '../testing/pki.ts';

const pki = new TestPki(nodeCrypto);
const verifyCertificate = pki.verifier();
const tickets = new TicketKeys(nodeCrypto);

function pairOf(client: Partial<ClientOptions> = {}, server: Partial<ServerOptions> = {}, wire?: Wire): Pair {
  return new Pair(
    clientEnd(clientConfig({ provider: nodeCrypto, verifyCertificate, ...client })),
    serverEnd(serverConfig({ provider: nodeCrypto, credentials: [pki.server()], tickets, ...server })),
    wire,
  );
}

const open = (...args: Parameters<typeof pairOf>) => pairOf(...args).pump();
const both = ({ client, server }: Pair): readonly (readonly [TestEnd, TestEnd])[] => [
  [client, server],
  [server, client],
];

describe.each(['TLSv1.3', 'TLSv1.2'] as const)('%s', (maxVersion) => {
  const client = { maxVersion } as const;
  const mutual = { clientCertificate: 'require', verifyCertificate } as const;
  const credentials = [pki.client()];

  test('works byte by byte', () => {
    const pair = open({ ...client, credentials }, mutual, byteByByte);
    pair.client.connection.send(utf8('hello'));
    expect(pair.pump().server.text).toBe('hello');
    expect(pair.client.errors.concat(pair.server.errors)).toEqual([]);
  });

  test.each(['client', 'server'] as const)(
    'works with the flights of the %s cut in two at any place',
    (from) => {
      const flight = { client: 0, server: 0 };
      open({ ...client, credentials }, mutual, (bytes, side) => {
        flight[side] = Math.max(flight[side], bytes.length);
        return [bytes];
      });
      for (let at = 1; at < flight[from]; at++) {
        const cut: Wire = (bytes, side) =>
          side === from && at < bytes.length ? [bytes.subarray(0, at), bytes.subarray(at)] : [bytes];
        const pair = open({ ...client, credentials }, mutual, cut);
        if (pair.client.secured.length + pair.server.secured.length !== 2) expect.fail(`cut at ${at}`);
      }
    },
  );

  test('works with the whole connection in pieces of any size', () => {
    for (let size = 2; size < 40; size++) {
      const pieces: Wire = (bytes) =>
        Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
          bytes.subarray(i * size, (i + 1) * size),
        );
      const pair = open(client, {}, pieces);
      pair.server.connection.send(utf8('some data'));
      expect(pair.pump().client.text).toBe('some data');
    }
  });

  test('sends no record with more plaintext than it was told', () => {
    const pair = open({ ...client, maxFragmentLength: 100 }, { maxFragmentLength: 64 });
    for (const [from, to] of both(pair)) {
      from.connection.send(new Uint8Array(1000).fill(3));
      const records = splitRecords(from.take());
      expect(records).toHaveLength(Math.ceil(1000 / (from === pair.client ? 100 : 64)));
      expect(Math.max(...records.map(({ length }) => length))).toBeLessThanOrEqual(100 + 5 + 1 + 8 + 16);
      for (const record of records) to.connection.receive(record);
      expect(concat(...to.data)).toEqual(new Uint8Array(1000).fill(3));
    }
  });

  test('carries a megabyte both ways', () => {
    const pair = open(client);
    const data = nodeCrypto.randomBytes(1_000_000);
    for (const [from, to] of both(pair)) {
      from.connection.send(data);
      pair.pump();
      expect(Buffer.compare(concat(...to.data), data)).toBe(0);
    }
  });

  test('an empty send sends nothing', () => {
    const { client: end } = open(client);
    end.connection.send(new Uint8Array(0));
    expect(end.take()).toHaveLength(0);
  });

  test('ends properly both ways', () => {
    for (const first of ['client', 'server'] as const) {
      const pair = open(client);
      pair[first].connection.close();
      pair.pump();
      const other = pair[first === 'client' ? 'server' : 'client'];
      expect(other.ended).toBe(1);
      other.connection.close();
      pair.pump();
      for (const end of [pair.client, pair.server]) {
        expect(end.connection.state).toBe('closed');
        end.connection.receiveEnd();
        expect(end.errors).toEqual([]);
        expect(() => end.connection.send(Uint8Array.of(1))).toThrow(
          expect.objectContaining({ code: 'not-connected' }),
        );
        expect(end.take()).toHaveLength(0);
      }
    }
  });

  test('the end of the transport is no end of the data', () => {
    for (const [end] of both(open(client))) {
      end.connection.receiveEnd();
      expect(end.errors.map(({ code }) => code)).toEqual(['truncated']);
      expect(end.ended).toBe(0);
      expect(end.take()).toHaveLength(0);
    }
  });

  test('sends nothing before it is secure', () => {
    const { client: end } = pairOf(client);
    expect(() => end.connection.send(Uint8Array.of(1))).toThrow(
      expect.objectContaining({ code: 'not-connected' }),
    );
    expect(() => end.connection.exportKeyingMaterial(16, 'x')).toThrow(
      expect.objectContaining({ code: 'not-connected' }),
    );
    expect(() => end.connection.updateKeys()).toThrow(expect.objectContaining({ code: 'not-connected' }));
    expect(end.connection.info).toBeUndefined();
  });

  test('an open connection that is given up says nothing that could be taken for a clean end', () => {
    const pair = open(client);
    pair.client.connection.abort();
    pair.client.connection.abort();
    expect(pair.client.connection.takeOutgoing()).toBeUndefined();
    expect(pair.client.errors.map(({ code }) => code)).toEqual(['aborted']);
    pair.server.connection.receiveEnd();
    expect(pair.server.errors.map(({ code }) => code)).toEqual(['truncated']);
  });

  test('closing in the middle of the handshake is no success for the peer', () => {
    const pair = pairOf(client);
    pair.client.connection.close();
    pair.pump();
    expect(pair.server.errors.map(({ code }) => code)).toEqual(['truncated']);
    expect(pair.server.secured).toEqual([]);
  });

  test('exporters depend on label, context and length', () => {
    const pair = open(client);
    const exported = (end: TestEnd, ...args: [number, string, Uint8Array?]) =>
      String(end.connection.exportKeyingMaterial(...args));
    const variants: [number, string, Uint8Array?][] = [
      [32, 'EXPERIMENTAL a'],
      [32, 'EXPERIMENTAL b'],
      [32, 'EXPERIMENTAL a', Uint8Array.of(0)],
      [33, 'EXPERIMENTAL a'],
      [200, 'EXPERIMENTAL a'],
    ];
    for (const variant of variants)
      expect(exported(pair.client, ...variant)).toBe(exported(pair.server, ...variant));
    expect(
      new Set(variants.map((variant) => exported(pair.client, ...variant).slice(0, 60))).size,
    ).toBeGreaterThanOrEqual(3);
    // RFC 9846 §7.5: an empty context is none; RFC 5705 §4: it is another.
    const same = exported(pair.client, 32, 'x') === exported(pair.client, 32, 'x', new Uint8Array(0));
    expect(same).toBe(maxVersion === 'TLSv1.3');
  });

  test('an owner that throws gets its own error back', () => {
    const pair = open(client);
    pair.server.data.push = () => {
      throw new Error('the owner is broken');
    };
    pair.client.connection.send(Uint8Array.of(1));
    expect(() => pair.pump()).toThrow('the owner is broken');
    expect(pair.server.errors).toEqual([]);
  });
});

describe('TLS 1.3', () => {
  test('one side may close and still be sent to', () => {
    for (const [from, to] of both(open())) {
      const pair = { from, to };
      pair.from.connection.close();
      pair.to.connection.receive(pair.from.take());
      expect(pair.to.ended).toBe(1);
      pair.to.connection.send(utf8('still here'));
      pair.from.connection.receive(pair.to.take());
      expect(pair.from.text).toBe('still here');
      expect(pair.from.connection.state).toBe('open');
      break;
    }
  });

  test('padding hides lengths', () => {
    const pad = (length: number) => (512 - (length % 512)) % 512;
    const pair = open({ padding: pad }, { padding: () => 1_000_000 });
    for (const length of [1, 100, 511, 512]) {
      pair.client.connection.send(new Uint8Array(length).fill(1));
      const bytes = pair.client.take();
      expect(bytes).toHaveLength(5 + 512 + 1 + 16);
      pair.server.connection.receive(bytes);
      expect(pair.server.data.at(-1)).toHaveLength(length);
    }
    pair.server.connection.send(Uint8Array.of(1));
    expect(pair.server.take()).toHaveLength(5 + 16_384 + 1 + 16);
  });

  test('keys are replaced, by either side and by both at once', () => {
    const pair = open();
    for (const requestPeer of [true, false]) {
      for (const [from] of both(pair)) {
        from.connection.updateKeys({ requestPeer });
        pair.pump();
      }
    }
    pair.client.connection.updateKeys({ requestPeer: true });
    pair.server.connection.updateKeys({ requestPeer: true });
    pair.pump();
    for (const [from, to] of both(pair)) {
      from.connection.send(utf8('after'));
      pair.pump();
      expect(to.text).toBe('after');
    }
    // Three of its own, and an answer to the other's last: requests before that were answered by what followed.
    expect(pair.client.log).toContain('keys sent application 4');
    expect(pair.client.log).toContain('keys received application 4');
    expect(pair.client.errors.concat(pair.server.errors)).toEqual([]);
  });

  test('keys are replaced by themselves after keyUpdateAfter records', () => {
    const pair = open({ keyUpdateAfter: 100 });
    for (let i = 0; i < 300; i++) {
      pair.client.connection.send(Uint8Array.of(i));
      pair.pump();
    }
    expect(concat(...pair.server.data)).toEqual(Uint8Array.from({ length: 300 }, (_, i) => i));
    const updates = pair.client.log.filter((line) => line === 'sent key_update').length;
    expect(updates).toBeGreaterThanOrEqual(2);
    expect(pair.server.log.filter((line) => line === 'received key_update')).toHaveLength(updates);
  });

  test('keys are replaced inside one long send', () => {
    const pair = open({ keyUpdateAfter: 100, maxFragmentLength: 64 });
    pair.client.connection.send(new Uint8Array(64 * 500).fill(9));
    pair.pump();
    expect(concat(...pair.server.data)).toEqual(new Uint8Array(64 * 500).fill(9));
    expect(pair.client.errors.concat(pair.server.errors)).toEqual([]);
  });

  test('a keyUpdateAfter of one record still carries data', () => {
    const pair = open({ keyUpdateAfter: 1 });
    const { connection } = pair.client;
    connection.send(utf8('a'));
    expect(pair.pump().server.text + pair.client.connection.state).toMatch(/^a?(open|failed)$/);
    expect(pair.server.errors.every(({ reason }) => reason === 'AlertReceived')).toBe(true);
  });

  test('ChangeCipherSpec stands before what it hides', () => {
    const { client, server } = open();
    const after = (log: readonly string[], line: string) => log[log.indexOf(line) + 1];
    expect(after(server.log, 'sent server_hello')).toBe('sent ccs');
    expect(client.log.indexOf('sent ccs')).toBeLessThan(client.log.indexOf('sent finished'));
    expect(client.log.filter((line) => line === 'sent ccs')).toHaveLength(1);
    expect(server.log.filter((line) => line === 'sent ccs')).toHaveLength(1);
  });

  test('a client protects the alert with which it refuses the server', () => {
    const sent: number[][] = [];
    const types = (bytes: Uint8Array): number[] =>
      bytes.length === 0 ? [] : [bytes[0]!, ...types(bytes.subarray(5 + (bytes[3]! << 8) + bytes[4]!))];
    const pair = open({ verifyCertificate: () => ({ accepted: false }) }, {}, (bytes, from) => {
      if (from === 'client') sent.push(types(bytes));
      return [bytes];
    });
    const [handshake, changeCipherSpec, applicationData] = [22, 20, 23];
    expect(sent).toEqual([[handshake], [changeCipherSpec, applicationData]]);
    expect(pair.server.errors.map(({ receivedAlert }) => receivedAlert)).toEqual(['certificate_unknown']);
  });

  test('after a retry ChangeCipherSpec is sent once, before the second hello', () => {
    const { client, server } = open({}, { groups: ['secp384r1'] });
    expect(client.log.filter((line) => line === 'sent ccs')).toHaveLength(1);
    expect(server.log.filter((line) => line === 'sent ccs')).toHaveLength(1);
    const hello = client.log.lastIndexOf('sent client_hello');
    expect(client.log.indexOf('sent ccs')).toBeLessThan(hello);
    expect(server.log.indexOf('sent ccs')).toBeLessThan(server.log.indexOf('sent encrypted_extensions'));
  });

  test('the key log has the labels of RFC 9850, the same on both sides', () => {
    const { client, server } = open();
    expect([...client.secrets.keys()].sort()).toEqual([
      'CLIENT_HANDSHAKE_TRAFFIC_SECRET',
      'CLIENT_TRAFFIC_SECRET_0',
      'EXPORTER_SECRET',
      'SERVER_HANDSHAKE_TRAFFIC_SECRET',
      'SERVER_TRAFFIC_SECRET_0',
    ]);
    expect(server.secrets).toEqual(client.secrets);
  });
});

test('the key log of TLS 1.2 has the master secret', () => {
  const { client, server } = open({ maxVersion: 'TLSv1.2' });
  expect([...client.secrets.keys()]).toEqual(['CLIENT_RANDOM']);
  expect(client.secrets.get('CLIENT_RANDOM')).toHaveLength(96);
  expect(server.secrets).toEqual(client.secrets);
});

test('handshake messages may be spread over records of one byte', () => {
  // Only what is not protected can be cut by a third party: the hellos, and TLS 1.2 up to the key exchange.
  const spread: Wire = (bytes) =>
    splitRecords(bytes).flatMap((record) =>
      record[0] === 22 && record[5] !== undefined && record[5] <= 16 && record.length > 9
        ? Array.from(record.subarray(5), (byte) => Uint8Array.of(22, 3, 3, 0, 1, byte))
        : [record],
    );
  const hellosOnly =
    (limit: { client: number; server: number }): Wire =>
    (bytes, from: Side) =>
      limit[from]-- > 0
        ? spread(bytes.subarray(0, splitRecords(bytes)[0]!.length), from).concat(
            bytes.subarray(splitRecords(bytes)[0]!.length),
          )
        : [bytes];
  for (const maxVersion of ['TLSv1.3', 'TLSv1.2'] as const) {
    const pair = open({ maxVersion }, {}, hellosOnly({ client: 1, server: 1 }));
    expect(pair.client.errors.concat(pair.server.errors)).toEqual([]);
    expect([pair.client.secured.length, pair.server.secured.length]).toEqual([1, 1]);
  }
});

test.each(['TLSv1.3', 'TLSv1.2'] as const)(
  'a handshake that is given up ends at the peer at once, %s',
  (maxVersion) => {
    const pair = pairOf({ maxVersion });
    pair.carry('client');
    pair.server.connection.abort();
    pair.pump();
    expect(pair.client.log.filter((line) => line.startsWith('alert received'))).toEqual([
      'alert received warning user_canceled',
      'alert received warning close_notify',
    ]);
    // A server of 1.3 says its Finished in its first flight: for the client that is a connection that ended.
    const isDone = maxVersion === 'TLSv1.3';
    expect(pair.client.errors.map(({ code }) => code)).toEqual(isDone ? [] : ['truncated']);
    expect(pair.client.ended).toBe(isDone ? 1 : 0);
  },
);
