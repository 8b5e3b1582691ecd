import { concat, utf8 } from '@testudo/codec';
import { describe, expect, test } from 'vitest';
import { type Pair, splitRecords } from '#tls/testing';
import { meet } from './support.ts';

// Who sits on the wire holds records back, repeats them, mixes them, and cuts the connection off. The receiver may get the first
// part of what was sent, and must then see that something is wrong.

const SUITES = [
  ['TLSv1.3', 'TLS_AES_128_GCM_SHA256'],
  ['TLSv1.3', 'TLS_CHACHA20_POLY1305_SHA256'],
  ['TLSv1.2', 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256'],
  ['TLSv1.2', 'TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256'],
  ['TLSv1.2', 'TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256'],
] as const;

describe.each(SUITES)('%s, %s', (version, suite) => {
  const open = (): Pair => {
    const options = { minVersion: version, maxVersion: version, cipherSuites: [suite] } as const;
    const pair = meet(options, options);
    expect([pair.client.errors, pair.server.errors]).toEqual([[], []]);
    return pair;
  };
  /** Three records of a client that were not delivered. */
  const three = (pair: Pair, texts = ['one', 'two', 'three']): Uint8Array[] => {
    for (const text of texts) pair.client.connection.send(utf8(text));
    const records = splitRecords(pair.client.take());
    expect(records.length).toBe(texts.length);
    return records;
  };
  const deliver = ({ server }: Pair, ...records: readonly Uint8Array[]): void => {
    for (const record of records) server.connection.receive(record);
  };
  const expectRefused = ({ server }: Pair, text: string): void => {
    expect(server.text).toBe(text);
    expect(server.errors.map(({ code }) => code)).toEqual(['bad-record-mac']);
    // Nothing that comes later is taken.
    expect(server.connection.state).toBe('failed');
  };

  test('as it was sent, all arrives', () => {
    const pair = open();
    deliver(pair, ...three(pair));
    expect(pair.server.text).toBe('onetwothree');
  });

  test('replay', () => {
    const pair = open();
    const [one] = three(pair);
    deliver(pair, one!, one!);
    expectRefused(pair, 'one');
  });

  test('reordering', () => {
    const pair = open();
    const [one, two] = three(pair);
    deliver(pair, two!, one!);
    expectRefused(pair, '');
  });

  test('a record that is missing', () => {
    const pair = open();
    const [one, , third] = three(pair);
    deliver(pair, one!, third!);
    expectRefused(pair, 'one');
  });

  test('a record of another connection', () => {
    const [pair, other] = [open(), open()];
    const [one] = three(pair);
    const [, foreign] = three(other);
    deliver(pair, one!, foreign!);
    expectRefused(pair, 'one');
  });

  test('reflection: what the server sent comes back to it', () => {
    const pair = open();
    pair.server.connection.send(utf8('to the client'));
    deliver(pair, pair.server.take());
    expectRefused(pair, '');
  });

  test('splicing: two halves make no whole', () => {
    const pair = open();
    const [one, two] = three(pair, ['a text that is long enough', 'another one of that length']);
    const half = one!.length >> 1;
    deliver(pair, concat(one!.subarray(0, half), two!.subarray(half)));
    expectRefused(pair, '');
  });

  test('a record cut in two records', () => {
    const pair = open();
    const [one] = three(pair, ['a text that is long enough to be cut in two parts of a block']);
    const body = one!.subarray(5);
    const half = body.length >> 1;
    const part = (bytes: Uint8Array) =>
      concat(one!.subarray(0, 3), Uint8Array.of(bytes.length >> 8, bytes.length), bytes);
    deliver(pair, part(body.subarray(0, half)), part(body.subarray(half)));
    expectRefused(pair, '');
  });

  test('another content type in the header', () => {
    const pair = open();
    const [one] = three(pair);
    one![0] = 22;
    deliver(pair, one!);
    expect(pair.server.text).toBe('');
    expect(pair.server.errors.map(({ code }) => code)).toEqual([
      version === 'TLSv1.3' ? 'unexpected-message' : 'bad-record-mac',
    ]);
  });

  test('a record inserted by somebody without keys', () => {
    const pair = open();
    deliver(pair, concat(Uint8Array.of(23, 3, 3, 0, 64), new Uint8Array(64)));
    expectRefused(pair, '');
  });

  test('truncation: the end of the transport is not the end of the data', () => {
    const pair = open();
    const [one] = three(pair);
    deliver(pair, one!);
    pair.server.connection.receiveEnd();
    expect(pair.server.ended).toBe(0);
    expect(pair.server.errors.map(({ code }) => code)).toEqual(['truncated']);
  });

  test('truncation in the middle of a record', () => {
    const pair = open();
    const [one, two] = three(pair);
    deliver(pair, one!, two!.subarray(0, -1));
    pair.server.connection.receiveEnd();
    expect(pair.server.text).toBe('one');
    expect(pair.server.errors.map(({ code }) => code)).toEqual(['truncated']);
  });

  test('a close_notify that was held back, and comes where data is missing', () => {
    const pair = open();
    const [one] = three(pair);
    pair.client.connection.close();
    deliver(pair, one!, pair.client.take());
    expectRefused(pair, 'one');
    expect(pair.server.ended).toBe(0);
  });

  test('a close_notify in the clear', () => {
    const pair = open();
    deliver(pair, Uint8Array.of(21, 3, 3, 0, 2, 1, 0));
    expect(pair.server.ended).toBe(0);
    expect(pair.server.errors.length).toBe(1);
  });

  test('data behind close_notify is not taken', () => {
    const pair = open();
    const [one] = three(pair);
    pair.client.connection.close();
    const rest = pair.client.take();
    const again = open();
    const [first] = three(again, ['one']);
    again.client.connection.close();
    deliver(again, first!, again.client.take(), one!, rest);
    expect(again.server.text).toBe('one');
    expect([again.server.ended, again.server.errors]).toEqual([1, []]);
  });
});
