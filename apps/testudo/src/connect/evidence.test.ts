import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { concat, fromBase64, fromHex, toHex } from '@testudo/codec';
import { nodeCrypto } from '@testudo/crypto/node';
import type { CertificateToVerify } from '@testudo/tls';
import { Certificate, LogList } from '@testudo/x509';
import { describe, expect, test } from 'vitest';
import { PLAIN } from '../output/style.ts';
import { transparencyEvidence } from './evidence.ts';
import { transparencyLines } from './evidence-text.ts';

describe('timestamps, of the log of RFC 6962\u2019s authors', () => {
  const file = resolve(import.meta.dirname, '../../../../conformance/vectors/ct/rfc6962.json');
  const data = JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>;
  const certificate = Certificate.parse(fromBase64(data['certificate']!));
  const issuer = Certificate.parse(fromBase64(data['ca']!));
  const spki = fromBase64(data['logKey']!);
  const sct = fromHex(data['certificateSct']!);
  const request: CertificateToVerify = {
    ...{ chain: [certificate.der], peer: 'server', name: 'x', ocspResponse: undefined },
    signedCertificateTimestamps: concat(Uint8Array.of(0, sct.length + 2, 0, sct.length), sct),
    now: Date.parse('2020-01-01'),
  };
  const list = (key: Uint8Array): LogList => {
    const id = nodeCrypto.digest('sha256', spki);
    return new LogList([
      {
        ...{ id, spki: key, description: 'the log', operator: 'Google', state: 'usable' },
        ...{ stateSince: undefined, interval: undefined },
      },
    ]);
  };
  const verdict = { accepted: true, path: [certificate, issuer], learned: [] };

  test('are verified by a list of logs, and counted', () => {
    const { timestamps, complies, reason } = transparencyEvidence(request, verdict, list(spki));
    expect(timestamps).toMatchObject([{ origin: 'tls', valid: true, detail: 'the log' }]);
    // One is not enough for browsers.
    expect([complies, reason]).toEqual([false, expect.stringMatching(/3 timestamps from logs are needed/)]);
  });

  test.each([
    ['a log of another key', verdict, list(issuer.spki)],
    ['a log that is not known', verdict, new LogList([])],
    ['another issuer', { ...verdict, path: [certificate, certificate] }, new LogList([])],
  ])('do not count by %s', (_, of, logs) => {
    const evidence = transparencyEvidence(request, of, logs);
    expect(evidence.timestamps).toMatchObject([{ origin: 'tls', valid: false }]);
    expect(evidence.complies).toBe(false);
  });

  test('are listed without a list of logs, and without a path, and said not to be verified', () => {
    const id = toHex(nodeCrypto.digest('sha256', spki));
    for (const [of, logs] of [
      [verdict, undefined],
      [{ accepted: false, learned: [] }, list(spki)],
    ] as const) {
      const evidence = transparencyEvidence(request, of, logs);
      expect(evidence).toMatchObject({
        complies: null,
        timestamps: [{ origin: 'tls', logId: id, valid: null }],
      });
      expect(transparencyLines(evidence, PLAIN)[0]).toMatch(/^1 timestamp, not verified/);
    }
  });

  test('that cannot be read, and certificates that cannot, are none', () => {
    const broken = { ...request, signedCertificateTimestamps: Uint8Array.of(0, 9, 1) };
    expect(transparencyEvidence(broken, verdict, undefined).timestamps).toEqual([]);
    expect(
      transparencyEvidence({ ...request, chain: [Uint8Array.of(1)] }, verdict, undefined).timestamps,
    ).toEqual([]);
  });
});
