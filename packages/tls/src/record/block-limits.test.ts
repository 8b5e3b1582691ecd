import { nodeCrypto } from '@testudo/crypto/node';
import { describe, expect, test } from 'vitest';
import type { Handshake } from '../handshake/context.ts';
import { legacy } from '../legacy/index.ts';
import { cipherSuiteByName } from '../suites/index.ts';
import { protectionOf } from '../tls12/protection.ts';
import { rules12 } from '../tls12/version-rules.ts';
import type { RecordSealer } from './protection.ts';

/** What seals records of a suite, under keys of zeros. */
function sealerOf(suite: string): RecordSealer {
  const handshake = { provider: nodeCrypto, config: { legacy } } as unknown as Handshake;
  const randoms = { client: new Uint8Array(32), server: new Uint8Array(32) };
  const terms = {
    rules: rules12,
    suite: cipherSuiteByName(suite)!,
    randoms,
    extended: true,
    encryptThenMac: false,
  };
  const protection = protectionOf(handshake, terms);
  return protection.sealer({
    mac: new Uint8Array(protection.macKeyLength),
    key: new Uint8Array(protection.keyLength).fill(7),
    iv: new Uint8Array(protection.ivLength),
  });
}

function sealOne(sealer: RecordSealer, length: number): void {
  sealer.seal(23, new Uint8Array(length), 0, new Uint8Array(sealer.sealedLength(length)), 0);
}

describe('how many records a fresh key seals', () => {
  test.each([
    // As the RFCs and SP 800-67 have it, less what the longest records would take.
    ['TLS_RSA_WITH_AES_128_GCM_SHA256', 2 ** 24, 2 ** 24],
    ['TLS_RSA_WITH_AES_128_CCM', 2 ** 23, 2 ** 23],
    ['TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256', 2 ** 48, 2 ** 48],
    ['TLS_RSA_WITH_RC4_128_SHA', 2 ** 24, 2 ** 24],
    ['TLS_RSA_WITH_3DES_EDE_CBC_SHA', 500, 512],
    ['TLS_RSA_WITH_AES_128_CBC_SHA', 2 ** 48, 2 ** 60],
  ])('%s', (suite, least, most) => {
    const { limit } = sealerOf(suite);
    expect(limit).toBeGreaterThanOrEqual(least);
    expect(limit).toBeLessThanOrEqual(most);
  });
});

describe('a key of 64-bit blocks', () => {
  test('counts short records as what they are', () => {
    const sealer = sealerOf('TLS_RSA_WITH_3DES_EDE_CBC_SHA');
    const before = sealer.limit - sealer.sequence;
    for (let i = 0; i < 5120; i++) sealOne(sealer, 1);
    // An IV, a byte, a MAC of 20 bytes, padding: four blocks, 20,480 in all, as ten records of 16 KiB have.
    expect(Math.abs(before - (sealer.limit - sealer.sequence) - 10)).toBeLessThanOrEqual(1);
  });

  test('counts long records as what they are', () => {
    const sealer = sealerOf('TLS_RSA_WITH_3DES_EDE_CBC_SHA');
    const before = sealer.limit - sealer.sequence;
    for (let i = 0; i < 10; i++) sealOne(sealer, 16_384);
    expect(before - (sealer.limit - sealer.sequence)).toBe(10);
  });

  test('never seals more than 2^20 blocks, whatever the records are', () => {
    const sealer = sealerOf('TLS_RSA_WITH_3DES_EDE_CBC_SHA');
    let blocks = 0;
    for (let i = 0; sealer.limit > sealer.sequence; i++) {
      const length = [16_384, 1, 5000][i % 3]!;
      sealOne(sealer, length);
      blocks += Math.floor((8 + length + 20) / 8) + 1;
    }
    expect(blocks).toBeLessThanOrEqual(2 ** 20);
    expect(blocks).toBeGreaterThan(2 ** 20 - 2 * 2100);
  });
});
