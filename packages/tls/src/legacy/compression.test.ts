import { constants, createDeflate, deflateSync, inflateSync } from 'node:zlib';
import { bytesEqual, concat } from '@testudo/codec';
import { nodeCrypto } from '@testudo/crypto/node';
import { describe, expect, test } from 'vitest';
import { clientConfig } from '../config/client.ts';
import { serverConfig } from '../config/server.ts';
import { legacy } from '../legacy/index.ts';
import type { ClientOptions } from '../options/client.ts';
import type { ServerOptions } from '../options/server.ts';
import { TicketKeys } from '../sessions/ticket-keys.ts';
import { clientEnd, serverEnd } from '../testing/end.ts';
import { Pair, splitRecords } from '../testing/pair.ts';
import { TestPki } from '../testing/pki.ts';
import { outcomeOf } from '../testing/puppet.ts';
import { PuppetClient12, PuppetServer12 } from '../testing/puppet12.ts';
import type { VersionName } from '../versions.ts';
import { deflate } from './compression.ts';

const pki = new TestPki(nodeCrypto);
const verifyCertificate = pki.verifier();
const provider = nodeCrypto;

function meet(client: Partial<ClientOptions>, server: Partial<ServerOptions>, wire?: Pair['wire']): Pair {
  const credentials = [pki.server('rsa')];
  return new Pair(
    clientEnd(clientConfig({ provider, verifyCertificate, maxVersion: 'TLSv1.2', ...client })),
    serverEnd(serverConfig({ provider, credentials, maxVersion: 'TLSv1.2', ...server })),
    wire,
  ).pump();
}

const BOTH = { dangerousCompression: deflate } as const;
const zeros = new Uint8Array(16_384);

/** Bytes on the wire for this data. */
function cost(pair: Pair, data: Uint8Array): number {
  pair.client.connection.send(data);
  const bytes = pair.client.take();
  pair.server.connection.receive(bytes);
  return bytes.length;
}

describe('compression of records', () => {
  test.each([
    ['TLSv1.2', 'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256'],
    ['TLSv1.2', 'TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256'],
    ['TLSv1.1', 'TLS_RSA_WITH_AES_128_CBC_SHA'],
    ['TLSv1', 'TLS_RSA_WITH_AES_128_CBC_SHA'],
    ['TLSv1', 'TLS_RSA_WITH_RC4_128_SHA'],
    ['SSLv3', 'TLS_RSA_WITH_3DES_EDE_CBC_SHA'],
  ] as const)('%s, %s: what was sent arrives, of any length', (version, suite) => {
    const old = { legacy, minVersion: version as VersionName, maxVersion: version, cipherSuites: [suite] };
    for (const encryptThenMac of [true, false]) {
      const pair = meet({ ...old, ...BOTH, encryptThenMac }, { ...old, ...BOTH });
      expect([pair.client.errors, pair.server.errors]).toEqual([[], []]);
      for (const length of [0, 1, 2, 100, 16_383, 16_384, 16_385, 50_000]) {
        for (const fill of [zeros.slice(0, 0), provider.randomBytes(length)]) {
          const data = new Uint8Array(length);
          data.set(fill);
          for (const [from, to] of [
            [pair.client, pair.server],
            [pair.server, pair.client],
          ] as const) {
            to.data.length = 0;
            from.connection.send(data);
            pair.pump();
            expect(bytesEqual(concat(...to.data), data)).toBe(true);
          }
        }
      }
    }
  });

  test('makes repetitions short, also over records', () => {
    const pair = meet(BOTH, BOTH);
    const noise = provider.randomBytes(1000);
    expect(cost(pair, zeros)).toBeLessThan(200);
    expect(cost(pair, noise)).toBeGreaterThan(1000);
    expect(cost(pair, noise)).toBeLessThan(100);
  });

  test.each([
    ['nobody', {}, {}],
    ['the client alone', BOTH, {}],
    ['the server alone', {}, BOTH],
  ])('is not used when %s wants it', (_who, client, server) => {
    const pair = meet(client, server);
    expect([pair.client.errors, pair.server.errors]).toEqual([[], []]);
    expect(cost(pair, zeros)).toBeGreaterThan(16_384);
  });

  test('is offered by nobody who was not asked to', () => {
    const offered: number[][] = [];
    for (const options of [{}, { maxVersion: 'TLSv1.3' }, BOTH] as const) {
      const end = clientEnd(clientConfig({ provider, verifyCertificate, maxVersion: 'TLSv1.2', ...options }));
      end.connection.start();
      const hello = splitRecords(end.take())[0]!;
      const suites = 5 + 4 + 2 + 32 + 1 + hello[5 + 4 + 34]!;
      const methods = suites + 2 + ((hello[suites]! << 8) | hello[suites + 1]!);
      offered.push([...hello.subarray(methods + 1, methods + 1 + hello[methods]!)]);
    }
    expect(offered).toEqual([[0], [0], [1, 0]]);
  });

  test('does not go with TLS 1.3', () => {
    expect(() => clientConfig({ provider, verifyCertificate, ...BOTH })).toThrow(
      expect.objectContaining({ code: 'bad-option' }),
    );
  });

  test('such a session is not resumed', () => {
    const tickets = new TicketKeys(provider);
    expect(meet(BOTH, { ...BOTH, tickets }).client.sessions).toEqual([]);
    const plain = meet({}, { ...BOTH, tickets });
    const session = plain.client.sessions[0];
    const end = clientEnd(clientConfig({ provider, verifyCertificate, maxVersion: 'TLSv1.2', ...BOTH }), {
      session,
    });
    const credentials = [pki.server('rsa')];
    const server = serverEnd(
      serverConfig({ provider, credentials, tickets, ...BOTH, maxVersion: 'TLSv1.2' }),
    );
    const resumed = new Pair(end, server).pump();
    expect(resumed.client.info.resumed).toBe(true);
    expect(cost(resumed, zeros)).toBeGreaterThan(16_384);
  });

  test('a client takes no method that it did not offer', () => {
    for (const [options, method] of [
      [{}, 1],
      [BOTH, 2],
      [BOTH, 64],
    ] as const) {
      const end = clientEnd(clientConfig({ provider, verifyCertificate, maxVersion: 'TLSv1.2', ...options }));
      const puppet = new PuppetServer12(provider, end, pki.server());
      puppet.send(puppet.serverHello((hello) => Object.assign(hello, { legacyCompressionMethod: method })));
      expect(outcomeOf(puppet).codes).toEqual(['illegal-parameter']);
    }
  });

  test('a server that compresses still wants "none" among the methods', () => {
    const end = serverEnd(
      serverConfig({ provider, credentials: [pki.server()], maxVersion: 'TLSv1.2', ...BOTH }),
    );
    const puppet = new PuppetClient12(provider, end, pki.client());
    puppet.sendHello((hello) => Object.assign(hello, { legacyCompressionMethods: [1] }));
    expect(outcomeOf(puppet).codes).toEqual(['illegal-parameter']);
  });
});

