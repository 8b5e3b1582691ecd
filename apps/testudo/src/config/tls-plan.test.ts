import { describe, expect, test } from 'vitest';
import { parseConfig } from './load.ts';
import { planOf } from './plan.ts';
import type { TlsPlan } from './tls-plan.ts';

const FILE = '/etc/testudo/c.yaml';

function planned(lines: string): TlsPlan {
  const yaml = `listeners:\n  - name: web\n    listen: ":1"\n    certificate: local\n${lines.replace(/^/gm, '    ')}\n`;
  return planOf(parseConfig(yaml, FILE), FILE).listeners[0]!.tls;
}

test('the defaults: TLS 1.2 and newer, tickets, stapling, nothing strict, nothing old', () => {
  expect(planned('echo: true')).toEqual({
    minVersion: undefined,
    maxVersion: undefined,
    cipherSuites: undefined,
    groups: undefined,
    alpn: undefined,
    requireAlpn: false,
    strictSni: false,
    clientCertificate: 'none',
    clientCa: undefined,
    clientRevocation: undefined,
    stapling: true,
    tickets: { kind: 'own', rotate: undefined, lifetime: undefined },
    earlyData: 0,
    ech: [],
    dangerouslyAllowLegacy: false,
  });
});

test('ech: paths start at the file', () => {
  expect(planned('echo: true\nech: [new.pem, /old.pem]').ech).toEqual(['/etc/testudo/new.pem', '/old.pem']);
});

test('revocation of clients: who asks for it wants to know, and paths start at the file', () => {
  const { clientRevocation, tickets } = planned(
    'echo: true\nclientCa: ca.pem\nclientRevocation: { crls: [a.crl] }',
  );
  expect(clientRevocation).toEqual({
    crls: ['/etc/testudo/a.crl'],
    online: false,
    mode: 'hard-fail',
    scope: 'path',
  });
  // Who resumes is not asked again.
  expect(tickets).toEqual({ kind: 'own', rotate: undefined, lifetime: 3_600_000 });
  const more = planned(
    'echo: true\nclientCa: ca.pem\nclientRevocation: { online: true, mode: soft-fail, scope: leaf }\ntickets: { lifetime: 2h }',
  );
  expect(more).toMatchObject({
    clientRevocation: { crls: [], online: true, mode: 'soft-fail', scope: 'leaf' },
    tickets: { lifetime: 7_200_000 },
  });
});

test.each([
  ['off', { kind: 'none' }],
  ['on', { kind: 'own', rotate: undefined, lifetime: undefined }],
  ['{ rotate: 1h, lifetime: 2d }', { kind: 'own', rotate: 3_600_000, lifetime: 172_800_000 }],
  [
    '{ keys: [a.key, b.key] }',
    { kind: 'files', files: ['/etc/testudo/a.key', '/etc/testudo/b.key'], lifetime: undefined },
  ],
])('tickets: %s', (value, plan) => expect(planned(`echo: true\ntickets: ${value}`).tickets).toEqual(plan));

test.each([
  ['on', true],
  ['off', false],
  ['true', true],
  ['false', false],
])('stapling: %s', (value, expected) =>
  expect(planned(`echo: true\nstapling: ${value}`).stapling).toBe(expected),
);

test.each(['1.0', '"1.0"', 'TLSv1', 'TLSv1.0', '1'])(
  'minVersion: %s, where old versions are allowed',
  (version) =>
    expect(planned(`echo: true\nminVersion: ${version}\ndangerouslyAllowLegacy: true`).minVersion).toBe(
      'TLSv1',
    ),
);

test.each([
  ['true', 16_384],
  ['false', 0],
  ['1000', 1000],
])('earlyData: %s', (value, bytes) =>
  expect(planned(`echo: true\nearlyData: ${value}`).earlyData).toBe(bytes),
);

describe('what does not go together is refused:', () => {
  test.each([
    [
      'an old version',
      'minVersion: 1.1',
      'TLSv1.1 is broken (RFC 8996): to serve an old device anyway, add dangerouslyAllowLegacy: true, preferably on a listener of its own',
    ],
    [
      'an old version as the newest one',
      'maxVersion: TLSv1',
      'TLSv1 is broken (RFC 8996): to serve an old device anyway, add dangerouslyAllowLegacy: true, preferably on a listener of its own',
    ],
    [
      'versions upside down',
      'minVersion: 1.2\nmaxVersion: 1.1\ndangerouslyAllowLegacy: true',
      'minVersion is above maxVersion: swap them',
    ],
    [
      'hidden hellos before TLS 1.3',
      'ech: [ech.pem]\nmaxVersion: 1.2',
      'ech needs TLSv1.3: raise maxVersion',
    ],
    [
      'revocation of clients that show nothing',
      'clientRevocation: { online: true }',
      'clientRevocation needs clientCa: without it no client sends a certificate',
    ],
    [
      'revocation that nobody knows of',
      'clientCa: a\nclientRevocation: {}',
      'clientRevocation has nothing to go by: add crls: with files, or online: true',
    ],
    [
      'rotation of keys that others make',
      'tickets: { keys: [a], rotate: 1h }',
      'tickets: rotate does not apply to keys in files: whoever shares those files replaces them',
    ],
    [
      'early data without sessions',
      'tickets: off\nearlyData: true',
      'earlyData needs tickets: only a client that resumes a session can send it',
    ],
    [
      'early data before TLS 1.3',
      'maxVersion: 1.2\nearlyData: true',
      'earlyData needs TLS 1.3: raise maxVersion',
    ],
    [
      'protocols that are demanded and not named',
      'requireAlpn: true',
      'requireAlpn needs alpn: the protocols that are served',
    ],
  ])('%s', (_, lines, message) =>
    expect(() => planned(`echo: true\n${lines}`)).toThrow(`${FILE}: web: ${message}`),
  );

  test.each([
    [
      'clientRevocation: { mode: maybe }',
      'listeners[0].clientRevocation.mode: must be hard-fail or soft-fail',
    ],
    [
      'clientRevocation: { crl: [a] }',
      'listeners[0].clientRevocation: unknown key "crl". Did you mean "crls"?',
    ],
    ['clientRevocation: { crls: [] }', 'listeners[0].clientRevocation.crls: needs at least one file'],
    ['tickets: { lifetime: 8d }', 'listeners[0].tickets.lifetime: must be more than 0, and at most 7 days'],
    ['tickets: { rotat: 8d }', 'listeners[0].tickets: unknown key "rotat". Did you mean "rotate"?'],
    ['stapling: maybe', 'listeners[0].stapling: must be on or off'],
    ['tickets: maybe', 'listeners[0].tickets: must be on, off, or options such as "lifetime: 1d"'],
    ['hsts: maybe', 'listeners[0].hsts: must be true, false, or options such as "maxAge: 30d"'],
    ['earlyData: 0', 'listeners[0].earlyData: must be true, false, or a number of bytes from 1 to 1048576'],
    [
      'earlyData: much',
      'listeners[0].earlyData: must be true, false, or a number of bytes from 1 to 1048576',
    ],
    ['strictSni: 1', 'listeners[0].strictSni: must be true or false'],
  ])('%s', (lines, message) => expect(() => planned(`echo: true\n${lines}`)).toThrow(message));
});
