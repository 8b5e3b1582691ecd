import { once } from 'node:events';
import { createServer as createNetServer } from 'node:net';
import { der } from '@testudo/codec';
import { nodeCrypto } from '@testudo/crypto/node';
import { afterEach, describe, expect, test } from 'vitest';
import { serverConfig } from '../config/server.ts';
import { extension, type Made, make, pemOf, type Wish } from './testing/chains.ts';
import { closeAll, listen, nodes, ours, track } from './testing/support.ts';

afterEach(closeAll);

const withoutSeconds = (at: Date): Uint8Array =>
  der.element(23, Buffer.from(`${at.toISOString().replaceAll(/[-T:]/g, '').slice(2, 12)}Z`));
const short = extension('2.5.29.37', der.sequence(der.oid('1.3.6.1.5.5.7.3.1')));
const sloppyTrue = der.sequence(
  der.oid('2.5.29.19'),
  der.element(1, Uint8Array.of(1)),
  der.octetString(der.sequence()),
);

const ODD: readonly (readonly [string, Wish])[] = [
  ['times without seconds', { time: withoutSeconds }],
  ['a TRUE of 01', { extensions: [sloppyTrue] }],
  ['version 4', { version: 4, names: ['localhost'] }],
  ['an extension twice', { extensions: [short, short] }],
  ['an extension that cannot be read', { extensions: [extension('2.5.29.17', Uint8Array.of(1, 2, 3))] }],
];

/** Serves a certificate that no option would take. */
async function serving({ der: certificate, key }: Made, maxVersion: 'TLSv1.2' | 'TLSv1.3'): Promise<number> {
  const credential = {
    certificates: [certificate],
    keyKind: key.kind,
    sign: (algorithm: Parameters<typeof nodeCrypto.sign>[0], data: Uint8Array) =>
      nodeCrypto.sign(algorithm, key, data),
  };
  const config = serverConfig({ provider: nodeCrypto, credentials: [credential], maxVersion });
  const server = createNetServer((raw) => {
    const settings = { requestCert: false, config };
    track(new ours.TLSSocket(raw, { isServer: true, settings })).on('error', () => {});
  });
  return listen(server);
}

/** Nobody's. */
const ca = pemOf(make({}));
const NAMES = ['TLSv1.2', 'TLSv1.3'] as const;

// What OpenSSL takes of them depends on its version.
test.each(ODD.slice(1, 3).map(([what, wish]) => [what, make(wish)] as const))(
  'Node takes a certificate with %s, too, where nobody wants to know',
  async (_what, odd) => {
    const port = await serving(odd, 'TLSv1.3');
    const client = track(nodes.connect({ port, rejectUnauthorized: false, ca }));
    await once(client, 'secureConnect');
    expect(client.authorized).toBe(false);
  },
);

describe.each(ODD)('a certificate with %s', (_what, wish) => {
  const odd = make(wish);

  test.each(NAMES)('%s: is refused, but not where nobody wants to know', async (maxVersion) => {
    const port = await serving(odd, maxVersion);
    const client = track(ours.connect({ port, rejectUnauthorized: false, ca }));
    await once(client, 'secureConnect');
    expect(client.authorized).toBe(false);
    expect(client.authorizationError).toBeTruthy();
    for (const strict of [false, true]) {
      const refused = track(ours.connect({ port, strict }));
      await once(refused, 'error');
      expect(refused.authorized).toBe(false);
    }
  });
});

test('a certificate without a key that can be read is none', async () => {
  const port = await serving({ ...make({}), der: der.sequence(der.sequence()) }, 'TLSv1.3');
  const client = track(ours.connect({ port, rejectUnauthorized: false }));
  const [error] = await once(client, 'error');
  expect(error.cause).toMatchObject({ code: 'bad-certificate' });
});
