import { describe, expect, test } from 'vitest';
import { readProtocols } from './alpn.ts';

describe('ALPNProtocols', () => {
  test('an array of names, as text or bytes', () => {
    expect(readProtocols(['h2', Buffer.from('http/1.1')])).toEqual(['h2', 'http/1.1']);
    expect(readProtocols(['\u00e9'])).toEqual(['\u00c3\u00a9']);
    expect(readProtocols(['x'.repeat(255)])).toHaveLength(1);
  });

  test('the wire format', () => {
    expect(readProtocols(Buffer.from('\x02h2\x08http/1.1'))).toEqual(['h2', 'http/1.1']);
    expect(readProtocols(Uint8Array.of(1, 0xff))).toEqual(['\u00ff']);
    expect(readProtocols(Buffer.alloc(0))).toEqual([]);
    const { buffer } = Uint8Array.of(9, 9, 1, 0x61, 1, 0x62, 9, 9);
    expect(readProtocols(new DataView(buffer, 2, 4))).toEqual(['a', 'b']);
    expect(readProtocols(new Uint16Array(buffer, 2, 2))).toEqual(['a', 'b']);
  });

  test('nothing', () => {
    expect(readProtocols(undefined)).toEqual([]);
  });

  test.each([[['']], [['x'.repeat(256)]], [['h2', '\u20ac'.repeat(86)]]])(
    '%j has a name that is too short or long',
    (list) => {
      expect(() => readProtocols(list)).toThrow(expect.objectContaining({ code: 'ERR_OUT_OF_RANGE' }));
    },
  );

  test.each([
    ['a length over the end', [3, 0x68, 0x32]],
    ['an empty name', [0]],
    ['a length at the end', [2, 0x68, 0x32, 5]],
  ])('%s is refused', (_name, bytes) => {
    expect(() => readProtocols(Uint8Array.from(bytes))).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE' }),
    );
  });
});
