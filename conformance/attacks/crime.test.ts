import { utf8 } from '@testudo/codec';
import { deflate } from '@testudo/tls/legacy/compression';
import { describe, expect, test } from 'vitest';
import { meet } from './support.ts';

// CRIME (CVE-2012-4929): what is compressed together with a secret is shorter when it repeats a part of it, and a record shows
// how long it is.

const SECRET = '4f9c02d7';
const ALPHABET = '0123456789abcdef';

/** How long a victim's request is on the wire, of which the attacker chooses the path. */
function lengthOf(path: string, options: { dangerousCompression?: typeof deflate }): number {
  const both = { maxVersion: 'TLSv1.2', ...options } as const;
  const { client } = meet(both, both);
  client.connection.send(utf8(`GET /${path} HTTP/1.1\r\nCookie: session=${SECRET}; theme=dark\r\n\r\n`));
  return client.take().length;
}

/** Byte by byte: the guess whose record is shorter than all others. Undefined where none is. */
function recover(options: { dangerousCompression?: typeof deflate }): string | undefined {
  let known = '';
  while (known.length < SECRET.length) {
    const lengths = [...ALPHABET].map((c) => lengthOf(`session=${known}${c}`, options));
    const shortest = Math.min(...lengths);
    if (lengths.filter((length) => length === shortest).length > 1) return undefined;
    known += ALPHABET[lengths.indexOf(shortest)];
  }
  return known;
}

describe('CRIME', () => {
  test('reads a cookie where records are compressed', () => {
    expect(recover({ dangerousCompression: deflate })).toBe(SECRET);
  });

  test('reads nothing where they are not, which is always by default', () => {
    expect(recover({})).toBeUndefined();
    expect(new Set([...ALPHABET].map((c) => lengthOf(`session=${c}`, {}))).size).toBe(1);
  });

  test('a server that compresses does so only with a client that wants it, and the other way round', () => {
    for (const [client, server] of [
      [{ dangerousCompression: deflate }, {}],
      [{}, { dangerousCompression: deflate }],
    ] as const) {
      const ends = meet({ maxVersion: 'TLSv1.2', ...client }, { maxVersion: 'TLSv1.2', ...server });
      ends.client.connection.send(new Uint8Array(1000));
      expect(ends.client.take().length).toBeGreaterThan(1000);
    }
  });
});
