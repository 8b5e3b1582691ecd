import { expect, test } from 'vitest';
import { changesBetween } from './changes.ts';
import { parseConfig } from './load.ts';
import { planOf } from './plan.ts';

const ECHO = 'certificate: local, echo: true';

function texts(old: string, next: string): string[] {
  const [one, other] = [old, next].map((text) => planOf(parseConfig(text, 'c.yaml'), '/etc/c.yaml'));
  return changesBetween(one!, other!).map(({ listener, text }) => (listener ? `${listener}: ${text}` : text));
}

function listeners(...lines: string[]): string {
  return `listeners:\n${lines.map((one) => `  - { ${one} }\n`).join('')}`;
}

test.each([
  ['limits: { idle: 1m }', 'limits: { idle: 36h }', 'limits.idle: 1m \u2192 36h'],
  ['limits: { idle: 1m }', 'limits: { idle: 1500ms }', 'limits.idle: 1m \u2192 1500ms'],
  ['alpn: [a]', 'alpn: [a, b]', 'alpn: a \u2192 a, b'],
  ['tickets: on', 'tickets: off', 'tickets: own keys \u2192 off'],
  [
    'tickets: { rotate: 1h }',
    'tickets: { rotate: 2h }',
    'tickets: own keys, rotate 1h \u2192 own keys, rotate 2h',
  ],
  ['groups: [x25519]', 'strictSni: false', 'groups: x25519 \u2192 default'],
])('%s, then %s', (before, after, text) => {
  const one = (rest: string): string => listeners(`name: a, listen: ":1", ${ECHO}, ${rest}`);
  expect(texts(one(before), one(after))).toEqual([`a: ${text}`]);
  expect(texts(one(before), one(before))).toEqual([]);
});

test('certificates are told by their files, names and source', () => {
  const one = (rest: string): string => listeners(`name: a, listen: ":1", echo: true, ${rest}`);
  expect(texts(one('certificate: local'), one('certificate: c.pem, key: k.pem, names: [a.test]'))).toEqual([
    'a: certificates: local for localhost 127.0.0.1 ::1 \u2192 /etc/c.pem with /etc/k.pem for a.test',
  ]);
});

test('listeners are known by their addresses, those on any port by their order', () => {
  const [one, two] = [`name: one, listen: ":0", ${ECHO}`, `name: two, listen: ":0", ${ECHO}`];
  expect(texts(listeners(one, two), listeners(one))).toEqual(['two: removed: *:0, echo']);
  expect(texts(listeners(one), listeners(one, two))).toEqual(['two: added: *:0, echo']);
});

test('an account at a CA is not named', () => {
  const acme = (keyId: string): string =>
    `acme: { termsAgreed: true, http: ":80", externalAccount: { keyId: ${keyId}, macKeyFile: m } }\n${listeners('name: a, listen: ":1", certificate: acme, names: [a.test], echo: true')}`;
  expect(texts(acme('alice'), acme('bob'))).toEqual(['acme.externalAccount: another one']);
});
