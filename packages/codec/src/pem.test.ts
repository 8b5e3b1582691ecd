import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { utf8 } from './bytes.ts';
import { DecodeError, EncodeError } from './errors.ts';
import { decodePem, encodePem } from './pem.ts';

const block = (body: string, label = 'X', end = label): string =>
  `-----BEGIN ${label}-----\n${body}\n-----END ${end}-----\n`;

test('several blocks among other text come out in order', () => {
  const text = `subject=/CN=a\n${encodePem('CERTIFICATE', utf8('one'))}\n  some words\n${encodePem('PRIVATE KEY', utf8('two'))}end`;
  expect(decodePem(text).map(({ label, bytes }) => [label, bytes])).toEqual([
    ['CERTIFICATE', utf8('one')],
    ['PRIVATE KEY', utf8('two')],
  ]);
});

test('lines end with LF, CR LF or CR, at any length, with blanks at their ends', () => {
  for (const newline of ['\n', '\r\n', '\r', ' \n', '\t\r\n']) {
    const text = ['-----BEGIN X-----', 'Zm', '9v', '', 'YmFy', '-----END X-----'].join(newline);
    expect(decodePem(text)[0]?.bytes).toEqual(utf8('foobar'));
  }
});

test('headers of the old format are kept apart', () => {
  const [key] = decodePem(
    block('Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,\n  00FF\n\nZm9v', 'RSA PRIVATE KEY'),
  );
  expect([...key!.headers]).toEqual([
    ['Proc-Type', '4,ENCRYPTED'],
    ['DEK-Info', 'AES-256-CBC,00FF'],
  ]);
  expect(key!.bytes).toEqual(utf8('foo'));
});

test('text without a block gives nothing', () => {
  expect(decodePem('')).toEqual([]);
  expect(decodePem('----- BEGIN\nhello')).toEqual([]);
});

test('lines have 64 characters, and no empty one at the end', () => {
  const lines = encodePem('X', new Uint8Array(96)).split('\n');
  expect(lines.map((line) => line.length)).toEqual([17, 64, 64, 15, 0]);
});

test('any bytes under any label survive', () => {
  const label = fc.stringMatching(/^[A-Z0-9]{1,8}( [A-Z0-9]{1,8}){0,3}$/);
  fc.assert(
    fc.property(fc.array(fc.tuple(label, fc.uint8Array({ maxLength: 300 })), { maxLength: 4 }), (blocks) => {
      const text = blocks.map(([name, bytes]) => encodePem(name, bytes)).join('between\n');
      expect(decodePem(text).map(({ label: name, bytes }) => [name, bytes])).toEqual(blocks);
    }),
  );
});

test('any text gives blocks or a typed error', () => {
  const piece = fc.oneof(
    fc.constantFrom(
      '-----BEGIN X-----',
      '-----END X-----',
      '-----END Y-----',
      'Zm9v',
      '\n',
      'A: b',
      '-----',
      '=',
    ),
    fc.string({ maxLength: 10 }),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
      try {
        decodePem(pieces.join(''));
      } catch (error) {
        expect(error).toBeInstanceOf(DecodeError);
      }
    }),
  );
});

describe('refuses', () => {
  test.each([
    ['a block without an end', '-----BEGIN X-----\nZm9v\n'],
    ['an end without a beginning', 'Zm9v\n-----END X-----\n'],
    ['an end with another label', block('Zm9v', 'X', 'Y')],
    ['a block inside a block', `-----BEGIN X-----\n${block('Zm9v')}`],
    ['other text inside', block('Zm9v\nhello world!\n')],
    ['a header after the data', block('Zm9v\nA: b')],
    ['bad base64', block('Zm9')],
    ['data behind padding', block('Zg==\nZg==')],
    ['a malformed line of dashes', '-----BEGIN X----\nZm9v\n-----END X-----'],
    ['an empty label', '-----BEGIN -----\n-----END -----'],
  ])('%s', (_, text) => {
    expect(() => decodePem(text)).toThrow(DecodeError);
  });

  test('to write a label that could not be read', () => {
    for (const label of ['', ' X', 'X ', 'A--B', 'A\nB', '-'])
      expect(() => encodePem(label, new Uint8Array())).toThrow(EncodeError);
  });
});
