import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { concat, der, fromBase64, fromHex, toBase64 } from '@testudo/codec';
import { nodeCrypto } from '@testudo/crypto/node';
import {
  BROWSER_TRANSPARENCY,
  Certificate,
  CertificateError,
  type CertificateLog,
  checkTransparency,
  Extensions,
  embeddedScts,
  encodeSctList,
  LogList,
  parseCertificates,
  parseSctList,
  precertificateTbs,
  type SignedCertificateTimestamp,
  verifySct,
} from '@testudo/x509';
import { describe, expect, test } from 'vitest';

const provider = nodeCrypto;
const vectors = new URL('../vectors/', import.meta.url);
const text = (file: string): string => readFileSync(new URL(file, vectors), 'utf8');

describe('timestamps of the log of RFC 6962\u2019s authors', () => {
  const data = JSON.parse(text('ct/rfc6962.json')) as Record<string, string>;
  const certificate = Certificate.parse(fromBase64(data['certificate']!));
  const precertificate = Certificate.parse(fromBase64(data['precertificate']!));
  const issuer = Certificate.parse(fromBase64(data['ca']!));
  const spki = fromBase64(data['logKey']!);
  const log: CertificateLog = {
    id: provider.digest('sha256', spki),
    spki,
    description: 'test',
    operator: 'Google',
    state: 'usable',
    stateSince: undefined,
    interval: undefined,
  };
  const at = new Date('2020-01-01T00:00:00Z');
  const context = { provider, certificate, issuer, logs: new LogList([log]), at };
  const listOf = (hex: string): Uint8Array => {
    const sct = fromHex(hex);
    return concat(Uint8Array.of(0, sct.length + 2, 0, sct.length), sct);
  };
  const [sct] = parseSctList(listOf(data['certificateSct']!), 'tls') as [SignedCertificateTimestamp];
  const [embedded] = parseSctList(listOf(data['precertificateSct']!), 'certificate') as [
    SignedCertificateTimestamp,
  ];

  test('verify over a certificate, and over a precertificate without its poison', () => {
    expect(verifySct(sct, context)).toMatchObject({ valid: true });
    expect(verifySct(embedded, { ...context, certificate: precertificate })).toMatchObject({ valid: true });
  });

  test.each<[string, SignedCertificateTimestamp, Partial<typeof context>]>([
    ['over another certificate', sct, { certificate: precertificate }],
    ['of another kind of entry', { ...sct, origin: 'certificate' }, {}],
    ['by another issuer', embedded, { certificate: precertificate, issuer: certificate }],
    ['with another time', { ...sct, timestamp: sct.timestamp + 1n }, {}],
    ['with extensions', { ...sct, extensions: Uint8Array.of(1) }, {}],
    ['of a log that is not known', sct, { logs: new LogList([]) }],
    ['by another key under the same id', sct, { logs: new LogList([{ ...log, spki: issuer.spki }]) }],
    ['by a key that is none', sct, { logs: new LogList([{ ...log, spki: new Uint8Array(10) }]) }],
    ['with SHA-1', { ...sct, hashAlgorithm: 2 }, {}],
    ['said to be RSA', { ...sct, signatureAlgorithm: 1 }, {}],
    ['from the future', sct, { at: new Date('2010-01-01T00:00:00Z') }],
    [
      'of a log that takes other years',
      sct,
      {
        logs: new LogList([
          { ...log, interval: { start: new Date('2023-01-01'), end: new Date('2024-01-01') } },
        ]),
      },
    ],
  ])('do not count %s', (_, timestamp, changes) => {
    expect(verifySct(timestamp, { ...context, ...changes })).toMatchObject({ valid: false });
  });

  test('survive being written', () => {
    expect(parseSctList(encodeSctList([sct, embedded]), 'tls')).toEqual([
      sct,
      { ...embedded, origin: 'tls' },
    ]);
  });

  test('of versions that are not known are skipped, and what is malformed is refused', () => {
    const list = encodeSctList([sct]);
    const later = list.slice();
    later[4] = 1;
    expect(parseSctList(later, 'tls')).toEqual([]);
    for (let length = 0; length < list.length; length++)
      expect(() => parseSctList(list.subarray(0, length), 'tls')).toThrow(CertificateError);
    expect(() => parseSctList(concat(list, Uint8Array.of(0)), 'tls')).toThrow(CertificateError);
    expect(() => parseSctList(Uint8Array.of(0, 0), 'tls')).toThrow(CertificateError);
    expect(() => parseSctList(encodeSctList(new Array(33).fill(sct)), 'tls')).toThrow(CertificateError);
  });

  test('removing poison leaves the rest to the byte', () => {
    const tbs = precertificateTbs(precertificate.tbs);
    expect(precertificate.tbs.length - tbs.length).toBe(21);
    expect(precertificateTbs(certificate.tbs)).toEqual(certificate.tbs);
  });
});

