import { generateKeyPairSync } from 'node:crypto';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { nodeCrypto } from './index.ts';

// Exporting a KeyObject that `generateKeyPairSync` made can lock up the process (see agreement.ts), but so rarely
// that only watching for the call finds it.
const sample = generateKeyPairSync('ed25519');
const exports = [sample.publicKey, sample.privateKey].map((key) => {
  const prototype = Object.getPrototypeOf(key) as typeof key;
  return vi.spyOn(prototype, 'export');
});

beforeEach(() => {
  for (const spy of exports) spy.mockClear();
});

afterEach(() => vi.restoreAllMocks());

test('a fresh agreement key comes without exporting a generated key', () => {
  sample.publicKey.export({ format: 'jwk' });
  expect(exports[0]).toHaveBeenCalledTimes(1); // the watch works
  exports[0]!.mockClear();

  for (const curve of ['x25519', 'x448'] as const) {
    const agreement = nodeCrypto.keyAgreement(curve)!;
    const key = agreement.generate();
    expect(key.agree(agreement.generate().publicKey).length).toBe(key.publicKey.length);
  }
  nodeCrypto.kem('ml-kem-768')!.generate();
  for (const spy of exports) expect(spy).not.toHaveBeenCalled();
});
