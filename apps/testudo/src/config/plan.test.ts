import { describe, expect, test } from 'vitest';
import { defaultLimits } from './limits.ts';
import { parseConfig } from './load.ts';
import { type Plan, planOf } from './plan.ts';

function planned(yaml: string): Plan {
  return planOf(parseConfig(yaml, '/etc/testudo/c.yaml'), '/etc/testudo/c.yaml');
}

const one = (lines: string): string =>
  `listeners:\n  - name: web\n    listen: ":1"\n${lines.replace(/^/gm, '    ')}\n`;

test('defaults are filled in, and paths start at the file', () => {
  const plan = planned(one('certificate: c/cert.pem\nkey: key.pem\nfolder: ../www'));
  expect(plan.drain).toBe(10_000);
  expect(plan.listeners[0]).toMatchObject({
    name: 'web',
    service: { kind: 'folder', root: '/etc/www', dotfiles: false },
    certificates: [
      {
        kind: 'files',
        certificate: '/etc/testudo/c/cert.pem',
        key: '/etc/testudo/key.pem',
        names: undefined,
      },
    ],
    limits: defaultLimits('folder'),
    hsts: undefined,
    tls: { alpn: ['http/1.1'], clientCertificate: 'none' },
  });
});

test('a listener without a name has its number and address', () => {
  expect(planned('listeners: [{ listen: ":1", certificate: local, echo: true }]').listeners[0]!.name).toBe(
    'listener 1 (*:1)',
  );
});

test('a CA for clients means that clients need a certificate', () => {
  const { tls } = planned(one('certificate: local\necho: true\nclientCa: ca.pem')).listeners[0]!;
  expect(tls).toMatchObject({
    clientCertificate: 'required',
    clientCa: '/etc/testudo/ca.pem',
    alpn: undefined,
  });
});

test.each([
  ['true', 'max-age=31536000'],
  ['{ maxAge: 1h }', 'max-age=3600'],
  [
    '{ maxAge: 730d, includeSubDomains: true, preload: true }',
    'max-age=63072000; includeSubDomains; preload',
  ],
  ['false', undefined],
])('hsts: %s', (value, header) => {
  expect(planned(one(`certificate: local\nwelcome: true\nhsts: ${value}`)).listeners[0]!.hsts).toBe(header);
});

describe('what does not go together is refused:', () => {
  test.each([
    [
      'no service',
      'certificate: local',
      'does not say what is behind it: add one of forward, proxy, folder, echo or welcome',
    ],
    [
      'two services',
      'certificate: local\necho: true\nforward: a:1',
      'has forward and echo: a listener has one service, so use one per listener',
    ],
    [
      'no certificate',
      'echo: true',
      'has no certificate: add certificate: local, or certificate: and key: with two files',
    ],
    [
      'a name that the local CA cannot certify',
      'certificate: local\nnames: [ok.test, "*.ok.test", "::1", "a b"]\necho: true',
      'names: "a b" is neither a domain nor an address',
    ],
    [
      'a certificate without key',
      'certificate: a.pem\necho: true',
      'the certificate a.pem needs its private key: add key:',
    ],
    [
      'a key for the local one',
      'certificate: local\nkey: a\necho: true',
      'certificate: local has its own key: leave key out',
    ],
    [
      'certificate and certificates',
      'certificate: local\ncertificates: [{ certificate: local }]\necho: true',
      'has both certificate and certificates: put all of them into certificates',
    ],
    [
      'two defaults',
      'certificates: [{ certificate: local, default: true }, { certificate: local, default: true }]\necho: true',
      'has several default certificates: mark only one',
    ],
    [
      'versions upside down',
      'certificate: local\necho: true\nminVersion: 1.3\nmaxVersion: 1.2',
      'minVersion is above maxVersion: swap them',
    ],
    [
      'client certificates without a CA',
      'certificate: local\necho: true\nclientCertificate: optional',
      'clientCertificate needs clientCa: the file with the CA that issues the clients’ certificates',
    ],
    [
      'a CA without client certificates',
      'certificate: local\necho: true\nclientCertificate: none\nclientCa: a',
      'clientCa is not used with clientCertificate: none; say optional or required',
    ],
    [
      'hsts without HTTP',
      'certificate: local\necho: true\nhsts: true',
      'hsts is for HTTP: use it with proxy or folder',
    ],
    ['dotfiles without a folder', 'certificate: local\necho: true\ndotfiles: true', 'dotfiles is for folder'],
    [
      'forwarded headers without a proxy',
      'certificate: local\nfolder: .\ntrustForwarded: true',
      'trustForwarded is for proxy',
    ],
    [
      'HTTP/2, which is not served',
      'certificate: local\nfolder: .\nalpn: [h2]',
      'alpn: only http/1.1 and http/1.0 are served over HTTP listeners; use forward for other protocols',
    ],
  ])('%s', (_, lines, message) =>
    expect(() => planned(one(lines))).toThrow(`/etc/testudo/c.yaml: web: ${message}`),
  );

  test('two listeners in one place, or of one name', () => {
    const same = 'certificate: local, echo: true';
    expect(() => planned(`listeners: [{ listen: ":1", ${same} }, { listen: "*:1", ${same} }]`)).toThrow(
      'two listeners on *:1: give each its own address',
    );
    expect(() =>
      planned(`listeners: [{ listen: ":1", name: a, ${same} }, { listen: ":2", name: a, ${same} }]`),
    ).toThrow('two listeners are called a: give each its own name');
    expect(() => planned(`listeners: [{ listen: ":0", ${same} }, { listen: ":0", ${same} }]`)).not.toThrow();
  });
});
