import { afterAll, describe, expect, test } from 'vitest';
import { Failure } from '../failure.ts';
import { folderWith, removeFolders } from '../testing/folder.ts';
import { loadConfig, parseConfig } from './load.ts';

afterAll(removeFolders);

function mistakesIn(yaml: string): string[] {
  try {
    parseConfig(yaml, 'c.yaml');
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    expect(error.exitCode).toBe(2);
    return error.message.split('\n');
  }
  return [];
}

const listener = (lines: string): string => `listeners:\n  - listen: ":1"\n${lines.replace(/^/gm, '    ')}\n`;

test('a whole configuration is read', () => {
  const config = parseConfig(
    `
data: ./data
drain: 5s
logLevel: warn
listeners:
  - name: web
    listen: "[::1]:8443"
    certificates:
      - { certificate: local, names: [a.test], default: true }
      - { certificate: b.pem, key: b.key }
    minVersion: 1.2
    maxVersion: TLSv1.3
    groups: [x25519]
    proxy: http://127.0.0.1:3000/app
    hsts: { maxAge: 365d, includeSubDomains: true }
    limits: { connections: 10, idle: 1m }
`,
    'c.yaml',
  );
  expect(config).toMatchObject({ drain: 5000, logLevel: 'warn' });
  expect(config.listeners[0]).toMatchObject({
    listen: { host: '::1', port: 8443 },
    minVersion: 'TLSv1.2',
    maxVersion: 'TLSv1.3',
    hsts: { maxAge: 31_536_000_000, includeSubDomains: true },
    limits: { connections: 10, idle: 60_000 },
  });
  expect(config.listeners[0]!.proxy!.href).toBe('http://127.0.0.1:3000/app');
});

describe('a mistake is named, with its place and what to do:', () => {
  test.each([
    [
      'an unknown key',
      listener('certificat: local'),
      'c.yaml:3:5: listeners[0]: unknown key "certificat". Did you mean "certificate"?',
    ],
    [
      'an unknown key in limits',
      listener('limits: { connection: 1 }'),
      'c.yaml:3:15: listeners[0].limits: unknown key "connection". Did you mean "connections"?',
    ],
    [
      'an unknown key in a certificate',
      listener('certificates: [{ certificate: local, nmes: [a] }]'),
      'c.yaml:3:42: listeners[0].certificates[0]: unknown key "nmes". Did you mean "names"?',
    ],
    [
      'an unknown key in hsts',
      listener('hsts: { maxage: 1d }'),
      'c.yaml:3:13: listeners[0].hsts: unknown key "maxage". Did you mean "maxAge"?',
    ],
    [
      'a missing address',
      'listeners:\n  - echo: true\n',
      'c.yaml:2:5: listeners[0].listen: is missing: say where, such as listen: "127.0.0.1:8443"',
    ],
    [
      'an address without a port',
      'listeners: [{ listen: localhost }]',
      'c.yaml:1:23: listeners[0].listen: "localhost" is not an address with a port: write "0.0.0.0:443", ":8443" (every address) or "[::1]:8443"',
    ],
    [
      'an address that is a number',
      'listeners: [{ listen: 8443 }]',
      'c.yaml:1:23: listeners[0].listen: must be an address in quotes, such as "127.0.0.1:8443"',
    ],
    [
      'no listeners',
      'drain: 1s',
      'c.yaml:1:1: listeners: is missing: it is the list of what the gateway serves',
    ],
    ['an empty list', 'listeners: []', 'c.yaml:1:12: listeners: needs at least one listener'],
    ['text', 'hello', 'c.yaml:1:1: the configuration: must be keys with their values, such as "listeners:"'],
    [
      'two documents',
      'listeners: 5\n---\nlisteners: 5',
      'c.yaml:2:1: not valid YAML: a second document begins here: one is all that is read',
    ],
    [
      'a number for text',
      `${listener('echo: true')}data: 5`,
      'c.yaml:4:7: data: must be text: put it in quotes',
    ],
    ['listeners that are no list', 'listeners: 5', 'c.yaml:1:12: listeners: must be a list of listeners'],
    [
      'an old version',
      listener('minVersion: SSLv3'),
      'c.yaml:3:17: listeners[0].minVersion: must be TLSv1.2 or TLSv1.3',
    ],
    [
      'a time without sense',
      listener('limits: { idle: soon }'),
      'c.yaml:3:21: listeners[0].limits.idle: must be a time such as "10s", "5m" or "500ms"',
    ],
    [
      'a time too long for a timer',
      listener('limits: { idle: 30d }'),
      'c.yaml:3:21: listeners[0].limits.idle: must be more than 0, and at most 24 days',
    ],
    [
      'no connection at all',
      listener('limits: { connections: 0 }'),
      'c.yaml:3:28: listeners[0].limits.connections: must be at least 1',
    ],
    [
      'an upstream without http://',
      listener('proxy: localhost:3000'),
      'c.yaml:3:12: listeners[0].proxy: must be a URL such as "http://127.0.0.1:3000", with http://',
    ],
    [
      'an upstream with a password',
      listener('proxy: http://a:b@localhost/'),
      'c.yaml:3:12: listeners[0].proxy: must be a URL such as "http://127.0.0.1:3000", with http://',
    ],
    [
      'a flag that is a word',
      listener('echo: often'),
      'c.yaml:3:11: listeners[0].echo: must be true or false',
    ],
    [
      'an unknown log level',
      'logLevel: loud\nlisteners: [{ listen: ":1" }]',
      'c.yaml:1:11: logLevel: must be one of silent, fatal, error, warn, info, debug, trace',
    ],
  ])('%s', (_, yaml, message) => expect(mistakesIn(yaml)).toEqual([message]));

  test('an unknown key at the top, before what is missing because of it', () => {
    expect(mistakesIn('listener: []')).toEqual([
      'c.yaml:1:1: unknown key "listener". Did you mean "listeners"?',
      'c.yaml:1:1: listeners: is missing: it is the list of what the gateway serves',
    ]);
  });

  test('YAML that is none', () => {
    expect(mistakesIn('listeners: [')[0]).toMatch(/^c\.yaml:1:\d+: not valid YAML: /);
    expect(mistakesIn('a: 1\na: 2')[0]).toMatch(/^c\.yaml:2:1: not valid YAML: .*unique/);
  });

  test('an empty file', () => expect(mistakesIn('')).toEqual(['c.yaml: is empty: it needs "listeners:"']));

  test('several mistakes, a line each', () => {
    expect(mistakesIn('listeners: [{ listen: ":x", ecko: true }]\ndrian: 1s')).toHaveLength(3);
  });

  test('but no more than a screen shows', () => {
    const many = Array.from({ length: 100 }, (_, i) => `key${i}: 1`).join('\n');
    expect(mistakesIn(many)).toHaveLength(20);
  });
});

test('aliases that multiply are refused', () => {
  const bomb = ['a: &a [x,x,x,x,x,x,x,x,x]'];
  for (const [from, to] of ['ab', 'bc', 'cd', 'de', 'ef'])
    bomb.push(`${to}: &${to} [${`*${from},`.repeat(9)}]`);
  expect(mistakesIn(bomb.join('\n'))[0]).toContain('not valid YAML');
});

test('control characters of a key are not printed', () => {
  expect(mistakesIn('"a\\u001b[2J": 1').join()).not.toContain('\u001b');
});

test('a file that is not there is named', () => {
  const file = `${folderWith()}/none.yaml`;
  expect(() => loadConfig(file)).toThrow(
    `${file}: cannot read the configuration: there is no such file or directory. Give another one with --config.`,
  );
});
