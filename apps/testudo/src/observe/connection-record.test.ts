import { expect, test } from 'vitest';
import { messageReports, messageTitle } from '../report/connection-report.ts';
import { ConnectionRecord } from './connection-record.ts';

function clock(): { now: () => number; tick: (by: number) => void } {
  let time = 1000;
  return {
    now: () => time,
    tick: (by) => {
      time += by;
    },
  };
}

const message = (type: number, length = 4) => ({ type, raw: new Uint8Array(length) });

test('messages are recorded with their size, time and whether they were encrypted', () => {
  const { now, tick } = clock();
  const record = new ConnectionRecord({ now });
  tick(5);
  record.message('received', message(1, 200));
  tick(2);
  record.message('sent', message(2, 100));
  record.keys('sent', 'handshake');
  record.changeCipherSpec('sent');
  record.message('sent', message(8));
  record.message('received', message(20));
  record.alert('received', 'warning', 'close_notify');
  expect(
    messageReports(record, 'server').map(({ from, name, size, time, encrypted }) => [
      from,
      name,
      size,
      time,
      encrypted,
    ]),
  ).toEqual([
    ['client', 'client_hello', 200, 5, false],
    ['server', 'server_hello', 100, 7, false],
    ['server', 'change_cipher_spec', 1, 7, false],
    ['server', 'encrypted_extensions', 4, 7, true],
    ['client', 'finished', 4, 7, false],
    ['client', 'warning close_notify', 2, 7, false],
  ]);
  expect(messageReports(record, 'client')[0]!.from).toBe('server');
});

test('a peer cannot make it grow without end', () => {
  const record = new ConnectionRecord();
  for (let i = 0; i < 10_000; i++) record.message('received', message(24));
  expect(record.events.length).toBe(64);
  expect(record.omitted).toBe(10_000 - 64);
});

test('records and bytes are counted each way', () => {
  const record = new ConnectionRecord();
  record.record('sent', 22, 10, 15);
  record.record('sent', 23, 10, 32);
  record.record('received', 21, 2, 7);
  expect([record.sent, record.received]).toEqual([
    { records: 2, bytes: 47 },
    { records: 1, bytes: 7 },
  ]);
});

test('bytes are kept only where they are asked for, and as copies', () => {
  const raw = Uint8Array.of(1, 0, 0, 0);
  const record = new ConnectionRecord({ keepBytes: true });
  record.message('sent', { type: 1, raw });
  raw[0] = 9;
  expect(record.events[0]!.message!.raw[0]).toBe(1);
  const other = new ConnectionRecord();
  other.message('sent', { type: 1, raw });
  expect(other.events[0]!.message).toBeUndefined();
});

test('messages have the names of the RFCs', () => {
  expect(messageTitle({ kind: 'message', name: 'client_hello' })).toBe('ClientHello');
  expect(messageTitle({ kind: 'message', name: 'unknown(99)' })).toBe('unknown(99)');
  expect(messageTitle({ kind: 'alert', name: 'fatal unknown_ca' })).toBe('Alert: fatal unknown_ca');
});
