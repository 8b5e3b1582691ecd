import { cipherSuiteByName } from '@testudo/tls';
import { legacy } from '@testudo/tls/legacy';
import { describe, expect, test } from 'vitest';
import { type Handshake, protectionOf, rules12 } from '#tls/testing';
import { meet, provider } from './support.ts';

// SWEET32 (CVE-2016-2183): two blocks of 64 bits that collide tell the XOR of their plaintexts. The attack needs some 2^32
// blocks under one key; what is measured here is how many anyone gets.

const BLOCK = 8;
const MEGABYTE = new Uint8Array(2 ** 20);
const TRIPLE_DES = 'TLS_RSA_WITH_3DES_EDE_CBC_SHA';

describe('with 3DES', () => {
  const options = { legacy, maxVersion: 'TLSv1.2', cipherSuites: [TRIPLE_DES] } as const;

  test('we send less than 2^20 blocks under one key, then give up with an alert', () => {
    const pair = meet(options, options);
    let blocks = 0;
    let sent = 0;
    const carry = () => {
      const bytes = pair.client.take();
      blocks += bytes.length / BLOCK;
      pair.server.connection.receive(bytes);
    };
    expect(() => {
      for (; sent < 64; sent++) {
        pair.client.connection.send(MEGABYTE);
        carry();
      }
    }).toThrow(expect.objectContaining({ code: 'not-connected' }));
    carry();
    expect(sent).toBeGreaterThanOrEqual(7);
    expect(blocks).toBeLessThan(2 ** 20);
    expect(pair.client.errors.map(({ code }) => code)).toEqual(['key-limit-reached']);
    expect(pair.server.errors.map(({ receivedAlert }) => receivedAlert)).toEqual(['internal_error']);
    const arrived = pair.server.data.reduce((sum, { length }) => sum + length, 0);
    expect(arrived).toBe(7 * MEGABYTE.length);
  });

  test.each(['client', 'server'] as const)('a %s that may renegotiates before that, and goes on', (who) => {
    const may = { ...options, renegotiation: { limit: 20 } };
    const pair = meet(may, may);
    const [from, to] = who === 'client' ? [pair.client, pair.server] : [pair.server, pair.client];
    for (let sent = 0; sent < 12; sent++) {
      from.connection.send(MEGABYTE);
      pair.pump();
    }
    expect([pair.client.errors, pair.server.errors]).toEqual([[], []]);
    expect(to.data.reduce((sum, { length }) => sum + length, 0)).toBe(12 * MEGABYTE.length);
    expect(from.changes.length).toBeGreaterThanOrEqual(2);
    expect(from.changes.length).toBeLessThanOrEqual(4);
  });

  test('small records count as what they are', () => {
    const pair = meet(options, options);
    for (let i = 0; i < 40_000; i++) pair.client.connection.send(MEGABYTE.subarray(0, 1));
    expect(pair.client.errors).toEqual([]);
  });

  test.each([true, false])(
    'we take 2^23 blocks of a peer that does not stop (encrypt-then-MAC: %s)',
    (encryptThenMac) => {
      // It is not the cipher that is tested: one that does nothing is faster.
      const nothing = { ...provider, cipher: () => ({ update: (data: Uint8Array) => data.slice() }) };
      Object.setPrototypeOf(nothing, provider);
      const terms = {
        rules: rules12,
        suite: cipherSuiteByName(TRIPLE_DES)!,
        randoms: { client: new Uint8Array(32), server: new Uint8Array(32) },
        extended: true,
        encryptThenMac,
      };
      const protection = protectionOf(
        { provider: nothing, config: { legacy } } as unknown as Handshake,
        terms,
      );
      const keys = { mac: new Uint8Array(20), key: new Uint8Array(24), iv: new Uint8Array(0) };
      const opener = protection.opener(keys);
      let sealer = protection.sealer(keys);
      const record = new Uint8Array(sealer.sealedLength(16_384));
      const take = (): void => {
        if (sealer.limit <= sealer.sequence) {
          // A peer that goes on with the same key, and its sequence number.
          const next = protection.sealer(keys);
          Object.assign(next, { sequence: sealer.sequence });
          sealer = next;
        }
        const length = sealer.seal(23, MEGABYTE.subarray(0, 16_384), 0, record, 0);
        expect(opener.open({ type: 23, bytes: record.slice(0, length) })).toBeDefined();
      };
      // 2^23 blocks are 4,096 records of 16 KiB, and a little less with their MACs.
      for (let i = 0; i < 4070; i++) take();
      expect(() => {
        for (let i = 0; i < 26; i++) take();
      }).toThrow(expect.objectContaining({ code: 'key-limit-reached' }));
    },
  );
});

test('with AES nobody comes near a limit', () => {
  const options = { maxVersion: 'TLSv1.2', cipherSuites: ['TLS_RSA_WITH_AES_128_CBC_SHA'] } as const;
  const pair = meet(options, options);
  for (let i = 0; i < 12; i++) {
    pair.client.connection.send(MEGABYTE);
    pair.server.connection.receive(pair.client.take());
  }
  expect([...pair.client.errors, ...pair.server.errors]).toEqual([]);
});
