import { expect, test } from 'vitest';
import { programIdentity } from './support/identity.ts';
import { sameOnBoth } from './support/same-on-both.ts';

// Proxies, and libraries that pass on options or change node:tls for a whole program: what they do on ours is compared with
// what they do on Node's own.

const programs = programIdentity();
const both = (name: string, env = {}) => sameOnBoth(name, programs, env);

test('https-proxy-agent and undici through proxies, TLS in TLS, too', async () => {
  const results = await both('https-proxy-agent');
  expect(Object.keys(results)).toHaveLength(6);
  expect(results['https-proxy-agent over https']).toEqual({ lengths: [1, 500_000, 10], tunnels: 1 });
});

test('tunnel and socks-proxy-agent', async () => {
  expect(await both('tunnel')).toEqual({ tunnel: 'hello true', socks: 'hello true' });
});

test('proxies that end TLS: by hand, http-mitm-proxy, http-proxy', async () => {
  expect(Object.keys(await both('mitm'))).toEqual(['by hand', 'http-mitm-proxy', 'http-proxy']);
});

test('libraries that change node:tls', async () => {
  // In a program that does not trust the authority by itself.
  const results = await both('patches', { AUTHORITY: programs.ca, NODE_EXTRA_CA_CERTS: '' });
  expect(results['syswide-cas']).toBe('hello localhost');
  expect(results['before']).toMatch(/^UNABLE_TO_/);
});
