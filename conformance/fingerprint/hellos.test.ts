import { readFileSync } from 'node:fs';
import { fromHex } from '@testudo/codec';
import { nodeCrypto } from '@testudo/crypto/node';
import { portableCrypto } from '@testudo/crypto/portable';
import { ja3, ja3Text, ja4, ja4Text } from '@testudo/tls';
import { describe, expect, test } from 'vitest';

interface Vector {
  readonly capture: string;
  readonly stream: number;
  readonly clientHello: string;
  readonly ja3Full: string;
  readonly ja3: string;
  readonly ja4: string;
  readonly ja4_r: string;
  readonly ja4_o: string;
  readonly ja4_ro: string;
}

const VECTORS = JSON.parse(
  readFileSync(new URL('../vectors/ja4/hellos.json', import.meta.url), 'utf8'),
) as Vector[];

describe.each([nodeCrypto, portableCrypto])('with the $name provider', (provider) => {
  test.each(VECTORS)('$capture, stream $stream', (vector) => {
    const hello = fromHex(vector.clientHello);
    expect(ja3Text(hello)).toBe(vector.ja3Full);
    expect(ja3(provider, hello)).toBe(vector.ja3);
    expect(ja4(provider, hello)).toBe(vector.ja4);
    expect(ja4Text(hello)).toBe(vector.ja4_r);
    expect(ja4(provider, hello, { originalOrder: true })).toBe(vector.ja4_o);
    expect(ja4Text(hello, { originalOrder: true })).toBe(vector.ja4_ro);
  });
});
