import { isIP } from 'node:net';
import { toHex } from '@testudo/codec';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatIpAddress, parseIpAddress } from './ip-address.ts';

test.each([
  ['192.0.2.1', 'c0000201'],
  ['::', '00'.repeat(16)],
  ['::1', `${'00'.repeat(15)}01`],
  ['2001:db8::1', '20010db8000000000000000000000001'],
  ['2001:DB8:0:0:8:800:200C:417A', '20010db80000000000080800200c417a'],
  ['::ffff:192.0.2.1', '00000000000000000000ffffc0000201'],
  ['64:ff9b::192.0.2.33', '0064ff9b0000000000000000c0000221'],
  ['[2001:db8::1]', '20010db8000000000000000000000001'],
  ['fe80::1%eth0', 'fe800000000000000000000000000001'],
])('%s is an address', (text, hex) => {
  expect(toHex(parseIpAddress(text)!)).toBe(hex);
});

test.each([
  '',
  'example.com',
  '1.2.3',
  '1.2.3.4.5',
  '256.0.0.1',
  '01.2.3.4',
  '0x1.2.3.4',
  '1.2.3.4 ',
  ':',
  ':::',
  '1::2::3',
  '12345::',
  '1:2:3:4:5:6:7',
  '1:2:3:4:5:6:7:8:9',
  '1:2:3:4:5:6:7::8',
  '1.2.3.4::',
  '::1.2.3',
  'g::1',
])('"%s" is none', (text) => {
  expect(parseIpAddress(text)).toBeUndefined();
});

// RFC 5952 §4
test.each([
  ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
  ['2001:0db8::0001', '2001:db8::1'],
  ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
  ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
  ['::', '::'],
  ['1::', '1::'],
])('%s is written as %s', (text, canonical) => {
  expect(formatIpAddress(parseIpAddress(text)!)).toBe(canonical);
});

test('what is written is read back, and Node agrees that it is an address', () => {
  const length = fc.constantFrom(4, 16);
  const address = length.chain((n) =>
    fc.array(fc.oneof(fc.constant(0), fc.nat(255)), { minLength: n, maxLength: n }),
  );
  fc.assert(
    fc.property(address, (bytes) => {
      const text = formatIpAddress(Uint8Array.from(bytes));
      expect(isIP(text)).toBe(bytes.length === 4 ? 4 : 6);
      expect(parseIpAddress(text)).toEqual(Uint8Array.from(bytes));
    }),
  );
});
