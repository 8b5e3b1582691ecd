import { Agent } from 'node:https';
import { afterEach, describe, expect, test } from 'vitest';
import { distinction } from '../client/agent-name.ts';
import { sharedSecureContext } from './secure-context.ts';
import { type Strictness, type StrictOption, strictnessOf } from './strictness.ts';

afterEach(() => {
  delete process.env['TESTUDO_STRICT'];
});

const values = (strictness: Strictness): boolean[] => Object.values(strictness);

describe('strict', () => {
  test('is off by default, and all of it or some of it is turned on', () => {
    expect(values(strictnessOf(undefined)).some(Boolean)).toBe(false);
    expect(values(strictnessOf(true)).every(Boolean)).toBe(true);
    const some = strictnessOf({ closeNotify: true, certificates: undefined });
    expect(some).toEqual({ ...strictnessOf(false), closeNotify: true });
  });

  test('TESTUDO_STRICT=1 is the default of those who say nothing', () => {
    process.env['TESTUDO_STRICT'] = '1';
    expect(strictnessOf(undefined)).toEqual(strictnessOf(true));
    expect(values(strictnessOf(false)).some(Boolean)).toBe(false);
    expect(strictnessOf({ closeNotify: false })).toEqual({ ...strictnessOf(true), closeNotify: false });
    for (const other of ['0', '', 'true']) {
      process.env['TESTUDO_STRICT'] = other;
      expect(strictnessOf(undefined)).toEqual(strictnessOf(false));
    }
  });

  test.each([
    ['a text', 'yes', 'ERR_INVALID_ARG_TYPE'],
    ['a number', 1, 'ERR_INVALID_ARG_TYPE'],
    ['a switch that is no boolean', { closeNotify: 1 }, 'ERR_INVALID_ARG_TYPE'],
    ['a switch that is not there', { closenotify: true }, 'ERR_INVALID_ARG_VALUE'],
  ])('%s is refused', (_, option, code) => {
    expect(() => strictnessOf(option as StrictOption)).toThrow(expect.objectContaining({ code }));
  });
});

test('contexts are shared by those only that are as strict', () => {
  const same = (a?: StrictOption, b?: StrictOption): boolean =>
    sharedSecureContext({ strict: a }) === sharedSecureContext({ strict: b });
  expect(same(undefined, false)).toBe(true);
  expect(same(true, false)).toBe(false);
  expect(same({ closeNotify: true }, { closeNotify: false })).toBe(false);
  expect(same({ closeNotify: true }, { closeNotify: true })).toBe(true);
  expect(same({ closeNotify: true }, { subjectAltName: true })).toBe(false);
  const before = sharedSecureContext({});
  process.env['TESTUDO_STRICT'] = '1';
  expect(sharedSecureContext({})).not.toBe(before);
});

test('and so are an agent\u2019s connections', () => {
  const name = (strict: unknown): string => new Agent().getName({}) + distinction({ strict });
  expect(name(undefined)).toBe(name(null));
  expect(name(true)).not.toBe(name(false));
  expect(name({ closeNotify: true })).toBe(name({ closeNotify: true }));
  expect(name({ closeNotify: true })).not.toBe(name({ subjectAltName: true }));
});
