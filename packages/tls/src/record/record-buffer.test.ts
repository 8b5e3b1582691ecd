import { concat } from '@testudo/codec';
import { expect, test } from 'vitest';
import { RecordBuffer } from './record-buffer.ts';

/** Handshake records whose contents differ in length and bytes. */
const LENGTHS = [1, 16_384, 5, 300, 16_384, 2, 1000, 16_384];
const RECORDS = LENGTHS.map((length, i) => {
  const record = new Uint8Array(5 + length).fill(i + 1);
  record.set([22, 3, 3, length >> 8, length & 0xff]);
  return record;
});
const STREAM = concat(...RECORDS);

function taken(buffer: RecordBuffer): Uint8Array[] {
  const records: Uint8Array[] = [];
  for (let record = buffer.next(); record !== undefined; record = buffer.next()) {
    records.push(record.bytes.slice());
  }
  return records;
}

test.each([1, 2, 3, 4, 5, 6, 7, 305, 4096, 16_389, 16_390, 40_000, 65_536])(
  'records come out whole and in order, fed %i bytes at a time',
  (step) => {
    const buffer = new RecordBuffer();
    const records: Uint8Array[] = [];
    for (let at = 0; at < STREAM.length; at += step) {
      buffer.push(STREAM.subarray(at, at + step));
      records.push(...taken(buffer));
    }
    expect(records).toEqual(RECORDS);
    expect(buffer.buffered).toBe(0);
  },
);

test('records come out whole when all chunks were fed before the first was asked for', () => {
  const buffer = new RecordBuffer();
  for (let at = 0; at < STREAM.length; at += 777) buffer.push(STREAM.subarray(at, at + 777));
  expect(buffer.buffered).toBe(STREAM.length);
  expect(taken(buffer)).toEqual(RECORDS);
  expect(buffer.buffered).toBe(0);
});

test('a header that straddles chunks keeps its place before what comes later', () => {
  const buffer = new RecordBuffer();
  // The record ends in the second chunk, of which three bytes of the next header are left over.
  const cut = RECORDS[0]!.length + 100;
  buffer.push(STREAM.subarray(0, cut));
  const end = RECORDS[0]!.length + RECORDS[1]!.length + 3;
  buffer.push(STREAM.subarray(cut, end));
  expect(taken(buffer)).toEqual(RECORDS.slice(0, 2));
  expect(buffer.buffered).toBe(3);
  buffer.push(STREAM.subarray(end));
  expect(taken(buffer)).toEqual(RECORDS.slice(2));
});

test('a record that lies whole in a chunk is a view on it, also behind one that straddled', () => {
  const buffer = new RecordBuffer();
  const chunk = STREAM.slice(10);
  buffer.push(STREAM.subarray(0, 10));
  buffer.push(chunk);
  buffer.next();
  expect(buffer.next()!.bytes.buffer).not.toBe(chunk.buffer);
  expect(buffer.next()!.bytes.buffer).toBe(chunk.buffer);
});

test('half a record is none', () => {
  const buffer = new RecordBuffer();
  buffer.push(STREAM.subarray(0, 5));
  expect(buffer.next()).toBeUndefined();
  expect(buffer.buffered).toBe(5);
});
