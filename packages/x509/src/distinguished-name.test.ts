import { der, fromHex } from '@testudo/codec';
import { describe, expect, test } from 'vitest';
import { DistinguishedName } from './distinguished-name.ts';
import { CertificateError } from './errors.ts';

const attribute = (oid: string, value: Uint8Array): Uint8Array =>
  der.setOf(der.sequence(der.oid(oid), value));
const name = (...attributes: Uint8Array[]): DistinguishedName =>
  new DistinguishedName(der.sequence(...attributes));
const commonName = (value: Uint8Array): DistinguishedName => name(attribute('2.5.4.3', value));

test('is shown most specific first, escaped as RFC 4514 §2.4 says', () => {
  const shown = name(
    attribute('2.5.4.6', der.printableString('CH')),
    attribute('2.5.4.10', der.utf8String('Sue, "Grabbit" & Runn')),
    attribute('1.2.3', der.integer(5)),
    attribute('2.5.4.3', der.utf8String(' #a+b\u001b ')),
  ).toString();
  expect(shown).toBe('CN=\\ #a\\+b\\1b\\ ,1.2.3=#020105,O=Sue\\, \\"Grabbit\\" & Runn,C=CH');
});

test('the common name is the last one', () => {
  const both = name(attribute('2.5.4.3', der.utf8String('a')), attribute('2.5.4.3', der.utf8String('b')));
  expect(both.commonName).toBe('b');
  expect(DistinguishedName.empty.commonName).toBeUndefined();
  expect(DistinguishedName.empty.isEmpty).toBe(true);
});

// RFC 5280 §7.1
test.each([
  ['the string type', der.utf8String('Example'), der.printableString('Example')],
  ['case', der.utf8String('EXAMPLE ä'), der.utf8String('example Ä')],
  ['spaces', der.utf8String(' a   b '), der.utf8String('a b')],
])('%s makes no difference', (_, a, b) => {
  expect(commonName(a).equals(commonName(b))).toBe(true);
});

describe('differs by', () => {
  test('value, type of attribute, order and number', () => {
    const a = attribute('2.5.4.10', der.utf8String('a'));
    const b = attribute('2.5.4.10', der.utf8String('b'));
    expect(name(a).equals(name(b))).toBe(false);
    expect(name(a).equals(name(attribute('2.5.4.11', der.utf8String('a'))))).toBe(false);
    expect(name(a, b).equals(name(b, a))).toBe(false);
    expect(name(a).equals(name(a, a))).toBe(false);
    expect(name(der.setOf(...[a, b].map((set) => set.subarray(2)))).equals(name(a, b))).toBe(false);
  });

  test('nothing that is spelled to look like the border between attributes', () => {
    expect(
      commonName(der.utf8String('a","b')).equals(
        name(attribute('2.5.4.3', der.utf8String('a')), attribute('2.5.4.3', der.utf8String('b'))),
      ),
    ).toBe(false);
  });
});

test('a name is within the names above it', () => {
  const o = attribute('2.5.4.10', der.utf8String('o'));
  const cn = attribute('2.5.4.3', der.utf8String('cn'));
  expect(name(o, cn).isWithin(name(o))).toBe(true);
  expect(name(o, cn).isWithin(name(o, cn))).toBe(true);
  expect(name(o, cn).isWithin(DistinguishedName.empty)).toBe(true);
  expect(name(o).isWithin(name(o, cn))).toBe(false);
  expect(name(o, cn).isWithin(name(cn))).toBe(false);
});

test.each([
  ['an empty relative name', '30023100'],
  ['an attribute without a value', '300931073005060355040a'],
  ['something else than sets', '3003020100'],
  ['a third field', '300f310d300b06035504030c016105000500'],
])('%s is malformed', (_, hex) => {
  expect(() => new DistinguishedName(fromHex(hex)).toString()).toThrow(CertificateError);
});
