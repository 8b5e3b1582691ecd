import { expect, test } from 'vitest';
import { defaultLimits } from './limits.ts';
import { parseConfig } from './load.ts';
import { planOf } from './plan.ts';

function planned(service: string, limits: string) {
  const yaml = `listeners:\n  - { name: web, listen: ":1", certificate: local, ${service}, limits: { ${limits} } }`;
  return planOf(parseConfig(yaml, 'c.yaml'), 'c.yaml').listeners[0]!.limits;
}

test('a forward waits longer than IMAP does (RFC 9051 §5.4)', () => {
  expect(defaultLimits('forward').idle).toBeGreaterThan(30 * 60_000);
  expect(planned('forward: "127.0.0.1:143"', '')).toEqual(defaultLimits('forward'));
  expect(planned('forward: "127.0.0.1:143"', 'idle: 5m').idle).toBe(300_000);
});

test('the old name says what to write', () => {
  expect(() => planned('proxy: "http://a"', 'response: 2m')).toThrow(
    /^c\.yaml:2:\d+: listeners\[0\]\.limits: "response" is two limits now: write "firstByte: 2m" .* and "pause: 2m"/,
  );
});

test.each([
  ['echo: true', 'connect: 1s', 'c.yaml: web: limits.connect is for forward and proxy'],
  ['forward: "a:1"', 'firstByte: 1s', 'c.yaml: web: limits.firstByte is for proxy'],
  ['folder: "."', 'webSocket: 1s', 'c.yaml: web: limits.webSocket is for proxy'],
])('%s knows no %s', (service, limits, message) => {
  expect(() => planned(service, limits)).toThrow(message);
});