describe('the DEFLATE stream', () => {
  const one = (bytes: Uint8Array) => deflate.decompressor()(bytes, 16_384);

  test('is what zlib reads and writes', async () => {
    const texts = ['one', '', 'two two two', 'one two', '\0'.repeat(5000)].map((text) => Buffer.from(text));
    const compress = deflate.compressor();
    // Cut off without an end, as records are.
    const options = { finishFlush: constants.Z_SYNC_FLUSH };
    const whole = Buffer.concat(texts);
    expect(inflateSync(Buffer.concat(texts.map(compress)), options).equals(whole)).toBe(true);

    const deflated = createDeflate({ flush: constants.Z_SYNC_FLUSH });
    const decompress = deflate.decompressor();
    for (const text of texts) {
      const flushed = new Promise<void>((resolve) => deflated.write(text, () => deflated.flush(resolve)));
      await flushed;
      const pieces: Buffer[] = [];
      for (let one = deflated.read(); one !== null; one = deflated.read()) pieces.push(one as Buffer);
      const piece = Buffer.concat(pieces);
      expect(text.equals(decompress(piece, 16_384)!)).toBe(true);
    }
  });

  test('up to 16,384 bytes come out, and no more', () => {
    expect(one(deflateSync(new Uint8Array(16_384)))?.length).toBe(16_384);
    expect(one(deflateSync(new Uint8Array(16_385)))).toBeUndefined();
  });

  test('a bomb is not unpacked', () => {
    const bomb = deflateSync(new Uint8Array(16 * 1024 * 1024));
    expect(bomb.length).toBeLessThan(17_000);
    expect(one(bomb)).toBeUndefined();
  });

  test.each([
    ['no zlib header', Uint8Array.of(1, 2, 3, 4)],
    ['a block of type 3', Uint8Array.of(0x78, 0x9c, 0x07)],
    ['a reference before the start', Uint8Array.of(0x78, 0x9c, 0x03, 0x22, 0x00)],
    ['bytes after the end', concat(deflateSync(Uint8Array.of(1)), Uint8Array.of(0))],
    ['a wrong checksum', deflateSync(Uint8Array.of(1)).fill(0, 5)],
  ])('%s is refused', (_what, bytes) => {
    expect(one(bytes)).toBeUndefined();
  });

  test('random bytes never come out as more than may, nor as another error', () => {
    for (let i = 0; i < 500; i++) {
      const noise = provider.randomBytes(200);
      noise.set([0x78, 0x9c]);
      expect(one(noise)?.length ?? 0).toBeLessThanOrEqual(16_384);
    }
  });

  test('a connection whose peer sends a bomb ends with decompression_failure', () => {
    const bad = { ...deflate, compressor: () => () => deflateSync(new Uint8Array(1_000_000)) };
    const pair = meet(BOTH, BOTH);
    expect(pair.client.errors).toEqual([]);
    const attack = meet({ dangerousCompression: afterHandshake(bad.compressor()) }, BOTH);
    attack.client.connection.send(Uint8Array.of(1));
    attack.pump();
    expect(attack.server.errors.map((error) => [error.code, error.alert])).toEqual([
      ['decompression-failure', 'decompression_failure'],
    ]);
    expect(attack.server.data).toEqual([]);
  });
});

/** Compresses Finished as it should be, and what comes then in its own way. */
function afterHandshake(compress: (content: Uint8Array) => Uint8Array): typeof deflate {
  return {
    ...deflate,
    compressor: () => {
      const honest = deflate.compressor();
      let count = 0;
      return (content) => (count++ === 0 ? honest(content) : compress(content));
    },
  };
}
