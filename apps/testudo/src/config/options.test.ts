import { expect, test } from 'vitest';
import { z } from 'zod';
import { LIMITS } from './limits.ts';
import { keysAt, optionGroups } from './options.ts';
import { DEFAULT_TLS } from './plan.ts';
import { configSchema, DEFAULT_CONFIG } from './schema.ts';

const groups = optionGroups();
const options = groups.flatMap(({ name, options: ones }) => ones.map((one) => ({ ...one, group: name })));

test('every option says what it means and what may be said', () => {
  for (const { group, name, form, meaning } of options) {
    expect(meaning, `${group}.${name}`).not.toBe('');
    expect(form, `${group}.${name}`).not.toBe('');
  }
  const limits = groups.find(({ name }) => name === 'limits')!.options;
  expect(limits.map(({ meaning }) => meaning)).toEqual(Object.values(LIMITS).map(({ text }) => text));
});

test('groups are told apart by their names, which are links', () => {
  const names = groups.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  for (const name of names.slice(1))
    expect(
      options.filter(({ form }) => form.includes(`](#${name.toLowerCase()})`)),
      name,
    ).toHaveLength(1);
});

test.each([
  ['listeners', 'listen', 'required'],
  ['acme', 'termsAgreed', 'required'],
  ['certificates', 'certificate', 'required'],
  ['', 'drain', '`10s`'],
  ['acme', 'keyType', '`p256`'],
  ['listeners', 'stapling', '`on`'],
  ['listeners', 'strictSni', '`false`'],
  ['listeners', 'clientCertificate', '`required` with `clientCa`, else `none`'],
  ['limits', 'idle', '`2m`; forward: `1h`'],
  ['hsts', 'maxAge', '`365d`'],
])('%s.%s: %s', (group, name, standard) => {
  const one = options.find((option) => option.group === group && option.name === name)!;
  expect(one.isRequired ? 'required' : one.standard).toBe(standard);
});

test('an option without a form of its own is a mistake of the schema', () => {
  expect(() => optionGroups(z.strictObject({ port: z.bigint() }))).toThrow('has no form');
});

test('what counts where nothing is said', () => {
  expect(DEFAULT_CONFIG).toMatchObject({ drain: 10_000, logLevel: 'info' });
  expect(DEFAULT_TLS).toMatchObject({
    alpn: undefined,
    clientCertificate: 'none',
    tickets: { kind: 'own', rotate: undefined, lifetime: undefined },
  });
});

test('each default is one that may also be said', () => {
  const said = { listen: ':0', stapling: 'on', tickets: 'on', earlyData: false, hsts: false, limits: {} };
  expect(configSchema.parse({ listeners: [said], drain: '10s', logLevel: 'info' })).toEqual(DEFAULT_CONFIG);
});

test.each([
  [[], ['listeners', 'data', 'drain', 'logLevel', 'acme']],
  [
    ['listeners', 0, 'tickets'],
    ['rotate', 'lifetime', 'keys'],
  ],
  [
    ['listeners', 3, 'hsts'],
    ['maxAge', 'includeSubDomains', 'preload'],
  ],
  [['listeners', 0, 'limits'], Object.keys(LIMITS)],
  [
    ['acme', 'externalAccount'],
    ['keyId', 'macKeyFile'],
  ],
  [['listeners', 0, 'listen'], []],
  [['nothing', 'of', 'this'], []],
])('the keys at %j', (path, keys) => expect(keysAt(path)).toEqual(keys));
