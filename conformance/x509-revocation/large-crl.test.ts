import { nodeCrypto } from '@testudo/crypto/node';
import { buildCrl, CertificateRevocationList, createCertificateAuthority } from '@testudo/x509';
import { describe, expect, test } from 'vitest';

const provider = nodeCrypto;
const DAY = 86_400_000;

describe('a very large list', () => {
  test('is searched without becoming objects', () => {
    const authority = createCertificateAuthority({ provider, commonName: 'Large CA' });
    const count = 200_000;
    const now = new Date();
    const serialOf = (i: number): Uint8Array =>
      Uint8Array.of(0x40, i >> 16, (i >> 8) & 0xff, i & 0xff, 7, 7, 7, 7);
    const list = buildCrl(
      {
        ...{ thisUpdate: now, nextUpdate: new Date(+now + DAY), number: 1n },
        entries: Array.from({ length: count }, (_, i) => ({
          serialNumber: serialOf(i),
          revocationDate: now,
          reason: 'superseded' as const,
        })),
      },
      provider,
      authority,
    );
    const before = process.memoryUsage();
    const parsed = CertificateRevocationList.parse(list.der);
    expect(parsed.find(serialOf(123_456))?.reason).toBe('superseded');
    expect(parsed.find(serialOf(count))).toBeUndefined();
    const after = process.memoryUsage();
    expect(parsed.entries.count).toBe(count);
    expect(after.arrayBuffers - before.arrayBuffers).toBeLessThan(16 * count + 1_000_000);
  });
});
