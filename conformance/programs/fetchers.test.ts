import { expect, test } from 'vitest';
import { programIdentity } from './support/identity.ts';
import { sameOnBoth } from './support/same-on-both.ts';

// Small clients of HTTP, and options as their callers left them out: what they do on ours is compared with what they do on
// Node's own.

const programs = programIdentity();

test('needle, node-fetch, superagent, and options that are there but empty', async () => {
  const results = await sameOnBoth('fetchers', programs);
  expect(results).toMatchObject({
    needle: { method: 'POST', length: 1000 },
    'node-fetch': { method: 'POST', length: 300_000 },
    'node-fetch, aborted': 'AbortError',
    superagent: { method: 'PUT', length: 108 },
  });
  for (const name of ['needle', 'node-fetch', 'superagent'])
    expect(results[`${name}, wrong name`]).toBe('ERR_TLS_CERT_ALTNAME_INVALID');
  const cut = ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'];
  expect(cut).toContain(results['ca: [""]']);
});