describe('real certificates', () => {
  const limbo = JSON.parse(gunzipSync(readFileSync(new URL('limbo/limbo.json.gz', vectors))).toString()) as {
    testcases: {
      id: string;
      peer_certificate: string;
      untrusted_intermediates: string[];
    }[];
  };
  const logs = LogList.parse(text('ct/log_list.json'));
  const site = (id: string): { certificate: Certificate; issuer: Certificate; at: Date } => {
    const found = limbo.testcases.find((one) => one.id === `online::${id}`)!;
    const [certificate] = parseCertificates(found.peer_certificate) as [Certificate];
    const issuer = found.untrusted_intermediates
      .flatMap((pem) => parseCertificates(pem))
      .find(({ subject }) => subject.equals(certificate.issuer))!;
    return { certificate, issuer, at: certificate.notAfter };
  };

  test('the log list is read', () => {
    expect(logs.size).toBe(3);
  });

  test.each(['google.com', 'cloudflare.com'])('%s complies: two timestamps of two operators', (id) => {
    const verdict = checkTransparency({ provider, logs, ...site(id) });
    expect(verdict.timestamps.map(({ valid }) => valid)).toEqual([true, true]);
    expect(verdict).toMatchObject({ complies: true, reason: undefined });
  });

  test.each([
    ['fastly.com', 1],
    ['stackoverflow.com', 1],
    ['facebook.com', 2],
    ['amazon.com', 0],
  ] as const)('of %s, %i timestamps are by the logs that we know', (id, count) => {
    const verdict = checkTransparency({ provider, logs, ...site(id) });
    expect(verdict.timestamps.filter(({ valid }) => valid)).toHaveLength(count);
  });

  test('policies are data', () => {
    const check = { provider, logs, ...site('google.com') };
    const complies = (policy: Partial<typeof BROWSER_TRANSPARENCY>): boolean =>
      checkTransparency({ ...check, policy: { ...BROWSER_TRANSPARENCY, ...policy } }).complies;
    expect(complies({})).toBe(true);
    expect(complies({ operators: 3 })).toBe(false);
    expect(complies({ embedded: [{ upToDays: 180, timestamps: 3 }] })).toBe(false);
    expect(complies({ embedded: [{ upToDays: 30, timestamps: 2 }] })).toBe(false);
    expect(complies({ states: ['usable'] })).toBe(false);
    expect(complies({ states: ['retired'] })).toBe(false);
  });

  test('a retired log counts for what it promised before, but not alone', () => {
    const json = text('ct/log_list.json');
    const retire = (since: string, ...names: string[]): LogList => {
      const list = JSON.parse(json) as {
        operators: { name: string; logs: { state: unknown }[]; tiled_logs?: { state: unknown }[] }[];
      };
      for (const operator of list.operators)
        if (names.includes(operator.name))
          for (const log of [...operator.logs, ...(operator.tiled_logs ?? [])])
            log.state = { retired: { timestamp: since } };
      return LogList.parse(JSON.stringify(list));
    };
    const complies = (list: LogList): boolean =>
      checkTransparency({ provider, ...site('google.com'), logs: list }).complies;
    expect(complies(retire('2026-12-01T00:00:00Z', 'Google'))).toBe(true);
    expect(complies(retire('2025-12-01T00:00:00Z', 'Google'))).toBe(false);
    expect(complies(retire('2026-12-01T00:00:00Z', 'Google', 'Sectigo'))).toBe(false);
  });

  test('a certificate whose timestamps are another\u2019s does not comply', () => {
    const google = site('google.com');
    const other = site('cloudflare.com');
    const verdict = checkTransparency({ provider, logs, ...google, issuer: other.issuer });
    expect(verdict.complies).toBe(false);
    expect(verdict.reason).toMatch(/signature/);
  });

  test('delivered timestamps must be over the certificate itself', () => {
    const google = site('google.com');
    const tlsList = encodeSctList(embeddedScts(google.certificate.extensions));
    const verdict = checkTransparency({ provider, logs, ...google, issuer: google.certificate, tlsList });
    expect(verdict.complies).toBe(false);
    expect(verdict.timestamps.every(({ valid }) => !valid)).toBe(true);
  });

  test('what cannot be read counts as absent', () => {
    const google = site('google.com');
    const value = der.octetString(Uint8Array.of(1, 2, 3));
    const ocspExtensions = new Extensions([{ oid: '1.3.6.1.4.1.11129.2.4.5', critical: false, value }]);
    const verdict = checkTransparency({
      provider,
      logs,
      ...google,
      ocspExtensions,
      tlsList: new Uint8Array(1),
    });
    expect(verdict.complies).toBe(true);
  });
});

describe('a log list is refused', () => {
  const good = JSON.parse(text('ct/log_list.json')) as { operators: { logs: Record<string, unknown>[] }[] };
  const withLog = (changes: Record<string, unknown>): string =>
    JSON.stringify({ operators: [{ name: 'x', logs: [{ ...good.operators[0]!.logs[0], ...changes }] }] });

  test.each<[string, string]>([
    ['that is no JSON', '{'],
    ['that is no object', '[]'],
    ['without operators', '{}'],
    ['with an operator without a name', '{"operators":[{}]}'],
    ['with an id that is no base64', withLog({ log_id: '*' })],
    ['with a key that is no text', withLog({ key: 1 })],
    ['with an unknown state', withLog({ state: { sleeping: { timestamp: '2026-01-01T00:00:00Z' } } })],
    ['with not a time', withLog({ temporal_interval: { start_inclusive: 'x', end_exclusive: 'y' } })],
  ])('%s', (_, json) => {
    expect(() => LogList.parse(json)).toThrow(CertificateError);
  });

  test('but not with members that nobody knows', () => {
    expect(LogList.parse(withLog({ new_member: [toBase64(new Uint8Array(3))] })).size).toBe(1);
  });
});
