import { describe, expect, test } from 'vitest';
import { AddressError, addressText, isLoopback, parseListenAddress, parseTarget } from './address.ts';

describe('an address to listen on', () => {
  test.each([
    ['0.0.0.0:443', { host: '0.0.0.0', port: 443 }],
    [':8443', { host: undefined, port: 8443 }],
    ['*:8443', { host: undefined, port: 8443 }],
    ['[::1]:8443', { host: '::1', port: 8443 }],
    ['localhost:0', { host: 'localhost', port: 0 }],
  ])('%s', (text, address) => expect(parseListenAddress(text)).toEqual(address));

  test.each([
    '8443',
    '',
    'a',
    'a:',
    'a:b',
    'a:65536',
    'a:-1',
    '::1:8443',
    '[a]:1',
    '[::1]',
    'a b:1',
    'http://a:1',
    'u@a:1',
  ])('refuses "%s"', (text) => expect(() => parseListenAddress(text)).toThrow(AddressError));
});

describe('where to connect to', () => {
  test.each([
    ['example.com:25', { host: 'example.com', port: 25 }],
    ['example.com', { host: 'example.com', port: 443 }],
    ['[2001:db8::1]:25', { host: '2001:db8::1', port: 25 }],
    ['2001:db8::1', { host: '2001:db8::1', port: 443 }],
    ['[2001:db8::1]', { host: '2001:db8::1', port: 443 }],
  ])('%s', (text, address) => expect(parseTarget(text, 443)).toEqual(address));

  test.each([':25', '*:25', 'a:0', 'a:b'])('refuses "%s"', (text) =>
    expect(() => parseTarget(text, 443)).toThrow(AddressError),
  );

  test('needs a port where there is no default', () => {
    expect(() => parseTarget('example.com')).toThrow(AddressError);
  });
});

test('an address is shown as it is written', () => {
  expect(['[::1]:1', 'a:2', ':3'].map((text) => addressText(parseListenAddress(text)))).toEqual([
    '[::1]:1',
    'a:2',
    '*:3',
  ]);
});

test('only loopback addresses are out of reach for others', () => {
  expect(['127.0.0.1', '127.9.9.9', '::1', 'localhost'].every(isLoopback)).toBe(true);
  expect(['0.0.0.0', '::', '128.0.0.1', '127.example.com', undefined].some(isLoopback)).toBe(false);
});
