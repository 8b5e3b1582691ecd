import { constants } from 'node:crypto';
import { afterEach, describe, expect, test } from 'vitest';
import { legacy } from '../legacy/index.ts';
import type { ConnectionOptions, TlsOptions } from './index.ts';
import { closeAll, connected, failing, nodes, ours, PARTIES, readAll } from './testing/support.ts';

afterEach(closeAll);

const LEVEL_0 = { ciphers: 'DEFAULT@SECLEVEL=0' };
const only = (version: string): ConnectionOptions & TlsOptions =>
  ({ ...LEVEL_0, minVersion: version, maxVersion: version }) as never;

describe.each(PARTIES)('%s', (_name, serverTls, clientTls) => {
  test.each(['TLSv1', 'TLSv1.1'])('%s is spoken where ciphers say @SECLEVEL=0', async (version) => {
    const { accepted, client } = await connected(serverTls, clientTls, only(version), only(version));
    expect(client.getProtocol()).toBe(version);
    expect(accepted.getProtocol()).toBe(version);
    accepted.pipe(accepted);
    client.end('hello');
    expect(String(await readAll(client))).toBe('hello');
  });

  test('the newest version that both have is spoken all the same', async () => {
    const options = { ...LEVEL_0, minVersion: 'TLSv1' } as const;
    const { client } = await connected(serverTls, clientTls, options, options);
    expect(client.getProtocol()).toBe('TLSv1.3');
  });

  test('a minimum alone brings no old version back', async () => {
    const outcome = await failing(serverTls, clientTls, { minVersion: 'TLSv1' }, only('TLSv1.1'));
    expect(outcome.client).toBeDefined();
  });

  test('secureProtocol asks for one, too', async () => {
    const options = { ...LEVEL_0, secureProtocol: 'TLSv1_1_method' };
    const { client } = await connected(serverTls, clientTls, options, options);
    expect(client.getProtocol()).toBe('TLSv1.1');
  });

  test('secureOptions leave versions out', async () => {
    const { SSL_OP_NO_TLSv1_3, SSL_OP_NO_TLSv1_2 } = constants;
    const options = { ...LEVEL_0, minVersion: 'TLSv1' } as const;
    const without = { ...options, secureOptions: SSL_OP_NO_TLSv1_3 | SSL_OP_NO_TLSv1_2 };
    const { client } = await connected(serverTls, clientTls, without, options);
    expect(client.getProtocol()).toBe('TLSv1.1');
  });
});

test('SSLv23_method goes up to TLS 1.2, TLS_method to 1.3, as in Node', async () => {
  for (const secureProtocol of ['SSLv23_method', 'TLS_method', 'TLSv1_2_server_method']) {
    const own = await connected(ours, ours, { secureProtocol }, {});
    const theirs = await connected(nodes, nodes, { secureProtocol }, {});
    expect(own.client.getProtocol()).toBe(theirs.client.getProtocol());
  }
});

describe('the option legacy', () => {
  test('lets old versions be named without a security level', async () => {
    const old = { legacy, minVersion: 'TLSv1', maxVersion: 'TLSv1' } as const;
    const { client } = await connected(ours, ours, old, old);
    expect(client.getProtocol()).toBe('TLSv1');
  });

  test('and suites that protect nothing', async () => {
    const options = { legacy, ciphers: 'eNULL', maxVersion: 'TLSv1.2', minVersion: 'TLSv1.2' } as const;
    const { client } = await connected(ours, ours, options, options);
    expect(client.getCipher().name).toMatch(/NULL/);
  });

  test('it changes nothing for who names nothing', async () => {
    const { client } = await connected(ours, ours, { legacy }, { legacy });
    expect(client.getProtocol()).toBe('TLSv1.3');
    const outcome = await failing(ours, ours, { legacy }, only('TLSv1.1'));
    expect(outcome.server?.code).toBe('ERR_SSL_UNSUPPORTED_PROTOCOL');
  });
});
