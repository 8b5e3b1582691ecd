import { expect, test } from 'vitest';
import { parseConfig } from './load.ts';
import { type Plan, planOf } from './plan.ts';

function planned(yaml: string): Plan {
  return planOf(parseConfig(yaml, '/etc/testudo/c.yaml'), '/etc/testudo/c.yaml');
}

const LISTENER = 'listeners: [{ name: web, listen: ":443", certificate: acme, names: [a.test], echo: true }]';

test('Let\u2019s Encrypt and tls-alpn-01 are the defaults', () => {
  const plan = planned(`acme: { termsAgreed: true }\n${LISTENER}`);
  expect(plan.acme).toMatchObject({
    keyType: 'p256',
    email: undefined,
    challenges: ['tls-alpn-01'],
    http: undefined,
  });
  expect(plan.acme!.directory.href).toBe('https://acme-v02.api.letsencrypt.org/directory');
  expect(plan.listeners[0]!.certificates).toEqual([{ kind: 'acme', names: ['a.test'], isDefault: false }]);
});

test('a whole block is read, and paths start at the file', () => {
  const { acme } = planned(
    `acme:
  directory: https://ca.test/dir
  email: a@b.test
  termsAgreed: true
  http: ":80"
  externalAccount: { keyId: k, macKeyFile: mac.key }
  ca: ca.pem
${LISTENER}`,
  );
  expect(acme).toMatchObject({
    challenges: ['tls-alpn-01', 'http-01'],
    http: { port: 80 },
    externalAccount: { keyId: 'k', macKeyFile: '/etc/testudo/mac.key' },
    ca: '/etc/testudo/ca.pem',
  });
});

test('names are asked for once each, in the form that certificates have', () => {
  const plan = planned(
    'acme: { termsAgreed: true }\nlisteners: [{ listen: ":1", certificate: acme, names: [A.test, a.test., b\u00fccher.test, "2001:db8::1"], echo: true }]',
  );
  expect(plan.listeners[0]!.certificates[0]!.names).toEqual(['a.test', 'xn--bcher-kva.test', '2001:db8::1']);
});

const listener = (lines: string): string =>
  `listeners: [{ name: web, listen: ":443", echo: true, ${lines} }]`;
const one = 'certificate: acme, names: [a.test]';

test.each([
  [
    'no block',
    listener(one),
    'certificate: acme needs the block acme: at the top, with termsAgreed: true and an email',
  ],
  [
    'a block for nobody',
    `acme: { termsAgreed: true }\n${listener('certificate: local')}`,
    'acme: no listener has certificate: acme',
  ],
  [
    'no names',
    `acme: { termsAgreed: true }\n${listener('certificate: acme')}`,
    'web: certificate: acme needs names: those that the certificate should cover',
  ],
  [
    'a key',
    `acme: { termsAgreed: true }\n${listener(`${one}, key: k.pem`)}`,
    'web: certificate: acme makes its own key: leave key out',
  ],
  [
    'a wildcard',
    `acme: { termsAgreed: true }\n${listener('certificate: acme, names: ["*.a.test"]')}`,
    'web: certificate: acme cannot be for *.a.test: CAs require dns-01 for a wildcard, which is not supported here',
  ],
  [
    'a name that is none',
    `acme: { termsAgreed: true }\n${listener('certificate: acme, names: ["a b"]')}`,
    'web: certificate: acme cannot be for "a b", which is neither a domain nor an address',
  ],
  [
    'more names than CAs take',
    `acme: { termsAgreed: true }\n${listener(`certificate: acme, names: [${Array.from({ length: 101 }, (_, i) => `n${i}.test`)}]`)}`,
    'web: certificate: acme has 101 names: CAs take 100',
  ],
  [
    'http-01 without an address',
    `acme: { termsAgreed: true, challenges: [http-01] }\n${listener(one)}`,
    'acme: the challenge http-01 needs http: with the address of a plain HTTP listener, such as ":80"',
  ],
  [
    'an address that is taken',
    `acme: { termsAgreed: true, http: ":443" }\n${listener(one)}`,
    'acme: http and a listener are both on *:443: give each its own address',
  ],
  [
    'client certificates, which a CA has not',
    `acme: { termsAgreed: true }\n${listener(`${one}, clientCa: ca.pem`)}`,
    'acme: web requires client certificates, which the CA does not have when it checks tls-alpn-01: use http-01',
  ],
])('%s is refused', (_, yaml, message) => {
  expect(() => planned(yaml)).toThrow(`/etc/testudo/c.yaml: ${message}`);
});

test.each([
  [
    'terms that nobody agreed to',
    'email: a@b.test',
    'acme.termsAgreed: must be true: say so once you have read the terms of the CA and agree to them',
  ],
  [
    'terms that are disagreed with',
    'termsAgreed: false',
    'acme.termsAgreed: must be true: say so once you have read the terms of the CA and agree to them',
  ],
  [
    'a directory without TLS',
    'termsAgreed: true, directory: "http://ca.test"',
    'acme.directory: must be the URL of an ACME directory, with https://',
  ],
  ['a contact that is none', 'termsAgreed: true, email: me', 'acme.email: must be a mail address'],
  [
    'a challenge that is not done here',
    'termsAgreed: true, challenges: [dns-01]',
    'acme.challenges[0]: must be one of tls-alpn-01, http-01',
  ],
  ['an unknown key', 'termsAgreed: true, mail: a@b.test', 'acme: unknown key "mail". Did you mean "email"?'],
  [
    'half an external account',
    'termsAgreed: true, externalAccount: { keyId: a }',
    'acme.externalAccount.macKeyFile: is missing',
  ],
])('%s is refused', (_, block, message) => {
  expect(() => planned(`acme: { ${block} }\n${LISTENER}`)).toThrow(message);
});
